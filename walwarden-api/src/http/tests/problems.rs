//! Every refusal and failure is a problem of the catalog, whoever noticed it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use serde_json::json;
use walwarden_contract::{ErrorCode, Problem};

use super::fixture::{Answer, Fixture, send_to};
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
async fn hostile_bodies_are_refused_and_never_repeated() {
    let fixture = Fixture::new().await;
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(500), "]".repeat(500));
    let cases: [(&[u8], ErrorCode); 10] = [
        (deep.as_bytes(), ErrorCode::UnprocessableRequest),
        (b"[[[[", ErrorCode::InvalidRequest),
        (&[b'['; 1000], ErrorCode::InvalidRequest),
        (b"{\"trigger\":\"\xff\"}", ErrorCode::InvalidRequest),
        (b"{\"trigger\":\"adhoc\",\"trigger\":\"adhoc\"}", ErrorCode::UnprocessableRequest),
        (b"{\"trigger\":\"hunter2, expected hunter2\"}", ErrorCode::UnprocessableRequest),
        (b"{\"trigger\":[\"hunter2\"]}", ErrorCode::UnprocessableRequest),
        (b"{\"trigger\":1234567}", ErrorCode::UnprocessableRequest),
        (b"{\"trigger\":\"adhoc\"}hunter2", ErrorCode::InvalidRequest),
        (b"\"hunter2\"", ErrorCode::UnprocessableRequest),
    ];
    for (body, code) in cases {
        let request = Request::post(format!("/api/v1/databases/{}/backups", fixture.database.id))
            .header("authorization", format!("Bearer {}", fixture.key))
            .header("idempotency-key", "k")
            .header("content-type", "application/json; charset=utf-8");
        let answer = fixture.send(request.body(Body::from(body.to_vec())).expect("a request")).await;
        assert_problem(&answer, code);
        assert!(!answer.text.contains("hunter2") && !answer.text.contains("1234567"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_read_and_a_body_where_none_belongs_is_refused() {
    let fixture = Fixture::new().await;
    let request = |request: axum::http::request::Builder| {
        request
            .header("authorization", format!("Bearer {}", fixture.key))
            .header("idempotency-key", "k")
            .header("content-type", "application/json")
    };
    let path = format!("/api/v1/databases/{}", fixture.database.id);
    let post = || request(Request::post(format!("{path}/backups")));
    let gzip = post().header("content-encoding", "gzip").body(Body::from("{}")).expect("a request");
    assert_problem(&fixture.send(gzip).await, ErrorCode::UnsupportedMediaType);
    for read in [request(Request::get(&path)), request(Request::delete(&path))] {
        let answer = fixture.send(read.body(Body::from("{}")).expect("a request")).await;
        assert_problem(&answer, ErrorCode::InvalidRequest);
    }
    let empty = Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(axum::body::Bytes::new())]));
    let answer = fixture.send(request(Request::get(&path)).body(empty).expect("a request")).await;
    assert_eq!(answer.status, StatusCode::OK, "a body that turns out empty is none");
    let plain = post().header("content-encoding", "identity").body(Body::from("{}")).expect("a request");
    assert_eq!(fixture.send(plain).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_anybody_is_asked_who_it_is() {
    let fixture = Fixture::new().await;
    let send = async |request: axum::http::request::Builder| {
        fixture.send(request.body(Body::empty()).expect("a request")).await
    };
    let profile = || Request::get("/api/v1/profile");
    assert_problem(&send(profile().header("x-large", "x".repeat(16 * 1024))).await, ErrorCode::HeadersTooLarge);
    let many = |count: usize| (0..count).fold(profile(), |request, index| request.header(format!("x-{index}"), "1"));
    assert_problem(&send(many(65)).await, ErrorCode::HeadersTooLarge);
    assert_problem(&send(many(64)).await, ErrorCode::Unauthorized);
    let repeated = (0..3).fold(profile(), |request, _| request.header("x-same", "x".repeat(6 * 1024)));
    assert_problem(&send(repeated).await, ErrorCode::HeadersTooLarge);
    let long = Request::get(format!("/api/v1/profile?{}", "x".repeat(8 * 1024)));
    assert_problem(&send(long).await, ErrorCode::InvalidRequest);
    let long = Request::get(format!("/{}", "x".repeat(8 * 1024)));
    assert_problem(&send(long).await, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_callers_request_id_is_kept_when_it_can_stand_in_a_log() {
    let fixture = Fixture::new().await;
    let longest = "x".repeat(128);
    for id in ["1", "build-7.2:step_3", "0194d6f2-1b2c-7000-8000-000000000001", &longest] {
        let request = Request::get("/api/v1/profile").header("x-request-id", id);
        let answer = fixture.send(request.body(Body::empty()).expect("a request")).await;
        assert_problem(&answer, ErrorCode::Unauthorized);
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
    let long = "x".repeat(129);
    let cases: [&[u8]; 7] = [b"", b"a b", b"a\tb", b"level=error", b"\xc3\xa9", b"{\"a\":1}", long.as_bytes()];
    for id in cases {
        let request = Request::get("/api/v1/profile").header("x-request-id", id);
        let answer = fixture.send(request.body(Body::empty()).expect("a request")).await;
        assert_problem(&answer, ErrorCode::Unauthorized);
        let given = answer.header("x-request-id").expect("an id");
        assert_ne!(given.as_bytes(), id);
        assert!(uuid::Uuid::try_parse(given).is_ok(), "{given}");
    }
    let twice = Request::get("/api/v1/profile").header("x-request-id", "a").header("x-request-id", "b");
    let answer = fixture.send(twice.body(Body::empty()).expect("a request")).await;
    assert!(uuid::Uuid::try_parse(answer.header("x-request-id").expect("an id")).is_ok());
}

#[tokio::test]
async fn a_handlers_own_cache_control_is_kept() {
    let fixture = Fixture::new().await;
    let cached = Router::new().route("/file", get(async || ([("cache-control", "max-age=60")], "text")));
    let router = wrap(cached, fixture.state.clone(), Duration::from_secs(30));
    let answer = send_to(&router, Request::get("/file").body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    let answer = send_to(&router, Request::get("/none").body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_timeout() {
    async fn read(_: axum::body::Bytes) -> StatusCode {
        StatusCode::OK
    }
    let fixture = Fixture::new().await;
    let slow = Router::new().route("/slow", axum::routing::post(read));
    let router = wrap(slow, fixture.state.clone(), Duration::from_millis(1));
    let body = Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
    let answer = send_to(&router, Request::post("/slow").body(body).expect("a request")).await;
    assert_problem(&answer, ErrorCode::Timeout);
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
    assert_problem(&send(Request::options("/api/v1/profile")).await, ErrorCode::MethodNotAllowed);
    assert_problem(&send(Request::trace("/api/v1/profile")).await, ErrorCode::MethodNotAllowed);
    assert_problem(&send(Request::builder().method("BREW").uri("/api/v1/profile")).await, ErrorCode::MethodNotAllowed);
    assert_problem(&send(Request::options("*")).await, ErrorCode::NotFound);
    assert_problem(&send(Request::get("/api/v1/profile")).await, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_says_nothing_of_its_cause() {
    async fn panics() -> StatusCode {
        panic!("hunter2")
    }
    let fixture = Fixture::new().await;
    let router = wrap(Router::new().route("/panics", get(panics)), fixture.state.clone(), Duration::from_secs(30));
    let answer = send_to(&router, Request::get("/panics").body(Body::empty()).expect("a request")).await;
    assert_problem(&answer, ErrorCode::InternalError);
    assert!(!answer.text.contains("hunter2"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_timeout() {
    let fixture = Fixture::new().await;
    let hangs = Router::new().route("/hangs", get(std::future::pending::<StatusCode>));
    let router = wrap(hangs, fixture.state.clone(), Duration::from_millis(1));
    let answer = send_to(&router, Request::get("/hangs").body(Body::empty()).expect("a request")).await;
    assert_problem(&answer, ErrorCode::Timeout);
}

#[tokio::test]
async fn a_store_that_is_gone_is_service_unavailable_and_readyz_says_so() {
    let fixture = Fixture::new().await;
    fixture.state.store.close().await;
    assert_problem(&fixture.get("/profile", &fixture.key).await, ErrorCode::ServiceUnavailable);
    let answer = fixture.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
    assert_problem(&answer, ErrorCode::ServiceUnavailable);
}
