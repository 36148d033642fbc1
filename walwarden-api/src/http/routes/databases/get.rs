//! `getDatabase`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::Database;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::http::view::database_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
) -> Result<Json<Database>> {
    let (database, last) = state.store.database(caller.org_id(), id).await?;
    Ok(Json(database_view(&database, last, state.system.now())))
}
