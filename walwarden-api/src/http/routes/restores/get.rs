//! `getRestore`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::RestoreJobId;
use walwarden_contract::model::Restore;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::http::view::restore_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<RestoreJobId>,
) -> Result<Json<Restore>> {
    Ok(Json(restore_view(&state.store.restore(caller.org_id(), id).await?)))
}
