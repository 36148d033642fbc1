//! `getDestination`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DestinationId;
use walwarden_contract::model::Destination;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::http::view::destination_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DestinationId>,
) -> Result<Json<Destination>> {
    Ok(Json(destination_view(&state.store.destination(caller.org_id(), id).await?)?))
}
