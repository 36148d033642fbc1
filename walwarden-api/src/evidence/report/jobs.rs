//! Backups and restores as their own chains tell of them. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use walwarden_contract::audit::{AuditEvent, EventKind};
use walwarden_contract::manifest::manifest_hash;
use walwarden_contract::{BackupJobId, DatabaseId, RestoreJobId, Timestamp};

use super::cited::{Cited, exact};
use super::history::text;
use super::schedule::{Fate, ScheduledJob};

/// A lock as it was read back after the upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockState {
    /// It holds the artifact at the time of the report.
    Locked,
    /// It has ended by the time of the report.
    Ended,
    /// There was none.
    NotLocked,
    /// The manifest on record is not the one that the event names, so that nothing can be said.
    Unknown,
}

/// A lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// What it came to.
    pub state: LockState,
    /// `none`, `governance` or `compliance`.
    pub mode: Option<String>,
    /// Until when.
    pub retain_until: Option<Timestamp>,
}

/// A completed backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletedBackup {
    /// The job.
    pub backup_job_id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// `scheduled`, `on_demand` or another trigger.
    pub trigger: String,
    /// The run of the schedule that it stands for.
    pub scheduled_for: Option<Timestamp>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// From the start of `pg_dump` to the end of reading back, in seconds.
    pub duration_seconds: u64,
    /// How many attempts it took.
    pub attempts: u64,
    /// The artifact's length.
    pub size_bytes: u64,
    /// The manifest's hash.
    pub manifest_hash: String,
    /// The key that signed the manifest.
    pub key_id: String,
    /// What was checked before it counted as completed, as the event says; empty where it does not say.
    pub checks: Vec<String>,
    /// By which version.
    pub verified_by: Option<String>,
    /// The lock.
    pub lock: Lock,
    /// The event of its completion.
    pub event: Cited,
}

/// A backup that was called for and did not come to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedBackup {
    /// The job.
    pub backup_job_id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// The run of the schedule that it stands for.
    pub scheduled_for: Option<Timestamp>,
    /// `failed` or `cancelled`.
    pub outcome: Fate,
    /// Why.
    pub error_code: Option<String>,
    /// The event of its end.
    pub event: Cited,
}

/// What the chain of a backup told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BackupTold {
    /// As coverage needs it; `None` when no schedule asked for it.
    pub scheduled: Option<ScheduledJob>,
    /// What became of it.
    pub fate: Fate,
    /// The event with which it was queued.
    pub queued: Cited,
    /// Once it was completed.
    pub completed: Option<CompletedBackup>,
    /// Once it failed for good or was called off.
    pub failed: Option<FailedBackup>,
}

#[derive(Deserialize)]
struct LockOfManifest {
    mode: String,
    #[serde(rename = "retainUntil")]
    retain_until: Option<Timestamp>,
}

/// The lock that the manifest tells of, if it is the manifest that the event names.
fn lock(manifest: Option<&str>, hash: &str, now: Timestamp) -> Lock {
    let document: Option<Value> = manifest.and_then(|text| serde_json::from_str(text).ok());
    let document = document.filter(|document| manifest_hash(document).ok().as_deref() == Some(hash));
    let told = document.and_then(|document| LockOfManifest::deserialize(document.get("retention")?).ok());
    match told {
        None => Lock { state: LockState::Unknown, mode: None, retain_until: None },
        Some(LockOfManifest { mode, retain_until }) => {
            let state = match retain_until {
                None => LockState::NotLocked,
                Some(until) if until > now => LockState::Locked,
                Some(_) => LockState::Ended,
            };
            Lock { state, mode: Some(mode), retain_until }
        }
    }
}

fn number(event: &AuditEvent, name: &str) -> u64 {
    exact(event.payload.get(name).and_then(Value::as_u64).unwrap_or_default())
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millis().saturating_sub(from.as_millis()) / 1000).unwrap_or_default()
}

/// Reads the chain of a backup: its first event, and those of starts and ends. `None` when it does not begin as one does.
#[must_use]
pub(super) fn backup(
    id: BackupJobId,
    events: &[AuditEvent],
    manifest: Option<&str>,
    now: Timestamp,
) -> Option<BackupTold> {
    let queued = events.first().filter(|event| event.kind == EventKind::BackupQueued && event.seq == 1)?;
    let database_id = text(queued, "databaseId")?.parse().ok()?;
    let trigger = text(queued, "trigger").unwrap_or_default().to_owned();
    let scheduled_for = text(queued, "scheduledFor").and_then(|at| at.parse().ok());
    let failures = events.iter().filter(|event| event.kind == EventKind::BackupFailed).count();
    let end = events.iter().rev().find(|event| match event.kind {
        EventKind::BackupCompleted | EventKind::BackupCancelled => true,
        EventKind::BackupFailed => event.payload.get("retryable") == Some(&Value::Bool(false)),
        _ => false,
    });
    let fate = match end.map(|event| event.kind) {
        Some(EventKind::BackupCompleted) => Fate::Completed,
        Some(EventKind::BackupCancelled) => Fate::Cancelled,
        Some(_) => Fate::Failed,
        None => Fate::InProgress,
    };
    let completed = end.filter(|_| fate == Fate::Completed).map(|event| {
        let hash = text(event, "manifestHash").unwrap_or_default();
        let started = events.iter().rev().find(|event| event.kind == EventKind::BackupRunning);
        let checks = event.payload.get("checks").and_then(Value::as_array);
        let checks = checks.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        CompletedBackup {
            backup_job_id: id,
            database_id,
            trigger: trigger.clone(),
            scheduled_for,
            queued_at: queued.at,
            completed_at: event.at,
            duration_seconds: seconds(started.map_or(queued.at, |started| started.at), event.at),
            attempts: number(event, "attempt"),
            size_bytes: number(event, "sizeBytes"),
            manifest_hash: hash.to_owned(),
            key_id: text(event, "keyId").unwrap_or_default().to_owned(),
            checks,
            verified_by: text(event, "verifiedBy").map(str::to_owned),
            lock: lock(manifest, hash, now),
            event: event.into(),
        }
    });
    let failed = end.filter(|_| fate != Fate::Completed).map(|event| FailedBackup {
        backup_job_id: id,
        database_id,
        scheduled_for,
        outcome: fate,
        error_code: text(event, "errorCode").map(str::to_owned),
        event: event.into(),
    });
    let scheduled = (trigger == "scheduled").then(|| ScheduledJob {
        id,
        run: scheduled_for,
        queued_at: queued.at,
        made_up: number(queued, "missedRuns"),
        fate,
        retried: failures > 0,
    });
    Some(BackupTold { scheduled, fate, queued: queued.into(), completed, failed })
}

/// A restore, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToldRestore {
    /// The job.
    pub restore_job_id: RestoreJobId,
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The database whose backup it is.
    pub database_id: DatabaseId,
    /// `new_database` or `in_place`.
    pub mode: String,
    /// When its session was opened.
    pub opened_at: Timestamp,
    /// When the restore machine began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// From the start to the end, in seconds.
    pub duration_seconds: Option<u64>,
    /// `completed`, `failed`, `cancelled`, `timed_out`, `never_started` or `in_progress`.
    pub outcome: &'static str,
    /// Whether it completed after hash and signature were verified: what makes its backup a drilled one.
    pub drill: bool,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The events: the opening, the verification, the end.
    pub events: Vec<Cited>,
}

/// Reads the chain of a restore. `None` when it does not begin as one does.
#[must_use]
pub(super) fn restore(id: RestoreJobId, database_id: DatabaseId, events: &[AuditEvent]) -> Option<ToldRestore> {
    let opened = events.first().filter(|event| event.kind == EventKind::RestoreTokenIssued && event.seq == 1)?;
    let first = |kind| events.iter().find(|event| event.kind == kind);
    let started = first(EventKind::RestoreTriggered);
    let verified = first(EventKind::RestoreManifestVerified);
    let ends = [
        EventKind::RestoreCompleted,
        EventKind::RestoreFailed,
        EventKind::RestoreCancelled,
        EventKind::RestoreTimedOut,
    ];
    let end = events.iter().find(|event| ends.contains(&event.kind));
    let outcome = match (end.map(|event| event.kind), started) {
        (Some(EventKind::RestoreCompleted), _) => "completed",
        (Some(EventKind::RestoreFailed), _) => "failed",
        (Some(EventKind::RestoreCancelled), _) => "cancelled",
        (Some(_), Some(_)) => "timed_out",
        (Some(_), None) => "never_started",
        (None, _) => "in_progress",
    };
    let drill =
        matches!((verified, end), (Some(verified), Some(end)) if outcome == "completed" && verified.seq < end.seq);
    Some(ToldRestore {
        restore_job_id: id,
        backup_job_id: text(opened, "backupJobId")?.parse().ok()?,
        database_id,
        mode: text(opened, "mode").unwrap_or_default().to_owned(),
        opened_at: opened.at,
        started_at: started.map(|event| event.at),
        ended_at: end.map(|event| event.at),
        duration_seconds: started.zip(end).map(|(started, end)| seconds(started.at, end.at)),
        outcome,
        drill,
        error_code: end.and_then(|event| text(event, "errorCode")).map(str::to_owned),
        events: [Some(opened), verified, end].into_iter().flatten().map(Cited::from).collect(),
    })
}
