//! Restore tokens: checked on every call of a restore machine. Refused ones are events of the job they were presented for.

use axum::RequestExt;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use walwarden_contract::audit::EventKind;
pub(super) use walwarden_contract::audit::payload::TokenRefusal as Refusal;
use walwarden_contract::token::{self, TokenError, TokenPayload};
use walwarden_contract::{ErrorCode, RestoreJobId};

use super::auth::bearer;
use super::error::{ApiError, Result};
use super::state::AppState;
use crate::jobs::restores;
use crate::store::StoreError;
use crate::store::restores::RestoreJob;

/// More refusals of one job than this are not written down: who knows a job's id, and nothing else, must not be able
/// to fill the store.
const MAX_RECORDED: usize = 100;

/// The restore job that a request is about, and the token that proves the right to it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) payload: TokenPayload,
    pub(super) job: RestoreJob,
}

fn error(refusal: Refusal) -> ApiError {
    match refusal {
        // One answer for all three: it must not help to make a better forgery.
        Refusal::Malformed | Refusal::Forged | Refusal::OtherJob => ApiError::of(ErrorCode::TokenInvalid),
        Refusal::Expired => ApiError::of(ErrorCode::TokenExpired),
        Refusal::Used => ApiError::of(ErrorCode::TokenUsed),
        Refusal::ManifestHashMismatch => ApiError::of(ErrorCode::ManifestHashMismatch),
        Refusal::ModeMismatch => ApiError::of(ErrorCode::RestoreModeMismatch),
    }
}

/// Writes a refusal into the chain of the job that the path names, if there is one, and answers the error.
pub(super) async fn refuse(state: &AppState, id: RestoreJobId, refusal: Refusal) -> ApiError {
    match record(state, id, refusal).await {
        Ok(()) => error(refusal),
        Err(failed) => failed.into(),
    }
}

async fn record(state: &AppState, id: RestoreJobId, refusal: Refusal) -> crate::store::Result<()> {
    let Some(org_id) = state.store.restore_owner(id).await? else {
        return Ok(());
    };
    let chain = state.store.audit_chain(org_id, &id.to_string()).await?;
    if chain.iter().filter(|event| event.kind == EventKind::RestoreTokenRejected).count() >= MAX_RECORDED {
        return Ok(());
    }
    restores::reject_token(&state.store, &state.system, org_id, id, refusal).await
}

/// Proves that the request's token is the one of the job in its path. Its age is the trigger's business.
pub(super) async fn authenticate(state: &AppState, request: &mut Request) -> Result<Session> {
    let path: Result<Path<RestoreJobId>, _> = request.extract_parts().await;
    // Nobody learns from this whether a job exists: without a valid token every path answers the same.
    let Ok(Path(id)) = path else {
        return Err(ApiError::of(ErrorCode::TokenInvalid));
    };
    let Some(presented) = bearer(request.headers()) else {
        return Err(ApiError::of(ErrorCode::TokenInvalid));
    };
    let payload = match token::authenticate(presented, state.keyring.token_key()) {
        Ok(payload) if payload.job_intent_id == id => payload,
        Ok(_) => return Err(refuse(state, id, Refusal::OtherJob).await),
        Err(TokenError::Malformed) => return Err(refuse(state, id, Refusal::Malformed).await),
        Err(TokenError::Forged | TokenError::Expired) => return Err(refuse(state, id, Refusal::Forged).await),
    };
    match state.store.restore(payload.org_id, id).await {
        Ok(job) => Ok(Session { payload, job }),
        Err(StoreError::Missing(_)) => Err(ApiError::of(ErrorCode::TokenInvalid)),
        Err(error) => Err(error.into()),
    }
}

impl FromRequestParts<AppState> for Session {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self> {
        let session = parts.extensions.get::<Self>().cloned();
        session.ok_or_else(|| ApiError::internal("a handler asks for a restore token where the contract names none"))
    }
}

/// The token of a restore job. The same job always has the same token, so that it need not be stored.
pub(super) fn issue(job: &RestoreJob, key: &[u8; 32]) -> String {
    let payload = TokenPayload {
        org_id: job.org_id,
        database_id: job.database_id,
        manifest_hash: job.manifest_hash.clone(),
        mode: job.mode,
        job_intent_id: job.id,
        exp: job.token_expires_at,
    };
    token::issue(&payload, key)
}
