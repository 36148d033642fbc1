//! `getBackup`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::BackupJobId;
use walwarden_contract::model::Backup;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::http::view::backup_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<BackupJobId>,
) -> Result<Json<Backup>> {
    Ok(Json(backup_view(&state.store.backup(caller.org_id(), id).await?)))
}
