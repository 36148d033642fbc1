//! Every change of a backup job: lock, transition, write and audit event in one transaction.

mod calling_off;
mod ending;
mod queueing;

use serde_json::{Value, json};
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::AttemptOutcome;
use walwarden_contract::{BackupJobId, Timestamp};

pub use self::calling_off::{cancel, dismiss};
pub use self::ending::{HandedBack, RetryPolicy, fail, reap, release};
pub use self::queueing::{ScheduledRun, queue};
pub(super) use self::queueing::{queue_scheduled, record_skipped};
use super::state::{BackupEvent, backup as transition};
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

async fn record(tx: &mut Tx, job: &BackupJob, at: Timestamp, kind: EventKind, payload: &Value) -> Result<()> {
    audit::append(tx, job.org_id, &job.id.to_string(), at, kind, payload).await
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
    let payload = json!({ "attempt": job.attempt, "worker": worker });
    record(&mut tx, &job, now, EventKind::BackupClaimed, &payload).await?;
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
    let payload = json!({
        "attempt": job.attempt,
        "objectKey": started.object_key,
        "pgDumpVersion": started.pg_dump_version,
        "postgresVersion": started.postgres_version,
        "compression": started.compression,
    });
    record(&mut tx, &job, now, EventKind::BackupRunning, &payload).await?;
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
    let payload = json!({
        "attempt": job.attempt,
        "sizeBytes": pending.size_bytes,
        "checksumSha256": pending.checksum_sha256,
        "parts": pending.etags.len(),
    });
    job.pending = Some(pending);
    save(&mut tx, &job).await?;
    record(&mut tx, &job, now, EventKind::BackupFinalizing, &payload).await?;
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
    let payload = json!({ "attempt": job.attempt, "resumed": true });
    record(&mut tx, &job, now, EventKind::BackupFinalizing, &payload).await?;
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
    let payload = json!({
        "attempt": job.attempt,
        "manifestHash": sealed.manifest_hash,
        "checksumSha256": sealed.artifact.checksum_sha256,
        "sizeBytes": sealed.artifact.size_bytes,
        "keyId": sealed.artifact.key_id,
    });
    job.artifact = Some(sealed.artifact);
    job.manifest = Some(sealed.manifest);
    job.manifest_hash = Some(sealed.manifest_hash);
    save(&mut tx, &job).await?;
    let days = retention_of(&mut tx, job.org_id, job.database_id).await?;
    job.expiry.look_at = days.map(|days| after(now, keep_millis(days)));
    save_expiry(&mut tx, &job).await?;
    record(&mut tx, &job, now, EventKind::BackupCompleted, &payload).await?;
    tx.commit().await?;
    Ok(job)
}

fn release_lease(job: &mut BackupJob) {
    job.lease_owner = None;
    job.lease_expires_at = None;
}
