//! What follows from a capability's operations: scopes, errors, and the schemas of its tool.

use super::{Capability, Status};
use crate::error::ErrorCode;
use crate::operations::{Operation, operation};
use crate::scope::Scope;

impl Capability {
    /// The operation that its tool calls.
    #[must_use]
    pub fn tool_operation(&self) -> Option<&'static Operation> {
        if self.tool { self.operations.first().and_then(|id| operation(id)) } else { None }
    }

    /// The name of its tool.
    #[must_use]
    pub fn tool_name(&self) -> String {
        format!("walwarden.{}", self.id)
    }

    /// The scopes that a key needs for all of it.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<_> = self.operations.iter().filter_map(|id| operation(id)?.scope()).collect();
        scopes.extend(self.route.and_then(|route| route.scope));
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// The codes that it may fail with, in catalog order.
    #[must_use]
    pub fn errors(&self) -> Vec<ErrorCode> {
        if self.status != Status::Available {
            return vec![ErrorCode::CapabilityNotAvailable];
        }
        let mut errors: Vec<_> =
            self.operations.iter().filter_map(|id| operation(id)).flat_map(Operation::all_errors).collect();
        errors.sort_by_key(|code| ErrorCode::ALL.iter().position(|known| known == code));
        errors.dedup();
        errors
    }
}
