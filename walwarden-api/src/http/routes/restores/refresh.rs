//! `refreshArtifactUrl`: a new presigned URL for a download that takes longer than the old one lives.

use axum::Json;
use axum::extract::State;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{ArtifactUrl, RestoreReportPayload, RestoreState};

use super::presign::presign;
use crate::http::error::{ApiError, Result};
use crate::http::extract::{Body, Nothing};
use crate::http::state::AppState;
use crate::http::token::Session;
use crate::jobs::restores;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    session: Session,
    _: Body<Nothing>,
) -> Result<Json<ArtifactUrl>> {
    let job = session.job;
    match job.state() {
        RestoreState::TimedOut => return Err(ApiError::of(ErrorCode::RestoreTimedOut)),
        RestoreState::Claimed | RestoreState::Downloading => {}
        other => {
            let message = format!("A restore job that is {} downloads nothing.", other.as_str());
            return Err(ApiError::new(ErrorCode::InvalidTransition, message));
        }
    }
    // Whoever asks for a URL is there.
    let facts = RestoreReportPayload::default();
    restores::report(&state.store, &state.system, job.org_id, job.id, job.state(), &facts).await?;
    let backup = state.store.backup(job.org_id, job.backup_job_id).await?;
    Ok(Json(presign(&state, &backup).await?))
}
