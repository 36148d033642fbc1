//! `claimRestore`: hands the restore machine what it needs. Its answer holds a presigned URL, so it is never stored;
//! claiming again gives a new one.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_contract::key::to_pem;
use walwarden_contract::model::{RestoreClaim, RestoreReportPayload, RestoreState};

use super::presign::presign;
use crate::http::error::{ApiError, Result};
use crate::http::extract::{Body, Nothing};
use crate::http::state::AppState;
use crate::http::token::Session;
use crate::http::view::restore_view;
use crate::jobs::restores;
use crate::secrets::Standing;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    session: Session,
    _: Body<Nothing>,
) -> Result<Json<RestoreClaim>> {
    let (org_id, id) = (session.payload.org_id, session.job.id);
    let facts = RestoreReportPayload::default();
    let job = restores::report(&state.store, &state.system, org_id, id, RestoreState::Claimed, &facts).await?;
    let backup = state.store.backup(org_id, job.backup_job_id).await?;
    let manifest = backup.manifest.as_deref().ok_or_else(|| ApiError::of(ErrorCode::BackupNotRestorable))?;
    let manifest: Value = serde_json::from_str(manifest).map_err(ApiError::internal)?;
    let keys = state.keyring.history(&state.store).await?;
    let key = match keys.standing(manifest["keyId"].as_str().unwrap_or_default(), backup.finished_at) {
        Standing::Counts(key) => key,
        // The restore machine refuses a manifest that this key did not sign, unless its operator names another one.
        Standing::Revoked(_) | Standing::Unknown => keys.current(),
    };
    Ok(Json(RestoreClaim {
        restore: restore_view(&job),
        manifest,
        public_key_pem: to_pem(key),
        download: presign(&state, &backup).await?,
        // Three signs of life in the time after which the job is sealed: two may get lost.
        heartbeat_seconds: (state.settings.restore_timeout_seconds / 3).max(1),
    }))
}
