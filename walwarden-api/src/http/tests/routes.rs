//! The router is the contract's table of operations, and nothing else.

use axum::body::Body;
use axum::http::{Method as HttpMethod, Request, StatusCode};
use walwarden_contract::operations::{BASE_PATH, Method, OPERATIONS, Operation};

use super::fixture::Fixture;
use crate::http::router::handlers;

/// A path with an id in the place of each parameter.
pub(super) fn fill(path: &str) -> String {
    let id = |prefix: &str| format!("{prefix}_{}", "0".repeat(32));
    let path = path.replace("{databaseId}", &id("db")).replace("{backupJobId}", &id("bkp"));
    let path = path.replace("{restoreJobId}", &id("rst")).replace("{destinationId}", &id("dst"));
    let path = path.replace("{windowId}", &id("win")).replace("{streamId}", &id("bkp"));
    let path = path.replace("{seq}", "1");
    assert!(!path.contains('{'), "{path}");
    path
}

pub(super) fn path_of(operation: &Operation) -> String {
    fill(operation.path)
}

pub(super) fn method_of(operation: &Operation) -> HttpMethod {
    match operation.method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    }
}

pub(super) fn request_of(operation: &Operation) -> axum::http::request::Builder {
    Request::builder().method(method_of(operation)).uri(format!("{BASE_PATH}{}", path_of(operation)))
}

#[tokio::test]
async fn every_operation_of_the_contract_is_routed_and_nothing_else_is() {
    let fixture = Fixture::new().await;
    for operation in OPERATIONS {
        let answer = fixture.send(request_of(operation).body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} without a key", operation.id);
    }
    let mut registered: Vec<_> = handlers().iter().map(|(id, _)| *id).collect();
    let mut known: Vec<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
    registered.sort_unstable();
    known.sort_unstable();
    assert_eq!(registered, known);
}

#[tokio::test]
async fn a_method_that_no_operation_has_is_405_and_an_unknown_path_is_404() {
    let fixture = Fixture::new().await;
    for operation in OPERATIONS {
        for method in [HttpMethod::GET, HttpMethod::POST, HttpMethod::PUT, HttpMethod::PATCH, HttpMethod::DELETE] {
            let same_path = |other: &&Operation| other.path == operation.path;
            let known = OPERATIONS.iter().filter(same_path).any(|other| method_of(other) == method);
            if known {
                continue;
            }
            let uri = format!("{BASE_PATH}{}", path_of(operation));
            let request = Request::builder().method(&method).uri(&uri).body(Body::empty()).expect("a request");
            let answer = fixture.send(request).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {uri}");
            assert_eq!(answer.code(), "method_not_allowed");
            assert!(answer.header("allow").is_some());
        }
    }
    for path in ["/", "/api", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/databases/", "/api/v2/profile"] {
        let answer = fixture.send(Request::get(path).body(Body::empty()).expect("a request")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let fixture = Fixture::new().await;
    for operation in OPERATIONS.iter().filter(|operation| operation.method == Method::Get) {
        let mut statuses = Vec::new();
        for method in [HttpMethod::GET, HttpMethod::HEAD] {
            let request =
                request_of(operation).method(method).header("authorization", format!("Bearer {}", fixture.key));
            statuses.push(fixture.send(request.body(Body::empty()).expect("a request")).await.status);
        }
        assert_eq!(statuses[0], statuses[1], "{}", operation.id);
    }
}

#[tokio::test]
async fn what_operators_ask_for_needs_no_key() {
    let fixture = Fixture::new().await;
    let get = async |path: &str| fixture.send(Request::get(path).body(Body::empty()).expect("a request")).await;
    assert_eq!(get("/healthz").await.status, StatusCode::OK);
    assert_eq!(get("/readyz").await.status, StatusCode::OK);
    assert_eq!(get("/metrics").await.status, StatusCode::OK);
    let pem = get("/.well-known/walwarden-pubkey.pem").await;
    assert_eq!(pem.text, fixture.state.keyring.public_key_pem());

    fixture.state.drain();
    let draining = get("/readyz").await;
    assert_eq!((draining.status, draining.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "service_unavailable"));
    assert_eq!(draining.header("retry-after"), Some("2"));
    assert_eq!(get("/healthz").await.status, StatusCode::OK);
}
