//! Every refusal and failure is a problem of the catalog, whoever noticed it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use serde_json::json;
use tower::ServiceExt;
use walwarden_contract::{ErrorCode, Problem};

use super::fixture::{Answer, Fixture};
use crate::http::router::wrap;

fn assert_problem(answer: &Answer, code: ErrorCode) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text);
    let problem: Problem = serde_json::from_str(&answer.text).expect("a problem");
    assert_eq!(problem.error.code, code, "{}", answer.text);
    assert_eq!(problem.status, answer.status.as_u16());
    assert_eq!(problem.status, code.http_status());
    assert!(!problem.error.next_action.is_empty() && !problem.error.message.is_empty());
    assert_eq!(problem.error.request_id.as_deref(), answer.header("x-request-id"));
    assert_eq!(problem.error.retryable, code.retryable());
}

#[tokio::test]
async fn whatever_is_wrong_with_a_body_has_its_own_code() {
    let fixture = Fixture::new().await;
    let path = format!("/api/v1/databases/{}/backups", fixture.database.id);
    let large = format!("{{\"trigger\":\"{}\"}}", "x".repeat(64 * 1024));
    let cases: [(&str, &str, ErrorCode); 9] = [
        ("application/json", "{", ErrorCode::InvalidRequest),
        ("application/json", "{} {}", ErrorCode::InvalidRequest),
        ("application/json", "\u{0}", ErrorCode::InvalidRequest),
        ("application/json", "[]", ErrorCode::UnprocessableRequest),
        ("application/json", "{\"trigger\":\"scheduled\"}", ErrorCode::UnprocessableRequest),
        ("application/json", "{\"triger\":\"adhoc\"}", ErrorCode::UnprocessableRequest),
        ("text/plain", "{}", ErrorCode::UnsupportedMediaType),
        ("application/x-www-form-urlencoded", "trigger=adhoc", ErrorCode::UnsupportedMediaType),
        ("application/json", &large, ErrorCode::PayloadTooLarge),
    ];
    for (media_type, body, code) in cases {
        let request = Request::post(&path)
            .header("authorization", format!("Bearer {}", fixture.key))
            .header("idempotency-key", "k")
            .header("content-type", media_type);
        let answer = fixture.send(request.body(Body::from(body.to_owned())).expect("a request")).await;
        assert_problem(&answer, code);
    }
    let answer = fixture.get(&format!("/databases/{}/backups", fixture.database.id), &fixture.key).await;
    assert_eq!(answer.json()["backups"], json!([]), "a refused request queues nothing");
}

#[tokio::test]
async fn refusals_before_any_handler_are_problems_too() {
    let fixture = Fixture::new().await;
    let send = async |request: axum::http::request::Builder| {
        fixture.send(request.body(Body::empty()).expect("a request")).await
    };
    assert_problem(&send(Request::get("/nowhere")).await, ErrorCode::NotFound);
    assert_problem(&send(Request::delete("/api/v1/profile")).await, ErrorCode::MethodNotAllowed);
    assert_problem(&send(Request::delete("/healthz")).await, ErrorCode::MethodNotAllowed);
    assert_problem(&send(Request::get("/api/v1/profile")).await, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_says_nothing_of_its_cause() {
    async fn panics() -> StatusCode {
        panic!("hunter2")
    }
    let fixture = Fixture::new().await;
    let router = wrap(Router::new().route("/panics", get(panics)), fixture.state.clone(), Duration::from_secs(30));
    let response = router.oneshot(Request::get("/panics").body(Body::empty()).expect("a request")).await;
    let (parts, body) = response.expect("answers").into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let answer = Answer { status: parts.status, headers: parts.headers, text };
    assert_problem(&answer, ErrorCode::InternalError);
    assert!(!answer.text.contains("hunter2"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_timeout() {
    let fixture = Fixture::new().await;
    let hangs = Router::new().route("/hangs", get(std::future::pending::<StatusCode>));
    let router = wrap(hangs, fixture.state.clone(), Duration::from_millis(1));
    let response = router.oneshot(Request::get("/hangs").body(Body::empty()).expect("a request")).await;
    assert_eq!(response.expect("answers").status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_store_that_is_gone_is_service_unavailable_and_readyz_says_so() {
    let fixture = Fixture::new().await;
    fixture.state.store.close().await;
    assert_problem(&fixture.get("/profile", &fixture.key).await, ErrorCode::ServiceUnavailable);
    let answer = fixture.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
    assert_problem(&answer, ErrorCode::ServiceUnavailable);
}
