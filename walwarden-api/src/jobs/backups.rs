//! Every change of a backup job: lock, transition, write and audit event in one transaction.

mod calling_off;
mod ending;
mod queueing;

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{BackupClaimed, BackupCompleted, BackupFinalizing, BackupRunning};
use walwarden_contract::model::AttemptOutcome;
use walwarden_contract::{BackupJobId, Timestamp};

pub use self::calling_off::{cancel, dismiss};
pub use self::ending::{HandedBack, RetryPolicy, fail, reap, release};
pub use self::queueing::{ScheduledRun, queue};
pub(super) use self::queueing::{queue_scheduled, record_skipped};
use super::state::{BackupEvent, backup as transition};
use crate::engine::backup::CHECKS;
use crate::store::backups::{
    AttemptEnd, BackupJob, PendingArtifact, StoredArtifact, keep_millis, lock, retention_of, save, save_expiry,
    take_next,
};
use crate::store::{Result, Store, StoreError, Tx, audit};
use crate::system::{System, after};

/// A job that a worker holds, and the number that proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub id: BackupJobId,
    /// The fence that the claim set.
    pub fence: i64,
}

async fn record(tx: &mut Tx, job: &BackupJob, at: Timestamp, payload: Payload) -> Result<()> {
    audit::append(tx, job.org_id, &job.id.to_string(), at, &payload).await
}

/// Takes the job that has waited longest, under a lease.
///
/// # Errors
/// When the store fails.
pub async fn claim(store: &Store, system: &System, worker: &str, lease_until: Timestamp) -> Result<Option<BackupJob>> {
    let now = system.now();
    if !store.has_queued_backup(now).await? {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    let Some(mut job) = take_next(&mut tx, now).await? else { return Ok(None) };
    job.state = transition(job.state, BackupEvent::Claim)?;
    job.attempt += 1;
    job.attempts.begin(job.attempt, worker, now);
    job.lease_owner = Some(worker.to_owned());
    job.lease_expires_at = Some(lease_until);
    save(&mut tx, &job).await?;
    let claimed = BackupClaimed { attempt: job.attempt, worker: worker.to_owned() };
    record(&mut tx, &job, now, Payload::BackupClaimed(claimed)).await?;
    tx.commit().await?;
    Ok(Some(job))
}

/// Locks the job and refuses a worker whose lease was given to another.
async fn lock_leased(tx: &mut Tx, lease: Lease) -> Result<BackupJob> {
    let job = lock(tx, lease.id).await?;
    if job.fence == lease.fence && job.lease_owner.is_some() { Ok(job) } else { Err(StoreError::LeaseLost) }
}

/// Where the attempt writes, and what it dumps with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started<'a> {
    /// The artifact's key.
    pub object_key: &'a str,
    /// The version of `pg_dump`.
    pub pg_dump_version: &'a str,
    /// The source server's version.
    pub postgres_version: &'a str,
    /// The compression.
    pub compression: &'a str,
}

/// Records that `pg_dump` is about to be started.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the store fails.
pub async fn start(store: &Store, system: &System, lease: Lease, started: Started<'_>) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    job.state = transition(job.state, BackupEvent::Start)?;
    job.started_at = Some(now);
    job.object_key = Some(started.object_key.to_owned());
    job.error = None;
    save(&mut tx, &job).await?;
    let running = BackupRunning {
        attempt: job.attempt,
        object_key: started.object_key.to_owned(),
        pg_dump_version: started.pg_dump_version.to_owned(),
        postgres_version: started.postgres_version.to_owned(),
        compression: started.compression.to_owned(),
    };
    record(&mut tx, &job, now, Payload::BackupRunning(running)).await?;
    tx.commit().await?;
    Ok(job)
}

/// Records the upload under way, so that it can be aborted should this worker die.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the store fails.
pub async fn record_upload(store: &Store, lease: Lease, upload_id: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    job.upload_id = Some(upload_id.to_owned());
    save(&mut tx, &job).await?;
    tx.commit().await
}

/// Records a dump that is whole and closed, before its upload is completed. Safe to repeat when the answer was lost.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the store fails.
pub async fn finalize(store: &Store, system: &System, lease: Lease, pending: PendingArtifact) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    if job.pending.as_ref() == Some(&pending) {
        return Ok(job);
    }
    job.state = transition(job.state, BackupEvent::Finalize)?;
    let finalizing = BackupFinalizing {
        attempt: job.attempt,
        size_bytes: Some(pending.size_bytes),
        checksum_sha256: Some(pending.checksum_sha256.clone()),
        parts: Some(pending.etags.len() as u64),
        resumed: None,
    };
    job.pending = Some(pending);
    save(&mut tx, &job).await?;
    record(&mut tx, &job, now, Payload::BackupFinalizing(finalizing)).await?;
    tx.commit().await?;
    Ok(job)
}

/// Takes up the sealing of a dump that an earlier worker had closed.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the store fails.
pub async fn resume(store: &Store, system: &System, lease: Lease) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    job.state = transition(job.state, BackupEvent::Resume)?;
    save(&mut tx, &job).await?;
    let resumed = BackupFinalizing { attempt: job.attempt, resumed: Some(true), ..BackupFinalizing::default() };
    record(&mut tx, &job, now, Payload::BackupFinalizing(resumed)).await?;
    tx.commit().await?;
    Ok(job)
}

/// Forgets a closed dump whose parts are gone, so that the attempt dumps afresh.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the store fails.
pub async fn forget_pending(store: &Store, lease: Lease) -> Result<()> {
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    job.pending = None;
    job.upload_id = None;
    save(&mut tx, &job).await?;
    tx.commit().await
}

/// A backup that was read back and matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What is shown of the artifact.
    pub artifact: StoredArtifact,
    /// The signed manifest as it stands in the bucket.
    pub manifest: String,
    /// Its hash.
    pub manifest_hash: String,
}

/// Completes the job.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the store fails.
pub async fn complete(store: &Store, system: &System, lease: Lease, sealed: Sealed) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    job.state = transition(job.state, BackupEvent::Complete)?;
    job.attempts.end(now, AttemptEnd::without_failure(AttemptOutcome::Completed));
    release_lease(&mut job);
    job.finished_at = Some(now);
    job.upload_id = None;
    job.pending = None;
    job.error = None;
    let completed = BackupCompleted {
        attempt: job.attempt,
        database_id: Some(job.database_id),
        manifest_hash: sealed.manifest_hash.clone(),
        checksum_sha256: sealed.artifact.checksum_sha256.clone(),
        size_bytes: sealed.artifact.size_bytes,
        key_id: sealed.artifact.key_id.clone(),
        checks: Some(CHECKS.map(str::to_owned).into()),
        verified_by: sealed.artifact.verified_by.clone(),
    };
    job.artifact = Some(sealed.artifact);
    job.manifest = Some(sealed.manifest);
    job.manifest_hash = Some(sealed.manifest_hash);
    save(&mut tx, &job).await?;
    let days = retention_of(&mut tx, job.org_id, job.database_id).await?;
    job.expiry.look_at = days.map(|days| after(now, keep_millis(days)));
    save_expiry(&mut tx, &job).await?;
    record(&mut tx, &job, now, Payload::BackupCompleted(completed)).await?;
    tx.commit().await?;
    Ok(job)
}

fn release_lease(job: &mut BackupJob) {
    job.lease_owner = None;
    job.lease_expires_at = None;
}
