//! `createDestination`.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use walwarden_contract::model::CreateDestinationRequest;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Body;
use crate::http::idempotency::{IdempotencyKey, answered, replay, respond, same};
use crate::http::state::AppState;
use crate::http::view::destination_view;
use crate::jobs::{Reply, Submitted};
use crate::registry::destination::{Connection, Looker, NewAccess, NewDestination, create};
use crate::store::destinations::Destination;

const STATUS: u16 = 201;

fn body(destination: &Destination) -> String {
    // A new row holds what the contract's own choices were written as, so that it can always be shown.
    destination_view(destination).map(|shown| json!(shown).to_string()).unwrap_or_default()
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    request: Body<CreateDestinationRequest>,
) -> Result<Response> {
    let scope = key.bind(caller.key.id, "createDestination", state.keyring.keyed_hash(&request.hash));
    if let Some(stored) = answered(&state, &scope).await? {
        return Ok(replay(stored));
    }
    let CreateDestinationRequest {
        name,
        provider,
        bucket,
        endpoint,
        region,
        addressing,
        checksum_mode,
        lock_mode,
        retention_floor_days: retention_days,
        encryption,
        kms_key_id,
        access_key_id,
        secret_access_key,
        role_arn,
    } = request.value;
    let connection =
        Connection { endpoint, region, addressing, checksum_mode, lock_mode, retention_days, encryption, kms_key_id };
    let access = NewAccess::of(access_key_id, secret_access_key.map(|secret| secret.expose().clone()), role_arn)?;
    let new = NewDestination { name, provider, bucket, connection, access, looker: Looker::Worker };

    let reply = Reply { scope: &scope, status: STATUS, body: &body };
    let (org_id, by) = (caller.org_id(), Some(caller.key.id));
    match create(&state.store, &state.system, &state.keyring, org_id, new, by, Some(reply)).await? {
        Submitted::New(destination) => Ok(respond(STATUS, body(&destination), false)),
        Submitted::Replayed(stored) => Ok(replay(same(stored)?)),
    }
}
