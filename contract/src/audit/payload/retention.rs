//! What the events of a completed backup on its way out of the bucket say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::schema::as_stored;
use crate::error::ErrorCode;
use crate::id::BackupJobId;
use crate::time::Timestamp;

/// Says why the backup may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RetentionExpiringPayload", transform = as_stored)]
pub struct RetentionExpiring {
    /// For how many days its database keeps backups.
    pub retention_days: Option<u32>,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// A newer backup of the database, found proven and there.
    pub newer_backup_job_id: Option<BackupJobId>,
    /// The key of the artifact in the bucket.
    pub artifact_key: Option<String>,
    /// The hash of the manifest.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: Option<String>,
}

/// Says why nothing was deleted, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RetentionRefusedPayload", transform = as_stored)]
pub struct RetentionRefused {
    /// Why.
    pub error_code: ErrorCode,
    /// Whether the backup is whole, and kept meanwhile.
    pub kept: bool,
    /// When it is tried again.
    pub next_attempt_at: Timestamp,
}

/// Says what is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RetentionDeletedPayload", transform = as_stored)]
pub struct RetentionDeleted {
    /// The objects.
    pub objects: Vec<DeletedObject>,
    /// SHA-256 of the artifact.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: Option<String>,
    /// The hash of the manifest.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: Option<String>,
}

/// An object that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = as_stored)]
pub struct DeletedObject {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// The versions that were deleted by this attempt, where the bucket has versions.
    pub version_ids: Vec<String>,
    /// Whether this attempt found nothing to delete: an earlier one did it, or somebody else.
    pub was_gone: bool,
}
