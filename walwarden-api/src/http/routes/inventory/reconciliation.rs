//! `getReconciliation`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::ReconciliationReport;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::state::AppState;
use crate::jobs::inventory::last_report;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<ReconciliationReport>> {
    let usual_millis = i64::from(state.settings.inventory_check_seconds) * 1000;
    let report = last_report(&state.store, caller.org_id(), state.system.now(), usual_millis).await?;
    Ok(Json(report.ok_or_else(|| {
        let message =
            "There is no report yet: a worker makes one every day, and `walwarden-api admin reconcile` at once.";
        ApiError::new(ErrorCode::NotFound, message)
    })?))
}
