//! What the command line writes with `--json` where the API's answer alone is not it: one type for each shape of an
//! envelope's `data`, and the lines of the token's own command.

mod environment;
mod events;
mod local;
mod plan;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Backup, Restore, RestoreMode, RestoreReportPayload, RestoreState, Tool, TriggeredBackup};
use crate::capabilities::{HumanGate, Risk, Status};
use crate::error::{ErrorBody, ErrorCode, Fixer};
use crate::id::{BackupJobId, DatabaseId, RestoreJobId};
use crate::open::Open;
use crate::scope::Scope;
use crate::time::Timestamp;

pub use self::environment::*;
pub use self::events::*;
pub use self::local::*;
pub use self::plan::*;

/// `--help` and `--version` of any command: the envelope's `kind` is `help`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelpData {
    /// The text, for a person.
    pub text: String,
    /// The version of the command line.
    pub version: String,
}

/// `backup trigger`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupTriggerData {
    /// The job that was queued.
    pub triggered: TriggeredBackup,
    /// With `--wait`: the job as it ended, which is `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Backup>,
}

/// `restore execute` without `--dry-run`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreExecuteData {
    /// The job as the server has it; null when it could not be read after the restore was completed.
    pub restore: Option<Restore>,
    /// What was done on this machine.
    pub outcome: RestoreOutcome,
}

/// A restore that is done and reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOutcome {
    /// The restore job.
    pub restore_job_id: RestoreJobId,
    /// The restored database's name on the target.
    pub database: String,
    /// How the target was treated.
    pub mode: RestoreMode,
    /// The artifact's length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the artifact as downloaded, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
    /// What deserves attention.
    pub warnings: Vec<String>,
    /// Errors of `pg_restore` that are known to be harmless.
    pub ignored_errors: u32,
    /// Parallel jobs of `pg_restore`.
    pub jobs: usize,
    /// How long the steps took.
    pub timings: StepTimings,
}

/// How long the steps of a restore took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepTimings {
    /// Tools and target checked.
    pub preflight_ms: u64,
    /// Token used, job claimed, manifest verified.
    pub claim_ms: u64,
    /// Artifact downloaded and hashed.
    pub download_ms: u64,
    /// Artifact compared with the manifest, offsets patched.
    pub verify_ms: u64,
    /// `pg_restore`, and `CREATE DATABASE` where it is separate.
    pub restore_ms: u64,
    /// `ANALYZE`.
    pub analyze_ms: u64,
}

/// One line of `walwarden restore --manifest`. Exactly one line is the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreLine {
    /// What was reached.
    pub state: RestoreLineState,
    /// When.
    pub at: Timestamp,
    /// What there is to say about it.
    pub payload: RestoreLinePayload,
}

/// What a line of the token's command tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestoreLineState {
    /// The artifact is on its way.
    Downloading,
    /// The artifact is whole and being verified.
    Verifying,
    /// Artifact hash, manifest hash and signature match.
    ManifestVerified,
    /// `pg_restore` runs.
    Restoring,
    /// `pg_restore` ended well; cleaning up.
    Finalizing,
    /// The end: done.
    Completed,
    /// The end: failed in a way that another session may overcome.
    FailedRetryable,
    /// The end: failed for good.
    FailedTerminal,
    /// The end: interrupted.
    Cancelled,
    /// The end: the token was not used.
    Rejected,
}

impl RestoreLineState {
    /// The line for a job's state on its way. The stream begins with the download, and its end is told by the command.
    #[must_use]
    pub const fn on_the_way(state: RestoreState) -> Option<Self> {
        match state {
            RestoreState::Downloading => Some(Self::Downloading),
            RestoreState::Verifying => Some(Self::Verifying),
            RestoreState::ManifestVerified => Some(Self::ManifestVerified),
            RestoreState::Restoring => Some(Self::Restoring),
            RestoreState::Finalizing => Some(Self::Finalizing),
            _ => None,
        }
    }
}

/// What a line has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RestoreLinePayload {
    /// Of a restore that is done.
    Completed(RestoreCompleted),
    /// Of a restore that ended badly.
    Failed(RestoreFailed),
    /// Of a restore that goes on.
    Reported(RestoreReportPayload),
}

/// A restore that is done, in the token's command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreCompleted {
    /// The restore job.
    pub restore_job_id: RestoreJobId,
    /// The restored database's name on the target.
    pub database: String,
    /// The artifact's length in bytes.
    pub bytes_restored: u64,
    /// SHA-256 of the artifact as downloaded, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
    /// Errors of `pg_restore` that are known to be harmless.
    pub ignored_errors: u32,
    /// Parallel jobs of `pg_restore`.
    pub jobs: usize,
    /// How long the steps took.
    pub timings: StepTimings,
    /// What deserves attention.
    pub warnings: Vec<String>,
}

/// A restore that ended badly, in the token's command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreFailed {
    /// Why.
    pub error: ErrorBody,
    /// What deserves attention.
    pub warnings: Vec<String>,
}
