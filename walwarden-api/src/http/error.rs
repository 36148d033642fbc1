//! Errors as every surface shows them: `application/problem+json` with a code of the catalog.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use walwarden_contract::error::ConfirmationChallenge;
use walwarden_contract::{ErrorBody, ErrorCode, Problem, Scope};

use crate::engine::storage::{StorageError, StorageErrorKind};
use crate::jobs::preflights::LookError;
use crate::secrets::SealError;
use crate::store::StoreError;

/// How long a caller waits before it tries a server again that cannot answer now.
const RETRY_AFTER_MILLIS: u64 = 2000;

/// A refusal or a failure. What it says is for the caller; what else there is to know goes into the log.
#[derive(Debug, Clone)]
pub(super) struct ApiError(Box<ErrorBody>);

/// Result of a handler.
pub(super) type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let mut body = ErrorBody::new(code, message);
        if code == ErrorCode::ServiceUnavailable {
            body.retry_after_ms = Some(RETRY_AFTER_MILLIS);
        }
        Self(Box::new(body))
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    /// An error that says what the catalog says.
    pub(super) fn of(code: ErrorCode) -> Self {
        Self::new(code, code.meaning())
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no such {what} for this caller."))
    }

    pub(super) fn forbidden(scope: Scope) -> Self {
        let mut error = Self::new(ErrorCode::Forbidden, format!("This API key lacks the scope {scope}."));
        error.0.required_scope = Some(scope.into());
        error
    }

    /// Asks a caller to wait.
    pub(super) fn rate_limited(wait: Duration) -> Self {
        let mut error = Self::of(ErrorCode::RateLimited);
        error.0.retry_after_ms = Some(u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1));
        error
    }

    /// Asks for the consent of a person.
    pub(super) fn confirmation(challenge: ConfirmationChallenge) -> Self {
        let mut error = Self::of(ErrorCode::HumanConfirmationRequired);
        error.0.confirmation = Some(challenge);
        error
    }

    /// A failure that nobody foresaw. The details go to the log only.
    pub(super) fn internal(details: impl std::fmt::Display) -> Self {
        tracing::error!(%details, "the server failed");
        Self::of(ErrorCode::InternalError)
    }
}

impl From<ErrorBody> for ApiError {
    fn from(error: ErrorBody) -> Self {
        Self(Box::new(error))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(what) => Self::not_found(what),
            StoreError::Expired => Self::of(ErrorCode::BackupExpired),
            StoreError::Transition(transition) if transition.from == "timed_out" => {
                Self::of(ErrorCode::RestoreTimedOut)
            }
            StoreError::Transition(transition) => Self::new(ErrorCode::InvalidTransition, transition.to_string()),
            StoreError::Database(details) => {
                tracing::error!(%details, "the store failed");
                Self::of(ErrorCode::ServiceUnavailable)
            }
            other => Self::internal(other),
        }
    }
}

/// Only what a server without the right key meets.
impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        tracing::error!(details = %error, "a stored secret cannot be opened");
        Self::new(
            ErrorCode::DestinationNotReady,
            "The destination's stored credentials cannot be opened by this server.",
        )
    }
}

/// Presigning asks the bucket nothing: what fails is what the destination's settings ask for, or its role.
impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        if matches!(error.kind, StorageErrorKind::Unreachable | StorageErrorKind::Throttled) {
            tracing::warn!(details = %error, "a destination's role cannot be assumed now");
            return Self::new(ErrorCode::ServiceUnavailable, "The destination's role cannot be assumed now.");
        }
        Self::new(ErrorCode::DestinationNotReady, error.message)
    }
}

impl From<LookError> for ApiError {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Sealed(error) => error.into(),
            LookError::Storage(error) => error.into(),
            LookError::Store(error) => error.into(),
        }
    }
}

/// Leaves the body to [`finish`], which knows the request's id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.0.code.known().map(|code| StatusCode::from_u16(code.http_status()));
        let status = status.and_then(Result::ok).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What a status means that was not ours to choose.
fn code_of(status: StatusCode) -> ErrorCode {
    match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => ErrorCode::Timeout,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        StatusCode::UNPROCESSABLE_ENTITY => ErrorCode::UnprocessableRequest,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ErrorCode::HeadersTooLarge,
        status if status.is_client_error() => ErrorCode::InvalidRequest,
        _ => ErrorCode::InternalError,
    }
}

/// Gives every response that is no success the body of a problem, whoever made it.
pub(super) fn finish(mut response: Response, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let ApiError(mut error) =
        response.extensions_mut().remove::<ApiError>().unwrap_or_else(|| ApiError::of(code_of(status)));
    error.request_id = Some(request_id.to_owned());
    let retry_after = error.retry_after_ms.map(|millis| millis.div_ceil(1000));
    let problem = Problem::from(*error);
    let body = serde_json::to_vec(&problem).unwrap_or_default();

    let mut finished = Response::new(Body::from(body));
    *finished.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(status);
    // For whoever tells of it without reading the body.
    if let Some(code) = problem.error.code.known() {
        finished.extensions_mut().insert(code);
    }
    let headers = finished.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if problem.status == 401 {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(allow) = response.headers().get(ALLOW) {
        headers.insert(ALLOW, allow.clone());
    }
    finished
}
