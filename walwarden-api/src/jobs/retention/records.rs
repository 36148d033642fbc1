//! Every change of a backup's way out of the bucket: lock, transition, write and audit event in one transaction.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{DeletedObject, RetentionDeleted, RetentionExpiring, RetentionRefused};
use walwarden_contract::{BackupJobId, Timestamp};

use super::Refusal;
use crate::jobs::state::{ExpiryEvent, ExpiryState, expiry as transition};
use crate::store::backups::{
    BackupJob, has_live_restore, is_kept_and_newer, keep_millis, lock, retention_of, save_expiry, take_due,
};
use crate::store::{Result, Store, StoreError, Tx, audit};
use crate::system::{System, after};

/// How long one look may take; another process takes it over after that.
const LEASE_MILLIS: i64 = 600_000;
const MINUTE_MILLIS: i64 = 60_000;
const HOUR_MILLIS: i64 = 3_600_000;
const DAY_MILLIS: i64 = 86_400_000;

/// Why a backup is not deleted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Its database keeps every backup, or is not there any more: it is not looked at again.
    ForEver,
    /// It is not old enough.
    Until(Timestamp),
    /// It is locked until then.
    Locked(Timestamp),
    /// No newer backup of its database is proven and there.
    LastVerified,
    /// A restore of it is open.
    Restoring,
}

/// What came of the wish to delete a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// Its deletion may begin.
    Yes(Box<BackupJob>),
    /// Not yet.
    Not(Waits),
}

/// An object that is gone.
pub type Deleted = DeletedObject;

/// The right to say what came of a look at a backup: until another process takes the next one, or the backup is to be looked at
/// at another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    id: BackupJobId,
    until: Option<Timestamp>,
}

impl Held {
    /// Of a backup as [`take`] answered it.
    #[must_use]
    pub const fn of(job: &BackupJob) -> Self {
        Self { id: job.id, until: job.expiry.look_at }
    }

    fn check(self, job: &BackupJob) -> Result<()> {
        if job.expiry.look_at == self.until { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

/// Takes a backup whose look is due, and keeps others from it for a while.
///
/// # Errors
/// When the store fails.
pub async fn take(store: &Store, system: &System) -> Result<Option<BackupJob>> {
    let now = system.now();
    if !store.has_due_expiry(now).await? {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    let job = take_due(&mut tx, now, after(now, LEASE_MILLIS)).await?;
    tx.commit().await?;
    Ok(job)
}

async fn record(tx: &mut Tx, job: &BackupJob, at: Timestamp, payload: Payload) -> Result<()> {
    audit::append(tx, job.org_id, &job.id.to_string(), at, &payload).await
}

/// Why a backup has to wait, whatever its bucket says.
async fn waits(tx: &mut Tx, job: &BackupJob, newer: Option<BackupJobId>, now: Timestamp) -> Result<Option<Waits>> {
    if job.expiry.state() == ExpiryState::Expired {
        return Ok(Some(Waits::ForEver));
    }
    let Some(days) = retention_of(tx, job.org_id, job.database_id).await? else { return Ok(Some(Waits::ForEver)) };
    let due = after(job.finished_at.unwrap_or(job.created_at), keep_millis(days));
    if due > now {
        return Ok(Some(Waits::Until(due)));
    }
    let newer = match newer {
        Some(id) => is_kept_and_newer(tx, id, job).await?,
        None => false,
    };
    if !newer {
        return Ok(Some(Waits::LastVerified));
    }
    Ok(has_live_restore(tx, job.id).await?.then_some(Waits::Restoring))
}

/// Marks a backup as being deleted, before anything is, unless it has to be kept. `newer` is the backup that was found to be
/// proven and there.
///
/// # Errors
/// [`StoreError::LeaseLost`] when the look is somebody else's by now, or when the store fails.
pub async fn mark(store: &Store, system: &System, held: Held, newer: Option<BackupJobId>) -> Result<Marked> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock(&mut tx, held.id).await?;
    held.check(&job)?;
    if job.expiry.state() == ExpiryState::Expiring {
        return Ok(Marked::Yes(Box::new(job)));
    }
    if let Some(waits) = waits(&mut tx, &job, newer, now).await? {
        return Ok(Marked::Not(waits));
    }
    transition(job.expiry.state(), ExpiryEvent::Mark)?;
    job.expiry.expiring_at = Some(now);
    save_expiry(&mut tx, &job).await?;
    let expiring = RetentionExpiring {
        retention_days: retention_of(&mut tx, job.org_id, job.database_id).await?,
        completed_at: job.finished_at,
        newer_backup_job_id: newer,
        artifact_key: job.object_key.clone(),
        manifest_hash: job.manifest_hash.clone(),
    };
    record(&mut tx, &job, now, Payload::RetentionExpiring(expiring)).await?;
    tx.commit().await?;
    Ok(Marked::Yes(Box::new(job)))
}

/// Says when a backup that has to wait is looked at again.
///
/// # Errors
/// [`StoreError::LeaseLost`] when the look is somebody else's by now, or when the store fails.
pub async fn postpone(store: &Store, system: &System, held: Held, waits: Waits) -> Result<()> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock(&mut tx, held.id).await?;
    held.check(&job)?;
    job.expiry.look_at = match waits {
        Waits::ForEver => None,
        Waits::Until(due) => Some(due),
        Waits::Locked(until) => Some(after(until, MINUTE_MILLIS)),
        Waits::LastVerified => Some(after(now, DAY_MILLIS)),
        Waits::Restoring => Some(after(now, HOUR_MILLIS)),
    };
    (job.expiry.attempts, job.expiry.error) = (0, None);
    save_expiry(&mut tx, &job).await?;
    tx.commit().await
}

/// How long to wait after so many refusals in a row: what may pass is tried again sooner.
fn delay_after(attempts: u32, retryable: bool) -> i64 {
    let (first, longest) = if retryable { (5 * MINUTE_MILLIS, DAY_MILLIS) } else { (HOUR_MILLIS, 7 * DAY_MILLIS) };
    first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(longest)
}

/// Records that the bucket refused, and when it is asked again. A backup of which nothing was deleted is kept meanwhile.
///
/// # Errors
/// [`StoreError::LeaseLost`] when the look is somebody else's by now, or when the store fails.
pub async fn refuse(
    store: &Store,
    system: &System,
    held: Held,
    refusal: &Refusal,
    untouched: bool,
) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock(&mut tx, held.id).await?;
    held.check(&job)?;
    if untouched && job.expiry.state() == ExpiryState::Expiring {
        transition(job.expiry.state(), ExpiryEvent::Refuse)?;
        job.expiry.expiring_at = None;
    }
    // A refusal like the one before says nothing new: a bucket that always refuses fills no chain.
    let new = job.expiry.error.as_ref().is_none_or(|(code, _)| *code != refusal.code);
    job.expiry.attempts = job.expiry.attempts.saturating_add(1);
    let again_at = after(now, delay_after(job.expiry.attempts, refusal.code.retryable()));
    job.expiry.look_at = Some(again_at);
    job.expiry.error = Some((refusal.code, refusal.message.clone()));
    save_expiry(&mut tx, &job).await?;
    if new || untouched {
        let refused = RetentionRefused { error_code: refusal.code, kept: job.is_kept(), next_attempt_at: again_at };
        record(&mut tx, &job, now, Payload::RetentionRefused(refused)).await?;
    }
    tx.commit().await?;
    Ok(job)
}

/// Records that artifact and manifest are gone. One that another process recorded is answered as it is.
///
/// # Errors
/// [`StoreError::LeaseLost`] when the look is somebody else's by now, or when the store fails.
pub async fn finish(store: &Store, system: &System, held: Held, objects: &[Deleted]) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock(&mut tx, held.id).await?;
    if job.expiry.state() == ExpiryState::Expired {
        return Ok(job);
    }
    held.check(&job)?;
    transition(job.expiry.state(), ExpiryEvent::Finish)?;
    job.expiry.expired_at = Some(now);
    (job.expiry.look_at, job.expiry.attempts, job.expiry.error) = (None, 0, None);
    save_expiry(&mut tx, &job).await?;
    let deleted = RetentionDeleted {
        objects: objects.to_vec(),
        checksum_sha256: job.artifact.as_ref().map(|artifact| artifact.checksum_sha256.clone()),
        manifest_hash: job.manifest_hash.clone(),
    };
    record(&mut tx, &job, now, Payload::RetentionDeleted(deleted)).await?;
    tx.commit().await?;
    Ok(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_refuses_is_asked_more_and_more_rarely() {
        let delays = |retryable| (1..=12).map(move |attempts| delay_after(attempts, retryable) / MINUTE_MILLIS);
        assert!(delays(true).take(3).eq([5, 10, 20]) && delays(true).next_back() == Some(1440));
        assert!(delays(false).take(3).eq([60, 120, 240]) && delays(false).next_back() == Some(7 * 1440));
    }
}
