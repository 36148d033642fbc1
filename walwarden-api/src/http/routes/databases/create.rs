//! `createDatabase`.

use axum::extract::State;
use axum::response::Response;
use secrecy::ExposeSecret;
use serde_json::json;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::CreateDatabaseRequest;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Body;
use crate::http::idempotency::{IdempotencyKey, answered, replay, respond, same};
use crate::http::state::AppState;
use crate::http::view::database_view;
use crate::jobs::{Reply, Submitted};
use crate::registry::database::{NewDatabase, Source, create};
use crate::registry::source_check::vet;
use crate::store::databases::Database;

const STATUS: u16 = 201;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    request: Body<CreateDatabaseRequest>,
) -> Result<Response> {
    let scope = key.bind(caller.key.id, "createDatabase", state.keyring.keyed_hash(&request.hash));
    if let Some(stored) = answered(&state, &scope).await? {
        return Ok(replay(stored));
    }
    let CreateDatabaseRequest { name, destination_id, source_dsn, source_check, schedule, codec, retention_days } =
        request.value;
    let id = DatabaseId::from_uuid(state.system.uuid());
    let dsn = Source::parse_remote(source_dsn.expose().expose_secret())?;
    let report = vet(&state.checker, &state.system, &dsn, source_check.unwrap_or_default()).await?;
    let source = Source::seal(&state.keyring, &state.system, id, &dsn).checked(report.as_ref());
    let new = NewDatabase { id, name, destination_id, source, schedule, codec, retention_days };

    let now = state.system.now();
    let body = |database: &Database| json!(database_view(database, None, now)).to_string();
    let reply = Reply { scope: &scope, status: STATUS, body: &body };
    let (org_id, by) = (caller.org_id(), Some(caller.key.id));
    match create(&state.store, &state.system, org_id, new, by, Some(reply)).await? {
        Submitted::New(database) => Ok(respond(STATUS, body(&database), false)),
        Submitted::Replayed(stored) => Ok(replay(same(stored)?)),
    }
}
