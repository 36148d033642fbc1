//! How a backup is queued: because somebody asks, or because its schedule is due.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{BackupQueued, ScheduleRunSkipped};
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
    let api_key_id = reply.as_ref().and_then(|reply| reply.scope.api_key());
    // A replay must win over "in progress": the first request of this key may be what is in progress.
    if let Some(stored) = answer(tx, system, reply, &job).await? {
        return Ok(Submitted::Replayed(stored));
    }
    insert(tx, &job).await?;
    record(tx, &job, job.created_at, Payload::BackupQueued(BackupQueued { api_key_id, ..queued(&job) })).await?;
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
    payload: ScheduleRunSkipped,
}

/// Records the runs that were left out. Last in a transaction, and in one order: who changes a database takes its row first and
/// the organization's chain after it.
pub(in crate::jobs) async fn record_skipped(tx: &mut Tx, mut skipped: Vec<SkippedRun>) -> Result<()> {
    skipped.sort_by_key(|run| run.org_id);
    for SkippedRun { org_id, at, payload } in skipped {
        audit::append(tx, org_id, &org_id.to_string(), at, &Payload::ScheduleRunSkipped(payload)).await?;
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
            let payload = ScheduleRunSkipped {
                database_id: database.id,
                scheduled_for: run.due_at,
                backup_job_id: active_backup(tx, database.id).await?,
            };
            return Ok(Err(SkippedRun { org_id: database.org_id, at: job.created_at, payload }));
        }
        other => other?,
    }
    let payload = BackupQueued {
        scheduled_for: Some(run.due_at),
        missed_runs: Some(run.missed),
        not_before: Some(run.not_before),
        ..queued(&job)
    };
    record(tx, &job, job.created_at, Payload::BackupQueued(payload)).await?;
    Ok(Ok(job))
}

/// What is recorded of a job that is new.
fn queued(job: &BackupJob) -> BackupQueued {
    BackupQueued {
        trigger: Some(job.trigger),
        database_id: Some(job.database_id),
        destination_id: Some(job.destination_id),
        ..BackupQueued::default()
    }
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
