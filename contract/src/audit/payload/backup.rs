//! What the events of a backup job say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::schema::as_stored;
use crate::error::ErrorCode;
use crate::id::{ApiKeyId, DatabaseId, DestinationId};
use crate::model::{BackupState, BackupTrigger};
use crate::time::Timestamp;

/// Says of what the job is a backup, when it is queued first; which attempt waits until when, when it is queued again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupQueuedPayload", transform = as_stored)]
pub struct BackupQueued {
    /// What asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<BackupTrigger>,
    /// The database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_id: Option<DatabaseId>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_id: Option<DestinationId>,
    /// The API key that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<ApiKeyId>,
    /// When its schedule had it due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<Timestamp>,
    /// How many later runs of the schedule it makes up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_runs: Option<u32>,
    /// The attempt that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Why a worker handed it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<HandedBackReason>,
    /// Before when no worker takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// Why a worker handed a job back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandedBackReason {
    /// It shut down.
    WorkerShutdown,
    /// The destination was changed, and is looked at first.
    DestinationUnverified,
}

/// Says who took the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupClaimedPayload", transform = as_stored)]
pub struct BackupClaimed {
    /// The attempt, from 1.
    pub attempt: u32,
    /// The worker.
    pub worker: String,
}

/// Says what dumps what, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupRunningPayload", transform = as_stored)]
pub struct BackupRunning {
    /// The attempt.
    pub attempt: u32,
    /// The key of the artifact in the bucket.
    pub object_key: String,
    /// The version of `pg_dump`.
    pub pg_dump_version: String,
    /// The source server's version.
    pub postgres_version: String,
    /// The compression inside of the archive.
    pub compression: String,
}

/// Says what was dumped; of a dump that an earlier attempt had closed, only that it is taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupFinalizingPayload", transform = as_stored)]
pub struct BackupFinalizing {
    /// The attempt.
    pub attempt: u32,
    /// The artifact's length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// SHA-256 of the artifact.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum_sha256: Option<String>,
    /// How many parts were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// Whether an earlier attempt had closed the dump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
}

/// Says what was proven, by which version, and which manifest and artifact it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupCompletedPayload", transform = as_stored)]
pub struct BackupCompleted {
    /// The attempt.
    pub attempt: u32,
    /// The database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_id: Option<DatabaseId>,
    /// The hash of the manifest.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// SHA-256 of the artifact.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
    /// The artifact's length in bytes.
    pub size_bytes: u64,
    /// The key that signed the manifest.
    pub key_id: String,
    /// What the worker itself had checked before it recorded this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// The program that checked it, with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<String>,
}

/// Says why the attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupFailedPayload", transform = as_stored)]
pub struct BackupFailed {
    /// The attempt.
    pub attempt: u32,
    /// Why.
    pub error_code: ErrorCode,
    /// Whether another attempt follows.
    pub retryable: bool,
}

/// Says who called the job off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupCancelledPayload", transform = as_stored)]
pub struct BackupCancelled {
    /// The attempt; 0 when there was none yet.
    pub attempt: u32,
    /// The state that it was in.
    pub from: BackupState,
    /// The API key that asked for it; null when it was done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}

/// Says who took note of which failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BackupDismissedPayload", transform = as_stored)]
pub struct BackupDismissed {
    /// Why the job had failed.
    pub error_code: Option<ErrorCode>,
    /// The API key that asked for it; null when it was done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}
