//! `preflightDestination`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DestinationId;
use walwarden_contract::model::PreflightReport;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::{Body, Id, Nothing};
use crate::http::state::AppState;
use crate::jobs::preflights;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DestinationId>,
    _: Body<Nothing>,
) -> Result<Json<PreflightReport>> {
    let destination = state.store.destination(caller.org_id(), id).await?;
    let by = Some(caller.key.id);
    // A task of its own: whoever stops listening does not keep it from clearing up.
    let run =
        tokio::spawn(
            async move { preflights::look(&state.store, &state.system, &state.keyring, &destination, by).await },
        );
    Ok(Json(run.await.map_err(ApiError::internal)??.report))
}
