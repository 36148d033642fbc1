//! The organization's log: its signed checkpoints, and proofs that anybody can check.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{DestinationId, StreamId};
use crate::time::Timestamp;

/// The number of an event in its chain, from 1, as it stands in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct EventNumber(#[schemars(range(min = 1))] pub u64);

/// The signed size and root of the organization's log at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditCheckpoint {
    /// How many leaves the log had: one for each audit event.
    pub size: u64,
    /// The root of the RFC 6962 tree over them.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub root_hash: String,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The signed note, as it stands in buckets: C2SP `tlog-checkpoint`.
    pub note: String,
    /// The keys that signed it.
    pub key_ids: Vec<String>,
    /// Which buckets are to hold it.
    pub copies: Vec<CheckpointCopy>,
}

/// A checkpoint in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointCopy {
    /// Where it is to stand.
    pub destination_id: DestinationId,
    /// Under which key.
    pub key: String,
    /// When it was found there, byte for byte and locked as the destination asks; null while it was not.
    pub written_at: Option<Timestamp>,
}

/// A page of checkpoints, newest first. A log that does not grow is signed again each day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditCheckpointList {
    /// The page.
    pub checkpoints: Vec<AuditCheckpoint>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}

/// In which checkpoint an event is to be proven.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InclusionQuery {
    /// The size of the checkpoint; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
}

/// What proves that an event stands in the log, as RFC 6962 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    /// Whose chain the event is in.
    pub stream_id: StreamId,
    /// Its number in the chain.
    #[schemars(range(min = 1))]
    pub seq: u64,
    /// The number of its leaf, from 0.
    pub leaf: u64,
    /// The size of the checkpoint.
    pub size: u64,
    /// The checkpoint's root.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub root_hash: String,
    /// The hashes beside the way from the leaf to the root.
    pub path: Vec<String>,
}

/// Between which checkpoints nothing is to have been changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsistencyQuery {
    /// The size of the earlier checkpoint.
    pub from: u64,
    /// The size of the later one.
    pub to: u64,
}

/// What proves that the log of one checkpoint goes on from that of an earlier one, as RFC 6962 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    /// The size of the earlier checkpoint.
    pub from: u64,
    /// The size of the later one.
    pub to: u64,
    /// The root of the earlier one.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub from_root_hash: String,
    /// The root of the later one.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub to_root_hash: String,
    /// The proof.
    pub path: Vec<String>,
}
