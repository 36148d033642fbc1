//! Evidence of one backup: the signed manifest, what was verified, and the audit chain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{BackupJobId, DatabaseId};
use crate::time::Timestamp;

/// What there is to show for one completed backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// The hash of the manifest.
    pub manifest_hash: String,
    /// The signed manifest, byte for byte what the bucket holds.
    #[schemars(with = "crate::manifest::Manifest")]
    pub manifest: Value,
    /// The key that signed it.
    pub key_id: String,
    /// What was checked before the backup was called completed.
    pub integrity_verification: IntegrityVerification,
    /// The age of the data in this backup, in minutes, rounded up.
    pub rpo_minutes: u64,
    /// The job's audit chain, oldest event first.
    #[schemars(with = "Vec<crate::audit::AuditEvent>")]
    pub audit_events: Vec<Value>,
}

/// A check of an artifact against its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntegrityVerification {
    /// How it ended.
    pub result: IntegrityResult,
    /// What was checked.
    pub checks: Vec<String>,
    /// When.
    pub verified_at: Timestamp,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegrityResult {
    /// Everything matched.
    Passed,
}
