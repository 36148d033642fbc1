//! Audit streams: one hash chain for the organization, and one for each job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ProofStatus;
use crate::id::StreamId;
use crate::open::Open;
use crate::time::Timestamp;

/// One hash chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditStream {
    /// Whose chain it is.
    pub stream_id: StreamId,
    /// How many events it has.
    pub events: u64,
    /// The hash of the newest event.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub head: String,
}

/// A page of audit streams, by identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditStreamList {
    /// The page.
    pub streams: Vec<AuditStream>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}

/// A page of a stream's events, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEventList {
    /// The page.
    #[schemars(with = "Vec<crate::audit::AuditEvent>")]
    pub events: Vec<Value>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}

/// A stream, checked from its first event to its newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerification {
    /// Whose chain it is.
    pub stream_id: StreamId,
    /// Whether every event follows from the one before it, and the newest is the recorded head.
    pub result: Open<ProofStatus>,
    /// How many events were checked.
    pub events: u64,
    /// The hash of the newest event.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub head: String,
    /// When it was checked.
    pub verified_at: Timestamp,
    /// Where the chain breaks, when it does.
    pub failure: Option<String>,
}
