//! How a backup is queued: because somebody asks, or because its schedule is due.

use serde_json::{Value, json};
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::{BackupState, BackupTrigger};
use walwarden_contract::{BackupJobId, OrgId, Timestamp};

use super::record;
use crate::jobs::{Reply, Submitted, answer};
use crate::store::backups::{Attempts, BackupJob, Expiry, active_backup, insert};
use crate::store::databases::Database;
use crate::store::{Result, Store, StoreError, Tx, audit};
use crate::system::System;

/// Queues a backup.
///
/// # Errors
/// [`StoreError::Duplicate`] while another backup of the database is active, or when the store fails.
pub async fn queue(
    store: &Store,
    system: &System,
    database: &Database,
    trigger: BackupTrigger,
    max_attempts: u32,
    reply: Option<Reply<'_, BackupJob>>,
) -> Result<Submitted<BackupJob>> {
    let mut tx = store.begin().await?;
    let outcome = queue_in(&mut tx, system, database, trigger, max_attempts, reply).await?;
    tx.commit().await?;
    Ok(outcome)
}

async fn queue_in(
    tx: &mut Tx,
    system: &System,
    database: &Database,
    trigger: BackupTrigger,
    max_attempts: u32,
    reply: Option<Reply<'_, BackupJob>>,
) -> Result<Submitted<BackupJob>> {
    let job = new_job(system, database, trigger, max_attempts);
    // A replay must win over "in progress": the first request of this key may be what is in progress.
    if let Some(stored) = answer(tx, system, reply, &job).await? {
        return Ok(Submitted::Replayed(stored));
    }
    insert(tx, &job).await?;
    let payload = json!({ "trigger": trigger, "databaseId": job.database_id, "destinationId": job.destination_id });
    record(tx, &job, job.created_at, EventKind::BackupQueued, &payload).await?;
    Ok(Submitted::New(job))
}

/// A run of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledRun {
    /// When it was due.
    pub due_at: Timestamp,
    /// How many later ones were due by now, and are made up for by this one; counted up to 1,000.
    pub missed: u32,
    /// Before when no worker takes it, so that runs of one minute do not all begin in its first second.
    pub not_before: Timestamp,
}

/// A run that was left out because another backup of the database is under way.
pub(in crate::jobs) struct SkippedRun {
    org_id: OrgId,
    at: Timestamp,
    payload: Value,
}

/// Records the runs that were left out. Last in a transaction, and in one order: who changes a database takes its row first and
/// the organization's chain after it.
pub(in crate::jobs) async fn record_skipped(tx: &mut Tx, mut skipped: Vec<SkippedRun>) -> Result<()> {
    skipped.sort_by_key(|run| run.org_id);
    for SkippedRun { org_id, at, payload } in skipped {
        audit::append(tx, org_id, &org_id.to_string(), at, EventKind::ScheduleRunSkipped, &payload).await?;
    }
    Ok(())
}

/// Queues a scheduled backup. While another backup of the database is under way, answers what is to be recorded instead.
pub(in crate::jobs) async fn queue_scheduled(
    tx: &mut Tx,
    system: &System,
    database: &Database,
    run: ScheduledRun,
    max_attempts: u32,
) -> Result<std::result::Result<BackupJob, SkippedRun>> {
    let mut job = new_job(system, database, BackupTrigger::Scheduled, max_attempts);
    job.scheduled_for = Some(run.due_at);
    job.not_before = run.not_before;
    match insert(tx, &job).await {
        Err(StoreError::Duplicate(_)) => {
            let payload = json!({
                "databaseId": database.id,
                "scheduledFor": run.due_at,
                "backupJobId": active_backup(tx, database.id).await?,
            });
            return Ok(Err(SkippedRun { org_id: database.org_id, at: job.created_at, payload }));
        }
        other => other?,
    }
    let payload = json!({
        "trigger": job.trigger,
        "databaseId": job.database_id,
        "destinationId": job.destination_id,
        "scheduledFor": run.due_at,
        "missedRuns": run.missed,
        "notBefore": run.not_before,
    });
    record(tx, &job, job.created_at, EventKind::BackupQueued, &payload).await?;
    Ok(Ok(job))
}

fn new_job(system: &System, database: &Database, trigger: BackupTrigger, max_attempts: u32) -> BackupJob {
    let now = system.now();
    BackupJob {
        id: BackupJobId::from_uuid(system.uuid()),
        org_id: database.org_id,
        database_id: database.id,
        destination_id: database.destination_id,
        trigger,
        scheduled_for: None,
        state: BackupState::Queued,
        attempt: 0,
        max_attempts,
        not_before: now,
        lease_owner: None,
        lease_expires_at: None,
        fence: 0,
        object_key: None,
        upload_id: None,
        pending: None,
        artifact: None,
        manifest: None,
        manifest_hash: None,
        error: None,
        attempts: Attempts::default(),
        created_at: now,
        started_at: None,
        finished_at: None,
        dismissed_at: None,
        expiry: Expiry::default(),
    }
}
