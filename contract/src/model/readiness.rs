//! Whether the service can do its work now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckStatus;
use crate::open::Open;
use crate::time::Timestamp;

/// Whether the service can do its work now, as this organization sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// `failed` when any check failed, otherwise `passed`.
    pub result: Open<CheckStatus>,
    /// When this was looked at.
    pub checked_at: Timestamp,
    /// The version of the server.
    pub server_version: String,
    /// What was looked at.
    pub checks: Vec<ReadinessCheck>,
    /// The organization's backup jobs that have not ended.
    pub queue: QueueDepth,
    /// The organization's databases whose schedule is overdue.
    pub overdue_databases: u64,
}

/// A part of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The store answers.
    Store,
    /// This process takes requests and is not draining.
    Server,
    /// A worker has been seen lately.
    Worker,
    /// Schedules are being looked at.
    Scheduler,
    /// The organization's audit chains, and the log over them, held when they were last looked at.
    Audit,
    /// Audit events come into signed checkpoints, and those into the organization's buckets.
    Checkpoints,
}

/// How one part of the service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessCheck {
    /// The part.
    pub component: Open<Component>,
    /// How it is.
    pub status: Open<CheckStatus>,
    /// What was observed.
    pub evidence: String,
}

/// Backup jobs that have not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueDepth {
    /// Waiting for a worker.
    pub queued: u64,
    /// Held by a worker.
    pub running: u64,
    /// When the one that has waited longest was queued.
    pub oldest_queued_at: Option<Timestamp>,
}
