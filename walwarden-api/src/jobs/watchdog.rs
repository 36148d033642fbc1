//! Looks after what nobody else does any more: dead workers' jobs, silent restores, old stored responses.

use super::backups::{RetryPolicy, reap};
use super::restores::time_out;
use crate::store::{Result, Store};
use crate::system::{System, after};

/// How long a stored response is kept: 48 hours, twice what is promised.
const KEEP_RESPONSES_MILLIS: i64 = 48 * 3_600_000;

/// What one look found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Backup jobs taken from workers that stopped answering.
    pub reaped: usize,
    /// Restore jobs sealed as timed out.
    pub timed_out: usize,
}

/// Looks once.
///
/// # Errors
/// When the store fails.
pub async fn look(store: &Store, system: &System, retry: RetryPolicy, silence_millis: i64) -> Result<Found> {
    let mut found = Found::default();
    while let Some(job) = reap(store, system, retry).await? {
        tracing::warn!(backup_job_id = %job.id, attempt = job.attempt, "took a job from a worker that stopped answering");
        found.reaped += 1;
    }
    while let Some(job) = time_out(store, system, silence_millis).await? {
        tracing::warn!(restore_job_id = %job.id, "sealed a restore whose machine fell silent");
        found.timed_out += 1;
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
