//! What follows from an operation's shape.

use super::{Auth, Method, Operation};
use crate::capabilities::{CAPABILITIES, HumanGate};
use crate::error::ErrorCode as E;
use crate::scope::Scope;

impl Operation {
    /// Whether the operation needs an `Idempotency-Key`: every POST does.
    #[must_use]
    pub const fn needs_idempotency_key(&self) -> bool {
        matches!(self.method, Method::Post)
    }

    /// Whether the same key and body are answered with the stored response, marked `Idempotency-Replayed: true`. The
    /// other POSTs do again what they did: a state is reached once, presigned URLs are made afresh, and preflight is tried anew.
    #[must_use]
    pub fn replays(&self) -> bool {
        matches!(self.id, "triggerBackup" | "createRestore" | "triggerRestore" | "createDatabase" | "createDestination")
    }

    /// The scope that the operation requires.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        match self.auth {
            Auth::ApiKey(scope) => scope,
            Auth::RestoreToken => None,
        }
    }

    /// Whether a key with these scopes may call it.
    #[must_use]
    pub fn open_to(&self, scopes: &[Scope]) -> bool {
        match self.auth {
            Auth::ApiKey(scope) => scope.is_none_or(|scope| scopes.contains(&scope)),
            Auth::RestoreToken => false,
        }
    }

    /// Whether an agent's key is answered with a challenge first, for a person to consent to.
    #[must_use]
    pub fn gate(&self) -> HumanGate {
        if matches!(self.auth, Auth::RestoreToken) {
            return HumanGate::None;
        }
        let carrying = CAPABILITIES.iter().filter(|capability| capability.operations.contains(&self.id));
        carrying.map(|capability| capability.gate).max().unwrap_or(HumanGate::None)
    }

    /// Every code that the operation may answer with, those included that follow from its shape, in catalog order.
    #[must_use]
    pub fn all_errors(&self) -> Vec<E> {
        let gated = self.gate() == HumanGate::ConfirmationRequired;
        // A body is read wherever one may be sent, also to see that it is empty where the operation takes none.
        let reads_body = matches!(self.method, Method::Post | Method::Patch);
        let shared = |code: E| match code {
            E::IdempotencyKeyRequired => self.needs_idempotency_key(),
            E::IdempotencyConflict => self.replays(),
            E::Unauthorized => matches!(self.auth, Auth::ApiKey(_)),
            E::Forbidden => self.scope().is_some(),
            E::HumanConfirmationRequired => gated,
            E::PayloadTooLarge | E::UnsupportedMediaType | E::UnprocessableRequest => reads_body,
            // Query parameters that an operation does not know are refused, by those that take none as well.
            E::InvalidRequest
            | E::HeadersTooLarge
            | E::RateLimited
            | E::InternalError
            | E::ServiceUnavailable
            | E::Timeout => true,
            _ => false,
        };
        E::ALL.iter().copied().filter(|code| shared(*code) || self.errors.contains(code)).collect()
    }
}
