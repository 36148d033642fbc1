//! `preflightDestination`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DestinationId;
use walwarden_contract::model::PreflightReport;

use crate::engine::preflight;
use crate::engine::storage::Bucket;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::{Body, Id, Nothing};
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DestinationId>,
    _: Body<Nothing>,
) -> Result<Json<PreflightReport>> {
    let destination = state.store.destination(caller.org_id(), id).await?;
    let credentials = state.keyring.open_credentials(&destination)?;
    let bucket = Bucket::connect_impatiently(&destination, &credentials)?;
    // A task of its own: whoever stops listening does not keep it from clearing up.
    let system = state.system.clone();
    let run = tokio::spawn(async move { preflight::run(&bucket, &system, &destination).await });
    Ok(Json(run.await.map_err(ApiError::internal)?))
}
