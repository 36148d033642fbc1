//! `deleteDestination`.

use axum::extract::State;
use axum::http::StatusCode;
use walwarden_contract::DestinationId;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::registry::destination::remove;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DestinationId>,
) -> Result<StatusCode> {
    remove(&state.store, &state.system, caller.org_id(), id, Some(caller.key.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
