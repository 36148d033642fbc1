//! `getInclusionProof`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use walwarden_contract::model::{InclusionProof, InclusionQuery};
use walwarden_contract::{ErrorCode, StreamId};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Path((stream, seq)): Path<(String, String)>,
    query: Result<Query<InclusionQuery>, QueryRejection>,
) -> Result<Json<InclusionProof>> {
    let Query(InclusionQuery { checkpoint }) = query.map_err(|_| {
        ApiError::new(ErrorCode::InvalidRequest, "The one query parameter is checkpoint: a number of leaves.")
    })?;
    // Malformed ids and numbers name nothing, like unknown ones.
    let stream_id: StreamId = stream.parse().map_err(|_| ApiError::not_found("audit stream"))?;
    let seq: u64 = seq.parse().map_err(|_| ApiError::not_found("event"))?;
    let (store, org_id) = (&state.store, caller.org_id());
    if seq == 0 || seq > store.audit_stream(org_id, stream_id).await?.events {
        return Err(ApiError::not_found("event"));
    }
    let not_yet = || ApiError::of(ErrorCode::NotLoggedYet);
    let leaf = store.leaf_of(org_id, stream_id, seq).await?;
    let found = match checkpoint {
        Some(size) => Some(store.checkpoint_at(org_id, size).await?.ok_or_else(|| ApiError::not_found("checkpoint"))?),
        None => store.newest_checkpoint(org_id).await?,
    };
    let (leaf, found) = leaf.zip(found).ok_or_else(not_yet)?;
    if leaf >= found.size {
        let newest = store.newest_checkpoint(org_id).await?.filter(|newest| newest.size > leaf);
        let newest = newest.ok_or_else(not_yet)?;
        let message = format!(
            "The event came into the log after the checkpoint of {} leaves; the newest one has {}.",
            found.size, newest.size
        );
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    let path = store.inclusion_path(org_id, leaf, found.size).await?;
    Ok(Json(InclusionProof {
        stream_id,
        seq,
        leaf,
        size: found.size,
        root_hash: hex::encode(found.root),
        path: path.iter().map(hex::encode).collect(),
    }))
}
