//! What is planned and can be called already: every call is refused, and says of what.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::routing::{MethodFilter, on};
use walwarden_contract::ErrorCode;
use walwarden_contract::capabilities::{CAPABILITIES, Capability, PlannedRoute};
use walwarden_contract::operations::{BASE_PATH, Method};

use super::accompany::RequestCell;
use super::auth;
use super::error::{ApiError, Result};
use super::guard::{count, require};
use super::rate_limit::Principal;
use super::state::AppState;

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// Adds the routes of what is not built.
pub(super) fn add(routes: Router<AppState>) -> Router<AppState> {
    let planned = CAPABILITIES.iter().filter_map(|capability| Some((capability, capability.route?)));
    planned.fold(routes, |routes, (capability, route)| {
        let handler = on(filter(route.method), async move |State(state): State<AppState>, request: Request| {
            let (parts, _) = request.into_parts();
            match check(&state, capability, route, &parts).await {
                Ok(()) => {
                    let message = format!("{} is {}, not built.", capability.id, capability.status.as_str());
                    ApiError::new(ErrorCode::CapabilityNotAvailable, message)
                }
                Err(error) => error,
            }
        });
        routes.route(&format!("{BASE_PATH}{}", route.path), handler)
    })
}

/// Who may not call it once it is built learns that first.
async fn check(state: &AppState, capability: &'static Capability, route: PlannedRoute, request: &Parts) -> Result<()> {
    let cell = RequestCell::of(&request.extensions);
    cell.set_operation(capability.id);
    let caller = auth::authenticate(state, &request.headers).await?;
    count(state, &cell, Principal::Key(caller.key.id))?;
    require(&caller, route.scope)
}
