//! `getConsistencyProof`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{ConsistencyProof, ConsistencyQuery};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    query: Result<Query<ConsistencyQuery>, QueryRejection>,
) -> Result<Json<ConsistencyProof>> {
    let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
    let Query(ConsistencyQuery { from, to }) = query
        .map_err(|_| invalid("The query parameters are from and to, each a number of leaves, and both needed."))?;
    if from > to {
        return Err(invalid("from is the smaller checkpoint, and to the larger one."));
    }
    let (store, org_id) = (&state.store, caller.org_id());
    let checkpoint = async |size| {
        let found = store.checkpoint_at(org_id, size).await?;
        found.ok_or_else(|| ApiError::not_found(&format!("checkpoint of {size} leaves")))
    };
    let (earlier, later) = (checkpoint(from).await?, checkpoint(to).await?);
    let path = store.consistency_path(org_id, from, to).await?;
    Ok(Json(ConsistencyProof {
        from,
        to,
        from_root_hash: hex::encode(earlier.root),
        to_root_hash: hex::encode(later.root),
        path: path.iter().map(hex::encode).collect(),
    }))
}
