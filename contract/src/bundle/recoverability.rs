//! What evidence amounts to: a backup that was completed, one that was verified, or one that was restored. Computed from the
//! events themselves, by whoever asks; nobody's word is taken for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::{AuditEvent, EventKind};
use crate::time::Timestamp;

/// How far a backup is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecoverabilityState {
    /// The chain says that a backup with this manifest was completed. What was checked, it does not say.
    Completed,
    /// And it says that artifact and manifest were read back from the bucket and matched. No restore was tried.
    Verified,
    /// And a restore of it was completed, after artifact, manifest and signature had been checked on the restore machine.
    Drilled,
}

/// What evidence amounts to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recoverability {
    /// How far the backup is proven.
    pub state: RecoverabilityState,
    /// When artifact and manifest had been read back.
    pub read_back_at: Timestamp,
    /// What checked them: a program and its version; null in older records.
    pub verified_by: Option<String>,
    /// What was checked; empty in older records.
    pub checks: Vec<String>,
    /// The newest completed restore.
    pub drill: Option<Drill>,
}

/// A completed restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drill {
    /// The restore job.
    pub restore_job_id: String,
    /// When artifact, manifest and signature had been checked on the restore machine.
    pub manifest_verified_at: Timestamp,
    /// When it was completed.
    pub completed_at: Timestamp,
}

/// The event that says that the backup with this manifest was completed.
pub(super) fn completion<'a>(events: &'a [AuditEvent], manifest_hash: &str) -> Option<&'a AuditEvent> {
    let proves = |event: &&AuditEvent| {
        event.kind == EventKind::BackupCompleted && event.payload["manifestHash"].as_str() == Some(manifest_hash)
    };
    events.iter().find(proves)
}

/// What the chain of a backup and the chains of restores amount to; `None` when the backup was not completed with this manifest.
#[must_use]
pub fn recoverability(
    events: &[AuditEvent],
    manifest_hash: &str,
    restores: &[Vec<AuditEvent>],
) -> Option<Recoverability> {
    let completed = completion(events, manifest_hash)?;
    let checks: Vec<String> = texts(&completed.payload["checks"]);
    let verified = !checks.is_empty();
    let drill = restores.iter().filter_map(|chain| drill(chain, &completed.job_id, manifest_hash));
    let drill = drill.max_by(|one, other| one.completed_at.cmp(&other.completed_at));
    let state = match (verified, &drill) {
        (false, _) => RecoverabilityState::Completed,
        (true, None) => RecoverabilityState::Verified,
        (true, Some(_)) => RecoverabilityState::Drilled,
    };
    Some(Recoverability {
        state,
        read_back_at: completed.at,
        verified_by: completed.payload["verifiedBy"].as_str().map(str::to_owned),
        checks,
        drill,
    })
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether this is the chain of a restore of that backup.
pub(super) fn is_restore_of(chain: &[AuditEvent], backup_job_id: &str, manifest_hash: &str) -> bool {
    chain.first().is_some_and(|event| {
        event.kind == EventKind::RestoreTokenIssued
            && event.payload["backupJobId"].as_str() == Some(backup_job_id)
            && event.payload["manifestHash"].as_str() == Some(manifest_hash)
    })
}

fn drill(chain: &[AuditEvent], backup_job_id: &str, manifest_hash: &str) -> Option<Drill> {
    if !is_restore_of(chain, backup_job_id, manifest_hash) {
        return None;
    }
    let verified = chain.iter().position(|event| event.kind == EventKind::RestoreManifestVerified)?;
    let completed = chain[verified..].iter().find(|event| event.kind == EventKind::RestoreCompleted)?;
    Some(Drill {
        restore_job_id: completed.job_id.clone(),
        manifest_verified_at: chain[verified].at,
        completed_at: completed.at,
    })
}
