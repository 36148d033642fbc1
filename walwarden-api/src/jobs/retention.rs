//! Retention: deletes completed backups that are older than their database keeps them, and nothing that a lock, a restore or
//! the lack of a newer backup holds.

mod deletion;
mod looking;
mod records;

use std::sync::Arc;

pub use self::looking::{Looked, look};
pub use self::records::{Deleted, Held, Marked, Waits, finish, mark, postpone, refuse, take};
use crate::engine::storage::{Bucket, StorageError};
use crate::secrets::{Keyring, SealError};
use crate::store::{Store, StoreError};
use crate::system::System;
use walwarden_contract::{DestinationId, ErrorCode, OrgId};

/// What looks after backups that are completed: none of it needs the Postgres tools.
#[derive(Clone)]
pub struct Keeper {
    /// The store.
    pub store: Store,
    /// Clock and randomness.
    pub system: System,
    /// The keys that open credentials and verify manifests.
    pub keyring: Arc<Keyring>,
}

/// Why the bucket could not be used, or not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The catalog's code.
    pub code: ErrorCode,
    /// What happened, without any credential.
    pub message: String,
}

impl Refusal {
    /// A refusal in our own words.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::new(error.code(), error.message)
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        Self::new(ErrorCode::DestinationNotReady, format!("the destination's credentials cannot be opened: {error}"))
    }
}

/// Why a look at a bucket ended early.
pub(super) enum Stop {
    /// The bucket is not to be read.
    Bucket(Refusal),
    /// The store failed.
    Store(StoreError),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Bucket(error.into())
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Keeper {
    /// The bucket of a destination, and whether it can be used.
    ///
    /// # Errors
    /// When the store fails. The inner error says why the bucket cannot be used.
    pub async fn bucket(&self, org_id: OrgId, id: DestinationId) -> Result<Result<Bucket, Refusal>, StoreError> {
        let destination = match self.store.destination(org_id, id).await {
            Err(StoreError::Missing(_)) => {
                let message = format!("the destination {id} was removed, and its bucket with it");
                return Ok(Err(Refusal::new(ErrorCode::DestinationNotReady, message)));
            }
            read => read?,
        };
        let access = match self.keyring.open_access(&destination) {
            Ok(access) => access,
            Err(error) => return Ok(Err(error.into())),
        };
        Ok(Bucket::connect(&destination, &access).map_err(Refusal::from))
    }
}
