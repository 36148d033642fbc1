//! `listDatabases`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::DatabaseList;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Page;
use crate::http::state::AppState;
use crate::http::view::database_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    page: Page<DatabaseId>,
) -> Result<Json<DatabaseList>> {
    let now = state.system.now();
    let read = state.store.databases(caller.org_id(), page.after, page.limit + 1).await?;
    let (rows, next_cursor) = page.cut(read, |(database, _)| database.id.to_string());
    let databases = rows.iter().map(|(database, last)| database_view(database, *last, now)).collect();
    Ok(Json(DatabaseList { databases, next_cursor }))
}
