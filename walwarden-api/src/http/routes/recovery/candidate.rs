//! `getRecoveryCandidate`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use walwarden_contract::model::{RecoveryCandidate, RecoveryCandidateQuery};
use walwarden_contract::{DatabaseId, ErrorCode, OrgId, Timestamp};

use super::windows::{closes_at, newest, oldest};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Id;
use crate::http::proof::drill_proof;
use crate::http::state::AppState;
use crate::http::view::rpo_minutes;

/// In a query a plus sign stands for a space, which is how the offset of a time gets lost.
const BAD_QUERY: &str = "The one query parameter is incidentTime: an RFC 3339 time with a time zone, such as \
                         2026-01-31T02:00:00Z. Write the plus sign of an offset as %2B.";

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
    query: Result<Query<RecoveryCandidateQuery>, QueryRejection>,
) -> Result<Json<RecoveryCandidate>> {
    let Query(RecoveryCandidateQuery { incident_time }) =
        query.map_err(|_| ApiError::new(ErrorCode::InvalidRequest, BAD_QUERY))?;
    let org_id = caller.org_id();
    state.store.database(org_id, id).await?;
    let Some(backup) = newest(&state, org_id, id, Some(incident_time)).await? else {
        return Err(no_candidate(&state, org_id, id, incident_time).await?);
    };
    let now = state.system.now();
    Ok(Json(RecoveryCandidate {
        database_id: id,
        incident_time,
        evaluated_at: now,
        backup_job_id: backup.job.id,
        manifest_hash: backup.manifest_hash(),
        integrity: backup.integrity().into(),
        window: backup.window(closes_at(&state, &backup).await?),
        loss_minutes: rpo_minutes(backup.snapshot_at(), incident_time),
        provisional: incident_time > now,
        lock: backup.lock(now),
        drill: drill_proof(&state, org_id, backup.job.id).await?,
    }))
}

async fn no_candidate(state: &AppState, org_id: OrgId, id: DatabaseId, time: Timestamp) -> Result<ApiError> {
    let message = match oldest(state, org_id, id, None).await? {
        Some(first) => {
            let window = first.window(None);
            let (window_id, opens_at) = (window.window_id, window.opens_at);
            format!("No verified backup was whole by {time}. The oldest window, {window_id}, opens at {opens_at}.")
        }
        None => "This database has no verified backup.".to_owned(),
    };
    Ok(ApiError::new(ErrorCode::NoRecoveryCandidate, message))
}
