//! How an attempt ends that did not complete: failed, handed back, or taken from a dead worker.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{BackupFailed, BackupQueued, HandedBackReason};
use walwarden_contract::model::{AttemptOutcome, BackupState};
use walwarden_contract::{ErrorCode, Timestamp};

use super::{Lease, lock_leased, record, release_lease};
use crate::jobs::state::{BackupEvent, backup as transition};
use crate::store::backups::{AttemptEnd, BackupJob, save, take_expired};
use crate::store::{Result, Store, Tx};
use crate::system::{System, after};

/// How failed attempts are followed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long the second attempt waits, in milliseconds; each further one waits twice as long. Up to a quarter is added
    /// at random, so that what failed together does not come back together.
    pub delay_millis: i64,
}

impl RetryPolicy {
    /// The longest wait between two attempts, before anything is added at random: one hour.
    const MAX_DELAY_MILLIS: i64 = 3_600_000;
    /// The longest wait of all.
    pub(in crate::jobs) const LONGEST_DELAY_MILLIS: i64 = Self::MAX_DELAY_MILLIS / 4 * 5;

    fn delay_after(self, attempt: u32, system: &System) -> i64 {
        let doublings = attempt.saturating_sub(1).min(20);
        let delay = self.delay_millis.saturating_mul(1 << doublings).min(Self::MAX_DELAY_MILLIS);
        let spread = u64::from_be_bytes(system.random()) % (delay.unsigned_abs() / 4 + 1);
        delay.saturating_add_unsigned(spread)
    }
}

/// Records a failed attempt, and queues the next one if attempts are left and the failure may pass.
///
/// # Errors
/// [`crate::store::StoreError::LeaseLost`], or when the store fails.
pub async fn fail(
    store: &Store,
    system: &System,
    lease: Lease,
    retry: RetryPolicy,
    code: ErrorCode,
    message: &str,
) -> Result<BackupJob> {
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    fail_in(&mut tx, system, &mut job, retry, (code, message), AttemptOutcome::Failed).await?;
    tx.commit().await?;
    Ok(job)
}

async fn fail_in(
    tx: &mut Tx,
    system: &System,
    job: &mut BackupJob,
    retry: RetryPolicy,
    (code, message): (ErrorCode, &str),
    outcome: AttemptOutcome,
) -> Result<()> {
    let now = system.now();
    let retried = code.retryable() && job.attempt < job.max_attempts;
    let event = if retried { BackupEvent::FailRetryable } else { BackupEvent::FailTerminal };
    job.state = transition(job.state, event)?;
    job.error = Some((code, message.to_owned()));
    release_lease(job);
    let failed = BackupFailed { attempt: job.attempt, error_code: code, retryable: retried };
    record(tx, job, now, Payload::BackupFailed(failed)).await?;
    let retry_at = retried.then(|| after(now, retry.delay_after(job.attempt, system)));
    job.attempts.end(now, AttemptEnd { outcome, failure: Some((code, message)), retry_at });
    if let Some(retry_at) = retry_at {
        job.state = transition(job.state, BackupEvent::Requeue)?;
        job.not_before = retry_at;
        record(tx, job, now, Payload::BackupQueued(queued_again(job, None))).await?;
    } else {
        job.finished_at = Some(now);
    }
    save(tx, job).await
}

/// What is recorded of a job whose next attempt waits.
fn queued_again(job: &BackupJob, reason: Option<HandedBackReason>) -> BackupQueued {
    BackupQueued { attempt: Some(job.attempt + 1), reason, not_before: Some(job.not_before), ..BackupQueued::default() }
}

/// Why a worker hands a job back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandedBack {
    /// It shuts down.
    WorkerShutdown,
    /// The destination was changed, and is looked at before anything is written to it: not before this time.
    DestinationUnverified(Timestamp),
}

impl HandedBack {
    const fn reason(self) -> HandedBackReason {
        match self {
            Self::WorkerShutdown => HandedBackReason::WorkerShutdown,
            Self::DestinationUnverified(_) => HandedBackReason::DestinationUnverified,
        }
    }
}

/// Hands a job back unharmed. The attempt does not count.
///
/// # Errors
/// [`crate::store::StoreError::LeaseLost`], or when the store fails.
pub async fn release(store: &Store, system: &System, lease: Lease, because: HandedBack) -> Result<BackupJob> {
    let now = system.now();
    let not_before = match because {
        HandedBack::WorkerShutdown => now,
        HandedBack::DestinationUnverified(until) => until.max(now),
    };
    let mut tx = store.begin().await?;
    let mut job = lock_leased(&mut tx, lease).await?;
    job.state = transition(job.state, BackupEvent::Release)?;
    job.attempts.end(now, AttemptEnd::without_failure(AttemptOutcome::HandedBack));
    job.attempt = job.attempt.saturating_sub(1);
    job.not_before = not_before;
    release_lease(&mut job);
    save(&mut tx, &job).await?;
    record(&mut tx, &job, now, Payload::BackupQueued(queued_again(&job, Some(because.reason())))).await?;
    tx.commit().await?;
    Ok(job)
}

/// Takes one job from a worker that stopped answering. Its upload is left for the next attempt to clear away. A job that was
/// called off stays so, and is answered for its upload to be cleared away should its worker not have done so.
///
/// # Errors
/// When the store fails.
pub async fn reap(store: &Store, system: &System, retry: RetryPolicy) -> Result<Option<BackupJob>> {
    let now = system.now();
    if !store.has_expired_lease(now).await? {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    let Some(mut job) = take_expired(&mut tx, now).await? else { return Ok(None) };
    if job.state == BackupState::Cancelled {
        release_lease(&mut job);
        save(&mut tx, &job).await?;
        tx.commit().await?;
        return Ok(Some(job));
    }
    let message = "The worker that held this job stopped answering; nothing under the final key is taken for a backup.";
    fail_in(&mut tx, system, &mut job, retry, (ErrorCode::WorkerLost, message), AttemptOutcome::Lost).await?;
    tx.commit().await?;
    Ok(Some(job))
}
