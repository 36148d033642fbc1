//! What operators, load balancers and verifiers ask for, without an API key.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Json, http::HeaderName};
use serde_json::{Value, json};
use walwarden_contract::ErrorCode;

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
    let text: Text = ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.render());
    text
}

/// The key with which manifests are verified.
pub(in crate::http) async fn public_key(State(state): State<AppState>) -> impl IntoResponse {
    let text: Text = ([(CONTENT_TYPE, "application/x-pem-file")], state.keyring.public_key_pem());
    text
}
