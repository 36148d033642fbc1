//! The span of a request: what is told of it, and what is not, such as the values in its path.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use walwarden_contract::ErrorCode;
use walwarden_contract::operations::BASE_PATH;
use walwarden_contract::telemetry::spans;

use crate::telemetry::traces::Traced;

/// Methods that are told as they are.
const METHODS: &[&str] = &["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"];

/// Begins the span of a request that came to a path of the API. Probes come every few seconds, and what came to nowhere may be
/// called anything.
pub(super) fn begin(request: &Request, request_id: &str) -> Option<Traced> {
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    route.strip_prefix(BASE_PATH)?;
    let method = METHODS.iter().find(|method| **method == request.method().as_str()).copied().unwrap_or("_OTHER");
    let traced = Traced::request(request.headers(), || format!("{method} {route}"));
    traced.set(spans::METHOD, method);
    traced.show(spans::ROUTE, route);
    traced.show(spans::REQUEST_ID, request_id);
    Some(traced)
}

/// Tells how it was answered.
pub(super) fn answered(traced: &Traced, operation: Option<&'static str>, response: &Response) {
    let status = response.status();
    traced.set(spans::OPERATION, operation.unwrap_or("none"));
    traced.set(spans::STATUS, i64::from(status.as_u16()));
    match response.extensions().get::<ErrorCode>() {
        Some(code) if status.is_server_error() => traced.fail(*code),
        // The server did what it should.
        Some(code) => traced.set(spans::ERROR_TYPE, code.as_str()),
        None => {}
    }
}
