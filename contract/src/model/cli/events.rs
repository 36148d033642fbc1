//! What `--events jsonl` writes: one line for each event, each with its `type`; the first says how to read the others, and
//! exactly one, the last, is the result.

use super::{BackupJobId, Deserialize, JsonSchema, RestoreJobId, RestoreReportPayload, Serialize, Timestamp};
use crate::envelope::Envelope;
use crate::model::{BackupState, RestoreState};
use crate::open::Open;

/// A line of `--events jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventLine {
    /// The first line.
    Version(EventsVersion),
    /// A state was reached.
    State(StateEvent),
    /// Bytes have moved.
    Progress(ProgressEvent),
    /// The last line: what the command would have written with `--json` alone.
    Result(Box<Envelope>),
}

/// How the lines that follow are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsVersion {
    /// The version of the lines' shape.
    pub schema_version: u32,
    /// The command, as in the result.
    pub kind: String,
    /// The version of the command line.
    pub version: String,
}

/// A state of whatever the command follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StateEvent {
    /// Of a backup.
    Backup(BackupStateEvent),
    /// Of a restore.
    Restore(RestoreStateEvent),
}

/// `backup trigger`: a state of the job, when it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStateEvent {
    /// When it was seen.
    pub at: Timestamp,
    /// The state.
    pub state: Open<BackupState>,
    /// The job.
    pub backup_job_id: BackupJobId,
    /// The attempt that runs or ran last, from 1; 0 before the first.
    pub attempt: u32,
}

/// `restore execute`: a state that the server has taken note of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreStateEvent {
    /// When.
    pub at: Timestamp,
    /// The state.
    pub state: Open<RestoreState>,
    /// The job.
    pub restore_job_id: RestoreJobId,
    /// What there is to say about it.
    #[serde(flatten)]
    pub payload: RestoreReportPayload,
}

/// How far a download is. There is at most one such line for every 5 % of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressEvent {
    /// When.
    pub at: Timestamp,
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Bytes in all.
    pub total: u64,
}
