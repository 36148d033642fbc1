//! Every change of a restore job: lock, transition, write and audit event in one transaction.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{
    RestoreStep, RestoreTimedOut, RestoreTokenIssued, RestoreTokenRejected, TokenRefusal,
};
use walwarden_contract::model::{RestoreMode, RestoreReportPayload, RestoreState};
use walwarden_contract::{ErrorCode, OrgId, RestoreJobId, Timestamp};

use super::state::{InvalidTransition, restore as transition};
use super::{Reply, Submitted, answer};
use crate::store::backups::{BackupJob, lock as lock_backup};
use crate::store::restores::{RestoreJob, insert, lock, save, take_silent};
use crate::store::{Result, Store, StoreError, Tx, audit};
use crate::system::{System, after};

/// How long a restore token lives.
pub const TOKEN_LIFETIME_MILLIS: i64 = 3_600_000;

/// What a restore session is opened for.
#[derive(Debug, Clone, Copy)]
pub struct NewRestore<'a> {
    /// The completed backup.
    pub backup: &'a BackupJob,
    /// How the restore treats its target.
    pub mode: RestoreMode,
    /// Where the restore goes, without any credential.
    pub target_redacted_dsn: &'a str,
    /// The database to create.
    pub created_database: Option<&'a str>,
}

/// What is recorded of a state that the restore machine has reached.
fn reached(from: RestoreState, to: RestoreState, step: RestoreStep) -> Result<Payload> {
    Ok(match to {
        RestoreState::Triggered => Payload::RestoreTriggered(step),
        RestoreState::Claimed => Payload::RestoreClaimed(step),
        RestoreState::Downloading => Payload::RestoreDownloading(step),
        RestoreState::Verifying => Payload::RestoreVerifying(step),
        RestoreState::ManifestVerified => Payload::RestoreManifestVerified(step),
        RestoreState::Restoring => Payload::RestoreRestoring(step),
        RestoreState::Finalizing => Payload::RestoreFinalizing(step),
        RestoreState::Completed => Payload::RestoreCompleted(step),
        RestoreState::FailedRetryable | RestoreState::FailedTerminal => Payload::RestoreFailed(step),
        RestoreState::Cancelled => Payload::RestoreCancelled(step),
        RestoreState::TokenIssued | RestoreState::TimedOut => {
            return Err(InvalidTransition { job: "restore", from: from.as_str(), step: to.as_str() }.into());
        }
    })
}

fn step(reported: &RestoreReportPayload) -> RestoreStep {
    let RestoreReportPayload { size_bytes, checksum_sha256, pg_restore_version, ignored_errors, error_code } = reported;
    RestoreStep {
        size_bytes: *size_bytes,
        checksum_sha256: checksum_sha256.clone(),
        pg_restore_version: pg_restore_version.clone(),
        ignored_errors: *ignored_errors,
        error_code: *error_code,
        retryable: None,
    }
}

async fn record(tx: &mut Tx, job: &RestoreJob, at: Timestamp, payload: Payload) -> Result<()> {
    audit::append(tx, job.org_id, &job.id.to_string(), at, &payload).await
}

async fn advance(tx: &mut Tx, job: &mut RestoreJob, to: RestoreState, at: Timestamp, payload: Payload) -> Result<()> {
    job.state = transition(job.state, to)?;
    job.last_seen_at = at;
    if job.state.is_terminal() {
        job.finished_at = Some(at);
    }
    save(tx, job).await?;
    record(tx, job, at, payload).await
}

/// Opens a restore session, whose token lives for one hour.
///
/// # Errors
/// [`StoreError::Missing`] when the backup has no manifest, [`StoreError::Expired`] when it was deleted, or when the store
/// fails.
pub async fn open(
    store: &Store,
    system: &System,
    new: NewRestore<'_>,
    reply: Reply<'_, RestoreJob>,
) -> Result<Submitted<RestoreJob>> {
    let now = system.now();
    let job = RestoreJob {
        id: RestoreJobId::from_uuid(system.uuid()),
        org_id: new.backup.org_id,
        database_id: new.backup.database_id,
        backup_job_id: new.backup.id,
        mode: new.mode,
        target_redacted_dsn: new.target_redacted_dsn.to_owned(),
        created_database: new.created_database.map(str::to_owned),
        state: RestoreState::TokenIssued,
        manifest_hash: new.backup.manifest_hash.clone().ok_or(StoreError::Missing("manifest"))?,
        token_expires_at: after(now, TOKEN_LIFETIME_MILLIS),
        last_seen_at: now,
        error_code: None,
        created_at: now,
        finished_at: None,
    };
    let api_key_id = reply.scope.api_key();
    let mut tx = store.begin().await?;
    if let Some(stored) = answer(&mut tx, system, Some(reply), &job).await? {
        return Ok(Submitted::Replayed(stored));
    }
    // Whoever deletes the backup locks its row too: either this session is seen there, or the deletion here.
    if !lock_backup(&mut tx, job.backup_job_id).await?.is_kept() {
        return Err(StoreError::Expired);
    }
    insert(&mut tx, &job).await?;
    let issued = RestoreTokenIssued {
        backup_job_id: job.backup_job_id,
        database_id: Some(job.database_id),
        manifest_hash: job.manifest_hash.clone(),
        mode: job.mode,
        target_redacted_dsn: job.target_redacted_dsn.clone(),
        expires_at: job.token_expires_at,
        api_key_id,
    };
    record(&mut tx, &job, now, Payload::RestoreTokenIssued(issued)).await?;
    tx.commit().await?;
    Ok(Submitted::New(job))
}

async fn lock_of(tx: &mut Tx, org_id: OrgId, id: RestoreJobId) -> Result<RestoreJob> {
    let job = lock(tx, id).await?;
    if job.org_id == org_id { Ok(job) } else { Err(StoreError::Missing("restore job")) }
}

/// Uses the token: the one step that only works once.
///
/// # Errors
/// [`StoreError::Transition`] when the token was used before, or when the store fails.
pub async fn trigger(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: RestoreJobId,
    reply: Reply<'_, RestoreJob>,
) -> Result<Submitted<RestoreJob>> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_of(&mut tx, org_id, id).await?;
    let triggered = RestoreJob { state: RestoreState::Triggered, ..job.clone() };
    if let Some(stored) = answer(&mut tx, system, Some(reply), &triggered).await? {
        return Ok(Submitted::Replayed(stored));
    }
    let triggered = Payload::RestoreTriggered(RestoreStep::default());
    advance(&mut tx, &mut job, RestoreState::Triggered, now, triggered).await?;
    tx.commit().await?;
    Ok(Submitted::New(job))
}

/// Records a state that the restore machine has reached. The current state again only says that it is still there.
///
/// # Errors
/// [`StoreError::Transition`] when the state does not follow, or when the store fails.
pub async fn report(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: RestoreJobId,
    state: RestoreState,
    payload: &RestoreReportPayload,
) -> Result<RestoreJob> {
    let now = system.now();
    let mut tx = store.begin().await?;
    let mut job = lock_of(&mut tx, org_id, id).await?;
    if job.state == state {
        if job.finished_at.is_none() {
            job.last_seen_at = now;
            save(&mut tx, &job).await?;
        }
    } else {
        if matches!(state, RestoreState::FailedRetryable | RestoreState::FailedTerminal) {
            job.error_code = Some(payload.error_code.unwrap_or(ErrorCode::RestoreFailed));
        }
        let retryable = job.error_code.map(|_| state == RestoreState::FailedRetryable);
        let reported = reached(job.state, state, RestoreStep { retryable, ..step(payload) })?;
        advance(&mut tx, &mut job, state, now, reported).await?;
    }
    tx.commit().await?;
    Ok(job)
}

/// Records that a token for this job was presented and refused.
///
/// # Errors
/// When the store fails.
pub async fn reject_token(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: RestoreJobId,
    reason: TokenRefusal,
) -> Result<()> {
    let mut tx = store.begin().await?;
    let job = lock_of(&mut tx, org_id, id).await?;
    let rejected = Payload::RestoreTokenRejected(RestoreTokenRejected { reason });
    record(&mut tx, &job, system.now(), rejected).await?;
    tx.commit().await
}

/// Seals one job whose restore machine fell silent, or whose token expired unused.
///
/// # Errors
/// When the store fails.
pub async fn time_out(store: &Store, system: &System, silence_millis: i64) -> Result<Option<RestoreJob>> {
    let now = system.now();
    let cutoff = after(now, -silence_millis);
    if !store.has_silent_restore(cutoff, now).await? {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    let Some(mut job) = take_silent(&mut tx, cutoff, now).await? else { return Ok(None) };
    let silent = RestoreTimedOut { last_state: job.state, last_seen_at: job.last_seen_at };
    job.error_code = Some(ErrorCode::RestoreTimedOut);
    advance(&mut tx, &mut job, RestoreState::TimedOut, now, Payload::RestoreTimedOut(silent)).await?;
    tx.commit().await?;
    Ok(Some(job))
}
