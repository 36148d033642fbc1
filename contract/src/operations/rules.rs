//! What follows from an operation's shape.

use super::{Auth, Method, Operation};
use crate::error::ErrorCode as E;
use crate::scope::Scope;

impl Operation {
    /// Whether the same key and body are answered with the stored response, marked `Idempotency-Replayed: true`. The
    /// other POSTs are harmless to repeat: a state is reached once, and presigned URLs are made afresh.
    #[must_use]
    pub fn replays(&self) -> bool {
        matches!(self.id, "triggerBackup" | "createRestore" | "triggerRestore")
    }

    /// The scope that the operation requires.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        match self.auth {
            Auth::ApiKey(scope) => scope,
            Auth::RestoreToken => None,
        }
    }

    /// Every code that the operation may answer with, those included that follow from its shape, in catalog order.
    #[must_use]
    pub fn all_errors(&self) -> Vec<E> {
        let post = matches!(self.method, Method::Post);
        let shared = |code: E| match code {
            E::IdempotencyConflict => self.replays(),
            E::Unauthorized => matches!(self.auth, Auth::ApiKey(_)),
            E::Forbidden => self.scope().is_some(),
            // A body is read wherever one may be sent, also to see that it is empty where the operation takes none.
            E::PayloadTooLarge | E::UnsupportedMediaType | E::UnprocessableRequest | E::IdempotencyKeyRequired => post,
            // Query parameters that an operation does not know are refused, by those that take none as well.
            E::InvalidRequest | E::InternalError | E::ServiceUnavailable | E::Timeout => true,
            _ => false,
        };
        E::ALL.iter().copied().filter(|code| shared(*code) || self.errors.contains(code)).collect()
    }
}
