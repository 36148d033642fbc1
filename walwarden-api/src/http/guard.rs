//! What every operation asks for before its handler runs, as the contract's table says: who calls and how often, the
//! shape of the request, the Idempotency-Key, and the consent of a person.

use axum::RequestExt;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::CONTENT_ENCODING;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use walwarden_contract::operations::{Auth, Method, Operation};
use walwarden_contract::{ErrorCode, Scope};

use super::accompany::RequestCell;
use super::auth::Caller;
use super::error::{ApiError, Result};
use super::idempotency::IdempotencyKey;
use super::page::of_list;
use super::rate_limit::Principal;
use super::state::AppState;
use super::{auth, compression, confirmation, token};

pub(super) async fn guard(
    State((state, operation)): State<(AppState, &'static Operation)>,
    mut request: Request,
    next: Next,
) -> Response {
    let cell = RequestCell::of(request.extensions());
    cell.set_operation(operation.id);
    match admit(&state, operation, &cell, &mut request).await {
        Ok(list) => {
            let mut response = of_list(list, next.run(request)).await;
            compression::mark(operation, &mut response);
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn admit(
    state: &AppState,
    operation: &'static Operation,
    cell: &RequestCell,
    request: &mut Request,
) -> Result<String> {
    match operation.auth {
        Auth::ApiKey(scope) => {
            let caller = auth::authenticate(state, request.headers()).await?;
            count(state, cell, Principal::Key(caller.key.id))?;
            require(&caller, scope)?;
            check_shape(operation, request).await?;
            confirmation::require(state, operation, &caller, request).await?;
            request.extensions_mut().insert(caller);
        }
        Auth::RestoreToken => {
            let session = token::authenticate(state, request).await?;
            count(state, cell, Principal::Restore(session.job.id))?;
            check_shape(operation, request).await?;
            request.extensions_mut().insert(session);
        }
    }
    Ok(list_of(operation, request).await)
}

/// Counts the request of a caller who is known.
pub(super) fn count(state: &AppState, cell: &RequestCell, principal: Principal) -> Result<()> {
    let Some(allowance) = state.limits.count(principal) else { return Ok(()) };
    cell.set_allowance(allowance);
    allowance.wait.map_or(Ok(()), |wait| Err(ApiError::rate_limited(wait)))
}

/// Refuses a key without the scope.
pub(super) fn require(caller: &Caller, scope: Option<Scope>) -> Result<()> {
    match scope.filter(|scope| !caller.key.scopes.contains(scope)) {
        Some(scope) => Err(ApiError::forbidden(scope)),
        None => Ok(()),
    }
}

async fn check_shape(operation: &Operation, request: &mut Request) -> Result<()> {
    let invalid = |message| Err(ApiError::new(ErrorCode::InvalidRequest, message));
    if operation.query.is_none() && request.uri().query().is_some_and(|query| !query.is_empty()) {
        return invalid("This operation takes no query parameters.");
    }
    match operation.method {
        // A body here means nothing to this server and may mean something to a proxy before it.
        Method::Get | Method::Delete => {
            let body = std::mem::replace(request.body_mut(), Body::empty());
            if !body.is_end_stream() && to_bytes(body, 0).await.is_err() {
                return invalid("This operation takes no body.");
            }
        }
        Method::Post | Method::Patch => {
            let plain = |value: &axum::http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
            if !request.headers().get_all(CONTENT_ENCODING).iter().all(plain) {
                return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "Compressed bodies are not read."));
            }
        }
    }
    if operation.needs_idempotency_key() {
        let key = IdempotencyKey::read(request.headers())?;
        request.extensions_mut().insert(key);
    }
    Ok(())
}

/// The list that an operation reads: its id, and the ids in the path.
async fn list_of(operation: &Operation, request: &mut Request) -> String {
    let parameters = request.extract_parts::<RawPathParams>().await;
    let ids = parameters.iter().flat_map(|parameters| parameters.iter().map(|(_, value)| value));
    ids.fold(operation.id.to_owned(), |list, id| list + " " + id)
}
