//! What a person does to a job: calls it off, or takes note that it failed.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{BackupCancelled, BackupDismissed};
use walwarden_contract::model::{AttemptOutcome, BackupState};
use walwarden_contract::{ApiKeyId, BackupJobId, OrgId};

use super::record;
use crate::jobs::state::{BackupEvent, InvalidTransition, backup as transition, dismiss as may_dismiss};
use crate::store::backups::{AttemptEnd, BackupJob, lock, save};
use crate::store::{Result, Store, StoreError, Tx};
use crate::system::System;

async fn lock_of(tx: &mut Tx, org_id: OrgId, id: BackupJobId) -> Result<BackupJob> {
    let job = lock(tx, id).await?;
    if job.org_id == org_id { Ok(job) } else { Err(StoreError::Missing("backup job")) }
}

/// Calls a job off. A worker that holds it loses its lease by this, and so notices. A job that was called off before
/// is answered as it is.
///
/// # Errors
/// [`StoreError::Transition`] once its dump is whole or it has ended, [`StoreError::Missing`], or when the store fails.
pub async fn cancel(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: BackupJobId,
    by: Option<ApiKeyId>,
) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_of(&mut tx, org_id, id).await?;
    if job.state == BackupState::Cancelled {
        return Ok(job);
    }
    let from = job.state;
    job.state = transition(job.state, BackupEvent::Cancel)?;
    if job.pending.is_some() {
        // Handed back or failed while it was being sealed: the objects may stand under their final keys already.
        return Err(InvalidTransition { job: "backup", from: "finalizing", step: "cancelled" }.into());
    }
    job.attempts.end(now, AttemptEnd::without_failure(AttemptOutcome::Cancelled));
    job.lease_owner = None;
    // Whoever ran it aborts its upload. Once that worker would be taken for dead, the watchdog looks after it.
    job.lease_expires_at = job.object_key.as_ref().map(|_| job.lease_expires_at.unwrap_or(now));
    job.finished_at = Some(now);
    save(&mut tx, &job).await?;
    let cancelled = BackupCancelled { attempt: job.attempt, from, api_key_id: by };
    record(&mut tx, &job, now, Payload::BackupCancelled(cancelled)).await?;
    tx.commit().await?;
    Ok(job)
}

/// Takes note that a job failed for good. A job that was dismissed before is answered as it is.
///
/// # Errors
/// [`StoreError::Transition`] in any other state, [`StoreError::Missing`], or when the store fails.
pub async fn dismiss(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: BackupJobId,
    by: Option<ApiKeyId>,
) -> Result<BackupJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_of(&mut tx, org_id, id).await?;
    may_dismiss(job.state)?;
    if job.dismissed_at.is_some() {
        return Ok(job);
    }
    job.dismissed_at = Some(now);
    save(&mut tx, &job).await?;
    let error_code = job.error.as_ref().map(|(code, _)| *code);
    let dismissed = BackupDismissed { error_code, api_key_id: by };
    record(&mut tx, &job, now, Payload::BackupDismissed(dismissed)).await?;
    tx.commit().await?;
    Ok(job)
}
