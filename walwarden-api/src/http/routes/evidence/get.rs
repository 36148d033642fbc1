//! `getEvidence`.

use axum::Json;
use axum::extract::State;
use serde_json::json;
use walwarden_contract::model::{BackupState, Evidence};
use walwarden_contract::{BackupJobId, ErrorCode};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Id;
use crate::http::proof::{check_chain, check_manifest, drill_proof};
use crate::http::state::AppState;
use crate::http::view::rpo_minutes;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<BackupJobId>,
) -> Result<Json<Evidence>> {
    let job = state.store.backup(caller.org_id(), id).await?;
    if job.state() != BackupState::Completed {
        return Err(ApiError::new(ErrorCode::NotFound, "There is no evidence of a backup that is not completed."));
    }
    let chain = check_chain(&state, &job).await?;
    let checked = check_manifest(job, &*state.keyring.history(&state.store).await?);
    let now = state.system.now();
    Ok(Json(Evidence {
        backup_job_id: id,
        database_id: checked.job.database_id,
        manifest_hash: checked.manifest_hash(),
        key_id: checked.key_id(),
        integrity_verification: checked.verification(Some(&chain)),
        rpo_minutes: rpo_minutes(checked.snapshot_at(), now),
        lock: checked.lock(now),
        encryption: checked.encryption(),
        drill: drill_proof(&state, caller.org_id(), id).await?,
        expired_at: checked.job.expiry.expired_at,
        audit_events: chain.events.iter().map(|event| json!(event)).collect(),
        manifest: checked.document,
    }))
}
