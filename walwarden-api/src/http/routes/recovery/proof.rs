//! `getRecoveryWindowProof`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::WindowId;
use walwarden_contract::model::{
    AuditChainProof, ManifestProof, ProofStatus, ReadBackProof, RecoveryWindowProof, SignatureProof,
};

use super::windows::closes_at;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Id;
use crate::http::proof::{check_chain, check_manifest, drill_proof};
use crate::http::state::AppState;
use crate::store::StoreError;

const fn passed_if(holds: bool) -> ProofStatus {
    if holds { ProofStatus::Passed } else { ProofStatus::Failed }
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<WindowId>,
) -> Result<Json<RecoveryWindowProof>> {
    let org_id = caller.org_id();
    let job = match state.store.backup(org_id, id.into()).await {
        Err(StoreError::Missing(_)) => return Err(ApiError::not_found("recovery window")),
        read => read?,
    };
    if !job.is_kept() {
        return Err(ApiError::not_found("recovery window"));
    }
    let chain = check_chain(&state, &job).await?;
    let checked = check_manifest(job, &*state.keyring.history(&state.store).await?);
    let now = state.system.now();
    Ok(Json(RecoveryWindowProof {
        window: checked.window(closes_at(&state, &checked).await?),
        evaluated_at: now,
        manifest: ManifestProof { status: checked.recorded.into(), manifest_hash: checked.manifest_hash() },
        signature: SignatureProof { status: checked.signature.into(), key_id: checked.key_id() },
        read_back: ReadBackProof {
            // What a broken chain says of it is worth nothing.
            status: passed_if(chain.failure.is_none() && chain.read_back_at.is_some()).into(),
            verified_at: chain.read_back_at.unwrap_or_else(|| checked.completed_at()),
        },
        audit_chain: AuditChainProof {
            status: passed_if(chain.failure.is_none()).into(),
            events: u64::try_from(chain.events.len()).unwrap_or(u64::MAX),
        },
        lock: checked.lock(now),
        drill: drill_proof(&state, org_id, checked.job.id).await?,
    }))
}
