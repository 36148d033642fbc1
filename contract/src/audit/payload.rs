//! What an event of each kind says. Members are only ever added: an event that was written before says less.
//!
//! No payload holds content of a database, a credential, a presigned URL or a text that somebody outside typed freely.

mod backup;
mod keys;
mod organization;
mod restore;
mod retention;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::backup::{
    BackupCancelled, BackupClaimed, BackupCompleted, BackupDismissed, BackupFailed, BackupFinalizing, BackupQueued,
    BackupRunning, HandedBackReason,
};
pub use self::keys::{ApiKeyIssued, ApiKeyRevoked, SecretsResealed};
pub use self::organization::{
    AuditAnomaly, DatabaseDeleted, DatabaseSettings, DestinationDeleted, DestinationLook, DestinationSettings,
    EvidenceExported, InventoryFindings, NewFinding, OrganizationCreated, ScheduleRunSkipped, UploadsAborted,
};
pub use self::restore::{RestoreStep, RestoreTimedOut, RestoreTokenIssued, RestoreTokenRejected, TokenRefusal};
pub use self::retention::{DeletedObject, RetentionDeleted, RetentionExpiring, RetentionRefused};
pub use crate::key::{Revocation as SigningKeyRevoked, Rotation as SigningKeyRotated};

/// Somebody who acts without an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Whoever may run `walwarden-api admin` beside the store.
    Operator,
}

#[cfg(test)]
mod tests;
