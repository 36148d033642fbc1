//! `exportEvidence`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::EvidenceExported;
use walwarden_contract::model::ExportEvidenceQuery;
use walwarden_contract::{BackupJobId, ErrorCode, bundle};

use crate::evidence::bundle::{Asked, BundleError, backup};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Id;
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<BackupJobId>,
    query: Result<Query<ExportEvidenceQuery>, QueryRejection>,
) -> Result<impl IntoResponse> {
    let Query(ExportEvidenceQuery { checkpoint, remembered }) = query.map_err(|_| {
        let message =
            "The query parameters are checkpoint and remembered, each a number of events from 1, at most once.";
        ApiError::new(ErrorCode::InvalidRequest, message)
    })?;
    if checkpoint == Some(0) || remembered == Some(0) {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "A checkpoint of no events proves nothing."));
    }
    let asked = Asked { checkpoint, remembered };
    let made = Box::pin(backup(&state.store, &state.keyring, caller.org_id(), id, asked, false)).await?;
    let as_of = made.checkpoint;
    // Up to 32 MiB are compressed: that keeps other requests waiting where they are answered.
    let packed = tokio::task::spawn_blocking(move || bundle::archive(&made.files)).await;
    let bytes = packed.map_err(ApiError::internal)?.map_err(ApiError::internal)?;

    // Who took evidence away is on record before the first byte of it leaves.
    let exported = Payload::EvidenceExported(EvidenceExported {
        backup_job_id: Some(id),
        checkpoint_size: Some(as_of),
        bundle_sha256: Some(hex::encode(Sha256::digest(&bytes))),
        api_key_id: Some(caller.key.id),
        ..EvidenceExported::default()
    });
    state.store.record_organization_event(caller.org_id(), state.system.now(), &exported).await?;
    let disposition = format!("attachment; filename=\"{}\"", bundle::file_name(id));
    Ok(([(CONTENT_TYPE, "application/gzip".to_owned()), (CONTENT_DISPOSITION, disposition)], bytes))
}

impl From<BundleError> for ApiError {
    fn from(error: BundleError) -> Self {
        match (error.code(), error) {
            (_, BundleError::Store(error)) => error.into(),
            (Some(code), error) => Self::new(code, error.to_string()),
            (None, error) => Self::internal(error),
        }
    }
}
