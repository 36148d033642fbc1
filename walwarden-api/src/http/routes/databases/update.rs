//! `updateDatabase`.

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::{Database, UpdateDatabaseRequest};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::{Body, Id};
use crate::http::state::AppState;
use crate::http::view::database_view;
use crate::registry::database::{DatabaseChange, Source, update};
use crate::registry::source_check::vet;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
    request: Body<UpdateDatabaseRequest>,
) -> Result<Json<Database>> {
    let UpdateDatabaseRequest { name, destination_id, source_dsn, source_check, schedule, codec, retention_days } =
        request.value;
    // Whether it is there comes first: of what is not, nothing else is said.
    let (_, last) = state.store.database(caller.org_id(), id).await?;
    let source = match source_dsn {
        Some(text) => {
            let dsn = Source::parse_remote(text.expose().expose_secret())?;
            let report = vet(&state.checker, &state.system, &dsn, source_check.unwrap_or_default()).await?;
            Some(Source::seal(&state.keyring, &state.system, id, &dsn).checked(report.as_ref()))
        }
        None => None,
    };
    let change = DatabaseChange { name, destination_id, source, schedule, codec, retention_days };
    let by = Some(caller.key.id);
    let changed = update(&state.store, &state.system, caller.org_id(), id, change, by).await?;
    Ok(Json(database_view(&changed, last, state.system.now())))
}
