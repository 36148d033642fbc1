//! What follows from a capability's operations: scopes, errors, and the schemas of its tool.

use super::{Capability, Status};
use crate::commands::{Command, command};
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

    fn command_rows(&self) -> impl Iterator<Item = &'static Command> {
        self.commands.iter().filter_map(|kind| command(kind))
    }

    /// Its operations, and those that its commands call.
    fn carriers(&self) -> impl Iterator<Item = &'static str> {
        self.operations
            .iter()
            .copied()
            .chain(self.command_rows().flat_map(|command| command.operations.iter().copied()))
    }

    /// The scopes that a key needs for all of it.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<_> = self.operations.iter().filter_map(|id| operation(id)?.scope()).collect();
        scopes.extend(self.route.and_then(|route| route.scope));
        scopes.extend(self.command_rows().flat_map(|command| command.scopes));
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
        let mut errors: Vec<_> = self.carriers().filter_map(operation).flat_map(Operation::all_errors).collect();
        errors.sort_by_key(|code| ErrorCode::ALL.iter().position(|known| known == code));
        errors.dedup();
        errors
    }
}

#[cfg(test)]
mod tests {
    use crate::capabilities::CAPABILITIES;

    #[test]
    fn a_key_with_a_capabilitys_scopes_may_run_its_commands() {
        for capability in CAPABILITIES {
            let scopes = capability.scopes();
            for command in capability.command_rows() {
                assert!(command.scopes.iter().all(|scope| scopes.contains(scope)), "{}", capability.id);
            }
        }
    }
}
