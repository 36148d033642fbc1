//! What every operation asks for before its handler runs, as the contract's table says: who calls, the query, and the
//! Idempotency-Key.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use walwarden_contract::ErrorCode;
use walwarden_contract::operations::{Auth, Operation};

use super::accompany::OperationCell;
use super::error::{ApiError, Result};
use super::idempotency::IdempotencyKey;
use super::state::AppState;
use super::{auth, token};

pub(super) async fn guard(
    State((state, operation)): State<(AppState, &'static Operation)>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(cell) = request.extensions().get::<OperationCell>() {
        cell.set(operation.id);
    }
    match admit(&state, operation, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn admit(state: &AppState, operation: &'static Operation, request: &mut Request) -> Result<()> {
    match operation.auth {
        Auth::ApiKey(scope) => {
            let caller = auth::authenticate(state, request.headers()).await?;
            if let Some(scope) = scope.filter(|scope| !caller.key.scopes.contains(scope)) {
                return Err(ApiError::forbidden(scope));
            }
            request.extensions_mut().insert(caller);
        }
        Auth::RestoreToken => {
            let session = token::authenticate(state, request).await?;
            request.extensions_mut().insert(session);
        }
    }
    if operation.query.is_none() && request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "This operation takes no query parameters."));
    }
    if operation.needs_idempotency_key() {
        let key = IdempotencyKey::read(request.headers())?;
        request.extensions_mut().insert(key);
    }
    Ok(())
}
