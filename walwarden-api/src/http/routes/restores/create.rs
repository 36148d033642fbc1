//! `createRestore`.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{CreateRestoreRequest, RestoreMode, RestoreSession, RestoreState};
use walwarden_sdk::postgres::Dsn;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Body;
use crate::http::idempotency::{IdempotencyKey, answered, respond, same};
use crate::http::state::AppState;
use crate::http::token::issue;
use crate::jobs::{Reply, Submitted, restores};
use crate::store::idempotency::StoredResponse;
use crate::store::restores::RestoreJob;

const STATUS: u16 = 202;

/// What is stored to be replayed: the job, and not its token, which follows from it.
fn stored_body(job: &RestoreJob) -> String {
    json!({ "restoreJobId": job.id }).to_string()
}

fn answer(state: &AppState, job: &RestoreJob, replayed: bool) -> Response {
    let session = RestoreSession {
        restore_job_id: job.id,
        token: issue(job, state.keyring.token_key()),
        token_expires_at: job.token_expires_at,
        manifest_hash: job.manifest_hash.clone(),
        state: RestoreState::TokenIssued.into(),
    };
    respond(STATUS, json!(session).to_string(), replayed)
}

async fn replay(state: &AppState, caller: &Caller, stored: &StoredResponse) -> Result<Response> {
    let body: Value = serde_json::from_str(&stored.body).map_err(ApiError::internal)?;
    let id = body["restoreJobId"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| ApiError::internal("a stored response names no restore job"))?;
    let job = state.store.restore(caller.org_id(), id).await?;
    Ok(answer(state, &job, true))
}

/// Checks what the request says, without repeating any of it: it may hold a credential by mistake.
fn check(request: &CreateRestoreRequest) -> Result<()> {
    let target_invalid = |message: &str| Err(ApiError::new(ErrorCode::TargetInvalid, message));
    if !(1..=512).contains(&request.target_redacted_dsn.len()) {
        return target_invalid("targetRedactedDsn has 1 to 512 bytes.");
    }
    match Dsn::parse(&request.target_redacted_dsn) {
        Err(_) => return target_invalid("targetRedactedDsn is not a Postgres connection string."),
        Ok(dsn) if dsn.has_password() || dsn.parameter("sslpassword").is_some() => {
            return target_invalid(
                "targetRedactedDsn holds a password: the real connection string stays on your side.",
            );
        }
        Ok(_) => {}
    }
    if let Some(name) = &request.created_database {
        if !(1..=63).contains(&name.len()) || name.chars().any(char::is_control) {
            return target_invalid("createdDatabase has 1 to 63 bytes, none of them a control character.");
        }
        if request.mode == RestoreMode::InPlace {
            return target_invalid("createdDatabase is for new_database only: in_place creates none.");
        }
    }
    if request.mode == RestoreMode::InPlace && !request.confirm_destructive {
        return Err(ApiError::of(ErrorCode::ConfirmationRequired));
    }
    Ok(())
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    request: Body<CreateRestoreRequest>,
) -> Result<Response> {
    let scope = key.bind(caller.key.id, "createRestore", request.hash);
    if let Some(stored) = answered(&state, &scope).await? {
        return replay(&state, &caller, &stored).await;
    }
    let request = request.value;
    check(&request)?;
    let backup = state.store.backup(caller.org_id(), request.backup_job_id).await?;
    if backup.manifest_hash.is_none() {
        return Err(ApiError::of(ErrorCode::BackupNotRestorable));
    }
    if !backup.is_kept() {
        return Err(ApiError::of(ErrorCode::BackupExpired));
    }
    let new = restores::NewRestore {
        backup: &backup,
        mode: request.mode,
        target_redacted_dsn: &request.target_redacted_dsn,
        created_database: request.created_database.as_deref(),
    };
    let reply = Reply { scope: &scope, status: STATUS, body: &stored_body };
    match restores::open(&state.store, &state.system, new, reply).await? {
        Submitted::New(job) => Ok(answer(&state, &job, false)),
        Submitted::Replayed(stored) => replay(&state, &caller, &same(stored)?).await,
    }
}
