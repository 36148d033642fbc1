//! Every change of a restore job: lock, transition, write and audit event in one transaction.

use serde_json::{Value, json};
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::{RestoreMode, RestoreReportPayload, RestoreState};
use walwarden_contract::{ErrorCode, OrgId, RestoreJobId, Timestamp};

use super::state::restore as transition;
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

const fn kind_of(state: RestoreState) -> EventKind {
    match state {
        RestoreState::TokenIssued => EventKind::RestoreTokenIssued,
        RestoreState::Triggered => EventKind::RestoreTriggered,
        RestoreState::Claimed => EventKind::RestoreClaimed,
        RestoreState::Downloading => EventKind::RestoreDownloading,
        RestoreState::Verifying => EventKind::RestoreVerifying,
        RestoreState::ManifestVerified => EventKind::RestoreManifestVerified,
        RestoreState::Restoring => EventKind::RestoreRestoring,
        RestoreState::Finalizing => EventKind::RestoreFinalizing,
        RestoreState::Completed => EventKind::RestoreCompleted,
        RestoreState::FailedRetryable | RestoreState::FailedTerminal => EventKind::RestoreFailed,
        RestoreState::Cancelled => EventKind::RestoreCancelled,
        RestoreState::TimedOut => EventKind::RestoreTimedOut,
    }
}

async fn record(tx: &mut Tx, job: &RestoreJob, at: Timestamp, kind: EventKind, payload: &Value) -> Result<()> {
    audit::append(tx, job.org_id, &job.id.to_string(), at, kind, payload).await
}

async fn advance(tx: &mut Tx, job: &mut RestoreJob, to: RestoreState, at: Timestamp, payload: &Value) -> Result<()> {
    job.state = transition(job.state, to)?;
    job.last_seen_at = at;
    if job.state.is_terminal() {
        job.finished_at = Some(at);
    }
    save(tx, job).await?;
    record(tx, job, at, kind_of(to), payload).await
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
    let mut tx = store.begin().await?;
    if let Some(stored) = answer(&mut tx, system, Some(reply), &job).await? {
        return Ok(Submitted::Replayed(stored));
    }
    // Whoever deletes the backup locks its row too: either this session is seen there, or the deletion here.
    if !lock_backup(&mut tx, job.backup_job_id).await?.is_kept() {
        return Err(StoreError::Expired);
    }
    insert(&mut tx, &job).await?;
    let payload = json!({
        "backupJobId": job.backup_job_id,
        "manifestHash": job.manifest_hash,
        "mode": job.mode,
        "targetRedactedDsn": job.target_redacted_dsn,
        "expiresAt": job.token_expires_at,
    });
    record(&mut tx, &job, now, EventKind::RestoreTokenIssued, &payload).await?;
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
    advance(&mut tx, &mut job, RestoreState::Triggered, now, &json!({})).await?;
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
        let mut facts = serde_json::to_value(payload).unwrap_or_default();
        if let (Value::Object(facts), true) = (&mut facts, job.error_code.is_some()) {
            facts.insert("retryable".to_owned(), json!(state == RestoreState::FailedRetryable));
        }
        advance(&mut tx, &mut job, state, now, &facts).await?;
    }
    tx.commit().await?;
    Ok(job)
}

/// Records that a token for this job was presented and refused.
///
/// # Errors
/// When the store fails.
pub async fn reject_token(store: &Store, system: &System, org_id: OrgId, id: RestoreJobId, reason: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    let job = lock_of(&mut tx, org_id, id).await?;
    record(&mut tx, &job, system.now(), EventKind::RestoreTokenRejected, &json!({ "reason": reason })).await?;
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
    let payload = json!({ "lastState": job.state, "lastSeenAt": job.last_seen_at });
    job.error_code = Some(ErrorCode::RestoreTimedOut);
    advance(&mut tx, &mut job, RestoreState::TimedOut, now, &payload).await?;
    tx.commit().await?;
    Ok(Some(job))
}
