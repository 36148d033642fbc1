//! `listAuditEvents`.

use axum::Json;
use axum::extract::State;
use serde_json::json;
use walwarden_contract::StreamId;
use walwarden_contract::model::AuditEventList;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::{Id, Page};
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<StreamId>,
    page: Page<u64>,
) -> Result<Json<AuditEventList>> {
    state.store.audit_stream(caller.org_id(), id).await?;
    let after = page.after.unwrap_or_default();
    let read = state.store.audit_events(caller.org_id(), id, after, page.limit + 1).await?;
    let (events, next_cursor) = page.cut(read, |event| event.seq.to_string());
    Ok(Json(AuditEventList { events: events.iter().map(|event| json!(event)).collect(), next_cursor }))
}
