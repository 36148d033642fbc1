//! The Idempotency-Key: who sent which body to which operation under it, and what was answered.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use walwarden_contract::ErrorCode;

use super::error::{ApiError, Result};
use super::state::AppState;
use crate::store::idempotency::{IdempotencyScope, StoredResponse};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A valid Idempotency-Key.
#[derive(Debug, Clone)]
pub(super) struct IdempotencyKey(String);

impl IdempotencyKey {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self> {
        let mut values = headers.get_all(HEADER).iter();
        let text = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().unwrap_or_default(),
            _ => "",
        };
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(ApiError::of(ErrorCode::IdempotencyKeyRequired)) }
    }

    /// The key's text.
    pub(super) fn text(&self) -> String {
        self.0.clone()
    }

    /// Binds the key to who asks, what for, and with which body.
    pub(super) fn bind(
        self,
        principal: impl std::fmt::Display,
        operation: impl std::fmt::Display,
        body_hash: String,
    ) -> IdempotencyScope {
        IdempotencyScope { principal: principal.to_string(), operation: operation.to_string(), key: self.0, body_hash }
    }
}

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self> {
        let key = parts.extensions.get::<Self>().cloned();
        key.ok_or_else(|| ApiError::internal("a handler asks for an Idempotency-Key where the contract names none"))
    }
}

/// Refuses a stored response that answers another request.
pub(super) fn same(stored: StoredResponse) -> Result<StoredResponse> {
    if stored.same_request { Ok(stored) } else { Err(ApiError::of(ErrorCode::IdempotencyConflict)) }
}

/// What was answered to this request before, if it was sent before.
pub(super) async fn answered(state: &AppState, scope: &IdempotencyScope) -> Result<Option<StoredResponse>> {
    state.store.stored_response(scope).await?.map(same).transpose()
}

/// A JSON response, marked when it was given before.
pub(super) fn respond(status: u16, body: String, replayed: bool) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The stored response itself.
pub(super) fn replay(stored: StoredResponse) -> Response {
    respond(stored.status, stored.body, true)
}
