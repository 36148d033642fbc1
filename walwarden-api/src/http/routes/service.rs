//! What operators, load balancers and verifiers ask for, without an API key.

use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router, http::HeaderName};
use ed25519_dalek::VerifyingKey;
use serde_json::{Value, json};
use walwarden_contract::ErrorCode;
use walwarden_contract::key::to_pem;

use crate::http::error::{ApiError, Result};
use crate::http::state::AppState;

type Text = ([(HeaderName, &'static str); 1], String);

/// The process is alive.
pub(in crate::http) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The process can answer: its store does, and it is not about to stop.
pub(in crate::http) async fn readyz(State(state): State<AppState>) -> Result<Json<Value>> {
    if !state.ready.load(Ordering::SeqCst) {
        return Err(ApiError::new(ErrorCode::ServiceUnavailable, "The server is stopping."));
    }
    state.store.ping().await?;
    Ok(Json(json!({ "status": "ready" })))
}

/// What was counted, for Prometheus.
pub(in crate::http) async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    let rendered = state.metrics.render() + &state.board.text();
    let text: Text = ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], rendered);
    text
}

fn pem(key: &VerifyingKey) -> Text {
    ([(CONTENT_TYPE, "application/x-pem-file")], to_pem(key))
}

/// The key that signs now, in whichever process: one that was rotated since this one started is known from the store.
pub(in crate::http) async fn public_key(State(state): State<AppState>) -> Result<impl IntoResponse> {
    Ok(pem(state.keyring.history(&state.store).await?.current()))
}

/// A key that signed earlier, by the day on which another took over.
pub(in crate::http) async fn earlier_public_key(
    State(state): State<AppState>,
    Path(file): Path<String>,
) -> Result<impl IntoResponse> {
    let keys = state.keyring.history(&state.store).await?;
    let found = keys.published().into_iter().find(|(name, _)| *name == file);
    let (_, key) = found.ok_or_else(|| ApiError::not_found("public key"))?;
    Ok(pem(key))
}

/// A document that is the same for everybody, and part of the program.
struct Document {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! document {
    ($path:literal, $content_type:literal, $file:literal) => {
        Document {
            path: $path,
            content_type: $content_type,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $file)),
        }
    };
}

const DOCUMENTS: &[Document] = &[
    document!("/openapi/walwarden.v1.json", "application/json", "openapi/walwarden.v1.json"),
    document!("/llms.txt", "text/plain; charset=utf-8", "docs/llms.txt"),
    document!("/llms-full.txt", "text/plain; charset=utf-8", "docs/llms-full.txt"),
    document!("/skills/walwarden/SKILL.md", "text/markdown; charset=utf-8", "skills/walwarden/SKILL.md"),
    document!("/skills/walwarden/surface.json", "application/json", "skills/walwarden/surface.json"),
];

/// The documents that describe this server to programs.
pub(in crate::http) fn documents() -> Router<AppState> {
    DOCUMENTS.iter().fold(Router::new(), |router, document| {
        let headers = [(CONTENT_TYPE, document.content_type), (CACHE_CONTROL, "public, max-age=300")];
        router.route(document.path, get(async move || (headers, document.text)))
    })
}
