//! `triggerRestore`: the one call for which a token is good only once.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::TriggerRestoreRequest;

use crate::http::error::{ApiError, Result};
use crate::http::extract::Body;
use crate::http::idempotency::{IdempotencyKey, answered, replay, respond, same};
use crate::http::state::AppState;
use crate::http::token::{Refusal, Session, refuse};
use crate::http::view::restore_view;
use crate::jobs::{Reply, Submitted, restores};
use crate::store::StoreError;
use crate::store::restores::RestoreJob;

const STATUS: u16 = 200;

fn body(job: &RestoreJob) -> String {
    json!(restore_view(job)).to_string()
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    session: Session,
    key: IdempotencyKey,
    request: Body<TriggerRestoreRequest>,
) -> Result<Response> {
    let Session { payload, job } = session;
    let scope = key.bind(job.id, "triggerRestore", request.hash);
    // Before any check of the token: who did not hear the first answer asks again, and by then the token is used.
    if let Some(stored) = answered(&state, &scope).await? {
        return Ok(replay(stored));
    }
    let request = request.value;
    if payload.check_fresh(state.system.now()).is_err() {
        return Err(refuse(&state, job.id, Refusal::Expired).await);
    }
    if request.manifest_hash != payload.manifest_hash {
        return Err(refuse(&state, job.id, Refusal::ManifestHashMismatch).await);
    }
    if request.mode != payload.mode {
        return Err(refuse(&state, job.id, Refusal::ModeMismatch).await);
    }
    let reply = Reply { scope: &scope, status: STATUS, body: &body };
    match restores::trigger(&state.store, &state.system, payload.org_id, job.id, reply).await {
        Ok(Submitted::New(job)) => Ok(respond(STATUS, body(&job), false)),
        Ok(Submitted::Replayed(stored)) => Ok(replay(same(stored)?)),
        Err(StoreError::Transition(transition)) if transition.from == "timed_out" => {
            Err(ApiError::of(ErrorCode::RestoreTimedOut))
        }
        Err(StoreError::Transition(_)) => Err(refuse(&state, job.id, Refusal::Used).await),
        Err(error) => Err(error.into()),
    }
}
