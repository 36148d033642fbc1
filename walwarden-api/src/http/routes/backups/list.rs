//! `listDatabaseBackups`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::model::BackupList;
use walwarden_contract::{BackupJobId, DatabaseId};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::{Id, Page};
use crate::http::state::AppState;
use crate::http::view::backup_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
    page: Page<BackupJobId>,
) -> Result<Json<BackupList>> {
    let (database, _) = state.store.database(caller.org_id(), id).await?;
    let read = state.store.backups(caller.org_id(), database.id, page.after, page.limit + 1).await?;
    let (rows, next_cursor) = page.cut(read, |job| job.id.to_string());
    Ok(Json(BackupList { backups: rows.iter().map(backup_view).collect(), next_cursor }))
}
