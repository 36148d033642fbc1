//! What the events of a restore job say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::schema::as_stored;
use crate::error::ErrorCode;
use crate::id::{ApiKeyId, BackupJobId, DatabaseId};
use crate::model::{RestoreMode, RestoreState};
use crate::time::Timestamp;

/// Says which backup is to be restored where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RestoreTokenIssuedPayload", transform = as_stored)]
pub struct RestoreTokenIssued {
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The database that it is a backup of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_id: Option<DatabaseId>,
    /// The manifest that the artifact has to match.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// How the restore treats its target.
    pub mode: RestoreMode,
    /// Where the restore goes, without any credential.
    pub target_redacted_dsn: String,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// The API key that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<ApiKeyId>,
}

/// Says what the restore machine reported as it reached the state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RestoreStepPayload", transform = as_stored)]
pub struct RestoreStep {
    /// Bytes downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// SHA-256 of the bytes as they stand on the restore machine.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum_sha256: Option<String>,
    /// The version of `pg_restore`.
    #[schemars(regex(pattern = crate::pattern::VERSION))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pg_restore_version: Option<String>,
    /// Errors of `pg_restore` that are known to be harmless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored_errors: Option<u32>,
    /// Why the restore failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// Of a failure: whether another session may overcome it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
}

/// Says where the restore machine fell silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RestoreTimedOutPayload", transform = as_stored)]
pub struct RestoreTimedOut {
    /// The last state that it had reached.
    pub last_state: RestoreState,
    /// When it was last heard of.
    pub last_seen_at: Timestamp,
}

/// Says why a token was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RestoreTokenRejectedPayload", transform = as_stored)]
pub struct RestoreTokenRejected {
    /// Why.
    pub reason: TokenRefusal,
}

/// Why a restore token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenRefusal {
    /// It has not the form of a token.
    Malformed,
    /// This server did not issue it.
    Forged,
    /// It is the token of another job.
    OtherJob,
    /// It was not used in time.
    Expired,
    /// It was used before.
    Used,
    /// The restore machine named another manifest.
    ManifestHashMismatch,
    /// The restore machine named another mode.
    ModeMismatch,
}
