//! Backup jobs and their artifacts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorBody;
use crate::id::{BackupJobId, DatabaseId, DestinationId};
use crate::open::Open;
use crate::time::Timestamp;

/// Where a backup job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Waits for a worker.
    Queued,
    /// A worker holds it.
    Claimed,
    /// `pg_dump` runs.
    Running,
    /// The dump is whole; the object is being sealed and read back.
    Finalizing,
    /// Artifact and signed manifest were read back and match.
    Completed,
    /// The attempt failed and another follows.
    FailedRetryable,
    /// The job failed for good.
    FailedTerminal,
    /// The job was cancelled.
    Cancelled,
}

impl BackupState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Claimed,
        Self::Running,
        Self::Finalizing,
        Self::Completed,
        Self::FailedRetryable,
        Self::FailedTerminal,
        Self::Cancelled,
    ];

    /// The state as it stands in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Running => "running",
            Self::Finalizing => "finalizing",
            Self::Completed => "completed",
            Self::FailedRetryable => "failed_retryable",
            Self::FailedTerminal => "failed_terminal",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::FailedTerminal | Self::Cancelled)
    }
}

/// What asked for a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupTrigger {
    /// A caller of the API.
    #[default]
    Adhoc,
    /// The database's schedule.
    Scheduled,
}

impl BackupTrigger {
    /// The trigger as it stands in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adhoc => "adhoc",
            Self::Scheduled => "scheduled",
        }
    }
}

/// The body of `triggerBackup`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerBackupRequest {
    /// Always `adhoc`: schedules are the server's own.
    #[serde(default)]
    pub trigger: AdhocTrigger,
}

/// The only trigger that a caller can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdhocTrigger {
    /// On demand.
    #[default]
    Adhoc,
}

/// The answer of `triggerBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TriggeredBackup {
    /// The job to follow with `getBackup`.
    pub backup_job_id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// `queued`.
    pub state: Open<BackupState>,
}

/// A backup job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// Its identifier.
    pub id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// The destination.
    pub destination_id: DestinationId,
    /// What asked for it.
    pub trigger: Open<BackupTrigger>,
    /// The run of the schedule that it stands for; null for one on demand.
    pub scheduled_for: Option<Timestamp>,
    /// Where it stands.
    pub state: Open<BackupState>,
    /// The attempt that runs or ran last, from 1; 0 before the first.
    pub attempt: u32,
    /// After this many attempts the job fails for good.
    pub max_attempts: u32,
    /// What became of each attempt, oldest first; of more than 20, the newest.
    pub attempt_history: Vec<BackupAttempt>,
    /// Before when no worker takes it: runs of one minute are spread, and attempts wait for one another.
    pub not_before: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When `pg_dump` was last started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When somebody took note of its failure.
    pub dismissed_at: Option<Timestamp>,
    /// The artifact; null until the job is completed.
    pub artifact: Option<BackupArtifact>,
    /// Why the last attempt failed.
    pub error: Option<ErrorBody>,
    /// When its deletion from the bucket began, because its database keeps backups no longer: from then on it cannot be restored.
    pub expiring_at: Option<Timestamp>,
    /// When artifact and manifest were gone from the bucket. This record and its evidence stay.
    pub expired_at: Option<Timestamp>,
    /// Why the bucket last refused its deletion, which is tried again later.
    pub expiry_error: Option<ErrorBody>,
}

/// How an attempt at a backup ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The backup is completed.
    Completed,
    /// It failed, and nothing of it was kept.
    Failed,
    /// Its worker stopped answering.
    Lost,
    /// Its worker shut down and handed the job back; it does not count.
    HandedBack,
    /// The backup was called off.
    Cancelled,
}

/// One attempt at a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupAttempt {
    /// Its number, from 1. One that was handed back does not count: the next has the same number.
    pub attempt: u32,
    /// The worker that made it.
    pub worker: String,
    /// When the worker took the job.
    pub claimed_at: Timestamp,
    /// When it ended; null while it goes on.
    pub ended_at: Option<Timestamp>,
    /// How it ended; null while it goes on.
    pub outcome: Option<Open<AttemptOutcome>>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// Before when the next attempt does not begin; null when none follows.
    pub retry_at: Option<Timestamp>,
}

/// A completed backup's artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupArtifact {
    /// The object's key in the customer's bucket.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
    /// The compression inside of the archive.
    pub compression: String,
    /// The hash of the signed manifest: what a restore names.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
}

/// A page of backups, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupList {
    /// The page.
    pub backups: Vec<Backup>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}
