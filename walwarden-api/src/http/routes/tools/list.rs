//! `listTools`.

use axum::Json;
use walwarden_contract::capabilities::catalog;
use walwarden_contract::model::ToolCatalog;

use crate::http::auth::Caller;

pub(in crate::http) async fn handle(caller: Caller) -> Json<ToolCatalog> {
    Json(catalog(&caller.key.scopes))
}
