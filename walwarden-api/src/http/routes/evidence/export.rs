//! `exportEvidence`.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};
use walwarden_contract::audit::payload::EvidenceExported;
use walwarden_contract::audit::{Payload, verify_chain};
use walwarden_contract::{BackupJobId, ErrorCode, bundle};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Id;
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<BackupJobId>,
) -> Result<impl IntoResponse> {
    let job = state.store.backup(caller.org_id(), id).await?;
    let Some(manifest) = job.manifest else {
        return Err(ApiError::new(ErrorCode::NotFound, "There is no evidence of a backup that is not completed."));
    };
    let events = state.store.audit_chain(caller.org_id(), &id.to_string()).await?;
    verify_chain(&events).map_err(ApiError::internal)?;
    let bytes = bundle::plain::pack(id, &manifest, &events);

    // Who took evidence away is on record before the first byte of it leaves.
    let exported = Payload::EvidenceExported(EvidenceExported {
        backup_job_id: Some(id),
        bundle_sha256: Some(hex::encode(Sha256::digest(&bytes))),
        api_key_id: Some(caller.key.id),
        ..EvidenceExported::default()
    });
    state.store.record_organization_event(caller.org_id(), state.system.now(), &exported).await?;
    let disposition = format!("attachment; filename=\"{}\"", bundle::file_name(id));
    Ok(([(CONTENT_TYPE, "application/gzip".to_owned()), (CONTENT_DISPOSITION, disposition)], bytes))
}
