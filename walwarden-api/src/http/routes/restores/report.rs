//! `reportRestore`: a state that the restore machine has reached, or that it is still there.

use axum::Json;
use axum::extract::State;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{Restore, RestoreReport, RestoreReportPayload, RestoreState};

use crate::http::error::{ApiError, Result};
use crate::http::extract::Body;
use crate::http::state::AppState;
use crate::http::token::Session;
use crate::http::view::restore_view;
use crate::jobs::restores;

/// The audit chain takes facts, and no free text.
fn check(facts: &RestoreReportPayload) -> Result<()> {
    let invalid = |message: &str| Err(ApiError::new(ErrorCode::UnprocessableRequest, message));
    let is_checksum =
        |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_version = |text: &str| {
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    if facts.checksum_sha256.as_deref().is_some_and(|text| !is_checksum(text)) {
        return invalid("payload.checksumSha256 has 64 lowercase hexadecimal digits.");
    }
    if facts.pg_restore_version.as_deref().is_some_and(|text| !is_version(text)) {
        return invalid("payload.pgRestoreVersion is a version such as 15.18.");
    }
    Ok(())
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    session: Session,
    request: Body<RestoreReport>,
) -> Result<Json<Restore>> {
    let RestoreReport { state: reached, payload } = request.value;
    check(&payload)?;
    let job = session.job;
    // Issuing, using and timing out are the server's own steps: reported, they are signs of life at most.
    let own = matches!(reached, RestoreState::TokenIssued | RestoreState::Triggered | RestoreState::TimedOut);
    if own && reached != job.state() {
        let message = format!("{} is not for the restore machine to report.", reached.as_str());
        return Err(ApiError::new(ErrorCode::InvalidTransition, message));
    }
    let job = restores::report(&state.store, &state.system, job.org_id, job.id, reached, &payload).await?;
    Ok(Json(restore_view(&job)))
}
