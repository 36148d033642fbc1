//! `checkDatabase`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::SourceCheckReport;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::{Body, Id, Nothing};
use crate::http::state::AppState;
use crate::registry::source_check::check;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
    _: Body<Nothing>,
) -> Result<Json<SourceCheckReport>> {
    let (database, _) = state.store.database(caller.org_id(), id).await?;
    let dsn = state.keyring.open_dsn(&database).map_err(ApiError::internal)?;
    let report = check(&state.store, &state.system, &state.checker, caller.org_id(), &database, &dsn).await?;
    Ok(Json(report))
}
