//! `dismissBackup`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::BackupJobId;
use walwarden_contract::model::Backup;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::{Body, Id, Nothing};
use crate::http::state::AppState;
use crate::http::view::backup_view;
use crate::jobs::backups::dismiss;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<BackupJobId>,
    _: Body<Nothing>,
) -> Result<Json<Backup>> {
    let job = dismiss(&state.store, &state.system, caller.org_id(), id, Some(caller.key.id)).await?;
    Ok(Json(backup_view(&job)))
}
