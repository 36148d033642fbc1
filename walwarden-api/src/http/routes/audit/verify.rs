//! `verifyAuditStream`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::StreamId;
use walwarden_contract::model::{AuditVerification, ProofStatus};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::jobs::integrity::{Stop, Walk};
use crate::telemetry::integrity_failed;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<StreamId>,
) -> Result<Json<AuditVerification>> {
    let mut walk = Walk::default();
    let failure = match walk.run(&state.store, caller.org_id(), id).await {
        Ok(()) => None,
        Err(Stop::Broken(failure)) => Some(failure),
        Err(Stop::Store(error)) => return Err(error.into()),
    };
    if let Some(failure) = &failure {
        integrity_failed("audit_chain");
        tracing::error!(stream_id = %id, %failure, "an audit chain does not hold");
    }
    Ok(Json(AuditVerification {
        stream_id: id,
        result: if failure.is_none() { ProofStatus::Passed } else { ProofStatus::Failed }.into(),
        events: walk.events,
        head: walk.head,
        verified_at: state.system.now(),
        failure,
    }))
}
