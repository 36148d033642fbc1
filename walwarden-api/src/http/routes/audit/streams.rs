//! `listAuditStreams`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::StreamId;
use walwarden_contract::model::{AuditStream, AuditStreamList};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Page;
use crate::http::state::AppState;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    page: Page<StreamId>,
) -> Result<Json<AuditStreamList>> {
    let read = state.store.audit_streams(caller.org_id(), page.after, page.limit + 1).await?;
    let (heads, next_cursor) = page.cut(read, |head| head.stream_id.to_string());
    let shown =
        heads.into_iter().map(|head| AuditStream { stream_id: head.stream_id, events: head.events, head: head.head });
    Ok(Json(AuditStreamList { streams: shown.collect(), next_cursor }))
}
