//! `getReconciliation`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::ReconciliationReport;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::state::AppState;
use crate::store::looks::LookKind;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<ReconciliationReport>> {
    let text = state.store.look_result(LookKind::Inventory, caller.org_id()).await?.ok_or_else(|| {
        let message =
            "There is no report yet: a worker makes one every day, and `walwarden-api admin reconcile` at once.";
        ApiError::new(ErrorCode::NotFound, message)
    })?;
    Ok(Json(serde_json::from_str(&text).map_err(ApiError::internal)?))
}
