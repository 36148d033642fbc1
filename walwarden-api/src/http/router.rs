//! The one list of routes. Methods, paths, callers and scopes come from the contract's operations.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post};
use tower_http::catch_panic::CatchPanicLayer;
use walwarden_contract::ErrorCode;
use walwarden_contract::operations::{BASE_PATH, operation};

use super::accompany::accompany;
use super::bounds::BODY_LIMIT;
use super::error::ApiError;
use super::guard::guard;
use super::routes::{
    audit, backups, databases, destinations, evidence, inventory, keys, profile, readiness, recovery, restores,
    service, tools,
};
use super::state::AppState;
use super::{compression, planned};

/// How long a request may take, its body included.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Which handler answers which operation.
pub(super) fn handlers() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("getProfile", get(profile::get::handle)),
        ("listDatabases", get(databases::list::handle)),
        ("getDatabase", get(databases::get::handle)),
        ("listDestinations", get(destinations::list::handle)),
        ("getDestination", get(destinations::get::handle)),
        ("listDatabaseBackups", get(backups::list::handle)),
        ("triggerBackup", post(backups::trigger::handle)),
        ("getBackup", get(backups::get::handle)),
        ("listEvidence", get(evidence::list::handle)),
        ("getEvidence", get(evidence::get::handle)),
        ("getRecoverySummary", get(recovery::summary::handle)),
        ("getRecoveryCandidate", get(recovery::candidate::handle)),
        ("getRecoveryWindowProof", get(recovery::proof::handle)),
        ("listAuditStreams", get(audit::streams::handle)),
        ("listAuditEvents", get(audit::events::handle)),
        ("verifyAuditStream", get(audit::verify::handle)),
        ("getReconciliation", get(inventory::reconciliation::handle)),
        ("getReadiness", get(readiness::get::handle)),
        ("getApiKey", get(keys::get::handle)),
        ("listTools", get(tools::list::handle)),
        ("createDatabase", post(databases::create::handle)),
        ("updateDatabase", patch(databases::update::handle)),
        ("checkDatabase", post(databases::check::handle)),
        ("deleteDatabase", delete(databases::delete::handle)),
        ("createDestination", post(destinations::create::handle)),
        ("updateDestination", patch(destinations::update::handle)),
        ("deleteDestination", delete(destinations::delete::handle)),
        ("preflightDestination", post(destinations::preflight::handle)),
        ("cancelBackup", post(backups::cancel::handle)),
        ("dismissBackup", post(backups::dismiss::handle)),
        ("exportEvidence", get(evidence::export::handle)),
        ("createRestore", post(restores::create::handle)),
        ("getRestore", get(restores::get::handle)),
        ("triggerRestore", post(restores::trigger::handle)),
        ("claimRestore", post(restores::claim::handle)),
        ("refreshArtifactUrl", post(restores::refresh::handle)),
        ("reportRestore", post(restores::report::handle)),
    ]
}

/// Everything that this server answers.
///
/// # Panics
/// When a handler is registered for an operation that the contract does not have: a defect that every test meets.
pub fn router(state: AppState) -> Router {
    let mut routes = service_routes().merge(service::documents());
    for (id, handler) in handlers() {
        let operation = operation(id).expect("handlers are registered under ids of the contract");
        let guarded = handler.route_layer(from_fn_with_state((state.clone(), operation), guard));
        routes = routes.route(&format!("{BASE_PATH}{}", operation.path), guarded);
    }
    wrap(planned::add(routes), state, TIME_LIMIT)
}

/// What a process answers that only works: whether it is alive and ready, and what it counted.
pub fn status_router(state: AppState) -> Router {
    wrap(service_routes(), state, TIME_LIMIT)
}

fn service_routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(service::healthz))
        .route("/readyz", get(service::readyz))
        .route("/metrics", get(service::metrics))
        .route("/.well-known/walwarden-pubkey.pem", get(service::public_key))
        .route("/.well-known/{file}", get(service::earlier_public_key))
}

/// Puts around routes what every request gets.
pub(super) fn wrap(routes: Router<AppState>, state: AppState, time_limit: Duration) -> Router {
    routes
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(compression::layer())
        .layer(from_fn_with_state((state.clone(), time_limit), accompany))
        .with_state(state)
}

/// What the panic said goes to stderr by the panic hook; the caller learns that there was one.
fn answer_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::of(ErrorCode::InternalError).into_response()
}
