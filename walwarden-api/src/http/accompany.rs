//! What happens around every request: its id, its time limit, its log line, its metrics, and the body of its error.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use tracing::field::Empty;
use walwarden_contract::ErrorCode;

use super::error::{ApiError, finish};
use super::state::AppState;
use crate::telemetry::{HTTP_REQUEST_SECONDS, HTTP_REQUESTS};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Which operation a request came to, once that is known.
#[derive(Clone, Default)]
pub(super) struct OperationCell(Arc<OnceLock<&'static str>>);

impl OperationCell {
    pub(super) fn set(&self, id: &'static str) {
        // A request is routed once, so that nothing is ever there already.
        let _ = self.0.set(id);
    }
}

pub(super) async fn accompany(
    State((state, time_limit)): State<(AppState, Duration)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let request_id = state.system.uuid().to_string();
    let operation = OperationCell::default();
    request.extensions_mut().insert(operation.clone());
    let span = tracing::info_span!("request", %request_id, operation = Empty);

    let answered = tokio::time::timeout(time_limit, next.run(request)).instrument(span.clone()).await;
    let response = answered.unwrap_or_else(|_| ApiError::of(ErrorCode::Timeout).into_response());
    let mut response = finish(response, &request_id);
    let headers = response.headers_mut();
    // Answers hold tokens and presigned URLs.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    record(&span, operation.0.get().copied(), response.status(), started.elapsed());
    response
}

fn record(span: &tracing::Span, operation: Option<&'static str>, status: StatusCode, elapsed: Duration) {
    let label = operation.unwrap_or("none");
    metrics::counter!(HTTP_REQUESTS, "operation" => label, "status" => status.as_u16().to_string()).increment(1);
    metrics::histogram!(HTTP_REQUEST_SECONDS, "operation" => label).record(elapsed.as_secs_f64());
    span.record("operation", label);
    let _entered = span.enter();
    let (status, latency_ms) = (status.as_u16(), u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
    // Probes come every few seconds, and say nothing new.
    if operation.is_some() || status >= 500 {
        tracing::info!(status, latency_ms, "answered");
    } else {
        tracing::debug!(status, latency_ms, "answered");
    }
}
