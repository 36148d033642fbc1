//! Looks after what nobody else does any more: dead workers' jobs, silent restores, old stored responses.

use walwarden_contract::model::BackupState;

use super::backups::{RetryPolicy, reap};
use super::restores::time_out;
use crate::store::backups::BackupJob;
use crate::store::{Result, Store};
use crate::system::{System, after};
use crate::telemetry;

/// How long a stored response is kept: 48 hours, twice what is promised.
const KEEP_RESPONSES_MILLIS: i64 = 48 * 3_600_000;

/// What one look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Jobs of dead workers that have no attempt left, and jobs that were called off: they may have left uploads behind.
    pub ended: Vec<BackupJob>,
}

/// Looks once.
///
/// # Errors
/// When the store fails.
pub async fn look(store: &Store, system: &System, retry: RetryPolicy, silence_millis: i64) -> Result<Found> {
    let mut found = Found::default();
    while let Some(job) = reap(store, system, retry).await? {
        if job.state() == BackupState::Cancelled {
            found.ended.push(job);
            continue;
        }
        telemetry::job_reaped(&job);
        tracing::warn!(backup_job_id = %job.id, attempt = job.attempt, "took a job from a worker that stopped answering");
        if job.state() == BackupState::FailedTerminal {
            found.ended.push(job);
        }
    }
    while let Some(job) = time_out(store, system, silence_millis).await? {
        telemetry::restore_timed_out();
        tracing::warn!(restore_job_id = %job.id, "sealed a restore that nobody reported on any more");
    }
    Ok(found)
}

/// Forgets stored responses that are past their time.
///
/// # Errors
/// When the store fails.
pub async fn forget(store: &Store, system: &System) -> Result<u64> {
    store.forget_responses(after(system.now(), -KEEP_RESPONSES_MILLIS)).await
}
