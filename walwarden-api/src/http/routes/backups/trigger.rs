//! `triggerBackup`.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use walwarden_contract::model::{BackupTrigger, TriggerBackupRequest, TriggeredBackup};
use walwarden_contract::{DatabaseId, ErrorCode};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::{Body, Id};
use crate::http::idempotency::{IdempotencyKey, answered, replay, respond, same};
use crate::http::state::AppState;
use crate::jobs::{Reply, Submitted, backups, preflights};
use crate::store::StoreError;
use crate::store::backups::BackupJob;

const STATUS: u16 = 202;

fn body(job: &BackupJob) -> String {
    let triggered = TriggeredBackup { backup_job_id: job.id, database_id: job.database_id, state: job.state().into() };
    json!(triggered).to_string()
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
    key: IdempotencyKey,
    request: Body<TriggerBackupRequest>,
) -> Result<Response> {
    let TriggerBackupRequest { trigger: _ } = request.value;
    let scope = key.bind(caller.key.id, format_args!("triggerBackup {id}"), request.hash);
    if let Some(stored) = answered(&state, &scope).await? {
        return Ok(replay(stored));
    }
    let (database, _) = state.store.database(caller.org_id(), id).await?;
    let destination = state.store.destination(caller.org_id(), database.destination_id).await?;
    if let Some(refusal) = preflights::refusal(&destination) {
        return Err(ApiError::new(ErrorCode::DestinationNotReady, refusal));
    }
    state.keyring.open_access(&destination)?;

    let reply = Reply { scope: &scope, status: STATUS, body: &body };
    let attempts = state.settings.backup_attempts;
    let queued =
        backups::queue(&state.store, &state.system, &database, BackupTrigger::Adhoc, attempts, Some(reply)).await;
    match queued {
        Ok(Submitted::New(job)) => {
            state.wake.notify_one();
            Ok(respond(STATUS, body(&job), false))
        }
        Ok(Submitted::Replayed(stored)) => Ok(replay(same(stored)?)),
        Err(StoreError::Duplicate(_)) => Err(ApiError::of(ErrorCode::BackupInProgress)),
        Err(error) => Err(error.into()),
    }
}
