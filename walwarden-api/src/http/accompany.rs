//! What happens around every request: its id, its bounds, its time limit, its log line, its metrics, and the body of its
//! error.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use tracing::field::Empty;
use walwarden_contract::ErrorCode;
use walwarden_contract::telemetry::{HTTP_REQUEST_SECONDS, HTTP_REQUESTS};

use super::error::{ApiError, finish};
use super::rate_limit::Allowance;
use super::state::AppState;
use super::{bounds, compression, trace};
use crate::telemetry::traces::Traced;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What becomes known of a request on its way in, for whatever answers it: which operation it came to, and what its
/// caller may still send.
#[derive(Clone, Default)]
pub(super) struct RequestCell(Arc<Known>);

#[derive(Default)]
struct Known {
    operation: OnceLock<&'static str>,
    allowance: OnceLock<Allowance>,
}

impl RequestCell {
    /// The cell of a request. One that nobody accompanies gets a cell that nobody reads.
    pub(super) fn of(request: &Extensions) -> Self {
        request.get::<Self>().cloned().unwrap_or_default()
    }

    pub(super) fn set_operation(&self, id: &'static str) {
        // A request is routed once, so that nothing is ever there already.
        let _ = self.0.operation.set(id);
    }

    pub(super) fn set_allowance(&self, allowance: Allowance) {
        // It is counted once, too.
        let _ = self.0.allowance.set(allowance);
    }
}

/// The caller's own id where it has one that can stand in logs and headers, or a new one. What is refused is shown
/// nowhere: it may be made to look like a log line.
fn request_id(state: &AppState, headers: &HeaderMap) -> HeaderValue {
    let mut values = headers.get_all(REQUEST_ID).iter();
    let sound = |value: &&HeaderValue| {
        let text = value.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
        (1..=128).contains(&text.len()) && text.iter().all(allowed)
    };
    if let (Some(value), None) = (values.next().filter(sound), values.next()) {
        return value.clone();
    }
    let fresh = HeaderValue::from_str(&state.system.uuid().to_string());
    fresh.expect("digits and hyphens make a header")
}

pub(super) async fn accompany(
    State((state, time_limit)): State<(AppState, Duration)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id_header = request_id(&state, request.headers());
    let request_id = id_header.to_str().unwrap_or_default();
    let cell = RequestCell::default();
    request.extensions_mut().insert(cell.clone());
    compression::settle(request.headers_mut());
    let span = tracing::info_span!("request", %request_id, operation = Empty);
    let traced = trace::begin(&request, request_id).unwrap_or_else(Traced::nothing);

    let response = match bounds::check(&request) {
        // The handler reads the body, so that a slow one counts into the same time.
        Ok(()) => tokio::time::timeout(time_limit, traced.around(next.run(request)))
            .instrument(span.clone())
            .await
            .unwrap_or_else(|_| ApiError::of(ErrorCode::Timeout).into_response()),
        Err(error) => error.into_response(),
    };
    let mut response = finish(response, request_id);
    let headers = response.headers_mut();
    // Answers hold tokens and presigned URLs, unless their handler says that they may be kept.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(allowance) = cell.0.allowance.get() {
        allowance.tell(headers);
    }
    let operation = cell.0.operation.get().copied();
    trace::answered(&traced, operation, &response);
    record(&span, operation, response.status(), started.elapsed());
    response.headers_mut().insert(REQUEST_ID, id_header);
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
