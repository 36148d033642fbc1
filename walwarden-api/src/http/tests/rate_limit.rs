//! Each key and each restore job has a bucket of its own.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use walwarden_contract::Scope;

use super::fixture::{Fixture, api_key};

#[tokio::test]
async fn a_burst_passes_and_the_next_request_is_told_how_long_to_wait() {
    let fixture = Fixture::limited(2, 5).await;
    for remaining in (0..5).rev() {
        let answer = fixture.get("/profile", &fixture.key).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"default\";q=5;w=3"));
        let reset = (5_u32 - remaining).div_ceil(2);
        assert_eq!(answer.header("ratelimit"), Some(format!("\"default\";r={remaining};t={reset}").as_str()));
    }
    let refused = fixture.get("/profile", &fixture.key).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "rate_limited"));
    assert_eq!(refused.json()["retryAfterMs"], 500);
    assert_eq!(refused.json()["retryable"], true);
    assert_eq!(refused.header("retry-after"), Some("1"), "whole seconds, and never none");
    assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=3"));

    fixture.advance(499);
    assert_eq!(fixture.get("/profile", &fixture.key).await.code(), "rate_limited");
    fixture.advance(1);
    assert_eq!(fixture.get("/profile", &fixture.key).await.status, StatusCode::OK);
    assert_eq!(fixture.get("/profile", &fixture.key).await.code(), "rate_limited");
    fixture.advance(60_000);
    let rested = fixture.get("/profile", &fixture.key).await;
    assert_eq!(rested.header("ratelimit"), Some("\"default\";r=4;t=1"), "no more than the burst is saved up");
}

#[tokio::test]
async fn one_keys_requests_are_not_counted_against_another() {
    let fixture = Fixture::limited(1, 1).await;
    let (_, other) = api_key(&fixture.state, fixture.org_id, Scope::ALL, None).await;
    assert_eq!(fixture.get("/profile", &fixture.key).await.status, StatusCode::OK);
    assert_eq!(fixture.get("/profile", &fixture.key).await.code(), "rate_limited");
    assert_eq!(fixture.get("/profile", &other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn restore_jobs_are_counted_apart_from_the_key_that_opened_them() {
    let fixture = Fixture::limited(1, 1).await;
    let (_, id, token) = fixture.restore_session().await;
    let path = format!("/restores/{id}/states");
    let body = json!({ "state": "token_issued" });
    assert_eq!(fixture.post(&path, &token, "k", &body).await.status, StatusCode::OK);
    let refused = fixture.post(&path, &token, "k", &body).await;
    assert_eq!(refused.code(), "rate_limited");
    assert_eq!(fixture.post(&path, "guess", "k", &body).await.code(), "token_invalid", "strangers have no bucket");
}

#[tokio::test]
async fn what_is_refused_for_another_reason_counts_and_says_so_too() {
    let fixture = Fixture::limited(1, 3).await;
    let (_, key) = api_key(&fixture.state, fixture.org_id, &[Scope::AuditRead, Scope::ReadinessRead], None).await;
    let forbidden = fixture.get("/databases", &key).await;
    assert_eq!((forbidden.code().as_str(), forbidden.header("ratelimit")), ("forbidden", Some("\"default\";r=2;t=1")));
    let planned = fixture.get("/notifications/check", &key).await;
    let told = planned.header("ratelimit");
    assert_eq!((planned.code().as_str(), told), ("capability_not_available", Some("\"default\";r=1;t=2")));
    let missing = fixture.get("/audit/streams/x/events", &key).await;
    assert_eq!((missing.code().as_str(), missing.header("ratelimit")), ("not_found", Some("\"default\";r=0;t=3")));
    assert_eq!(fixture.get("/profile", &key).await.code(), "rate_limited");
}

#[tokio::test]
async fn strangers_and_probes_are_not_counted() {
    let fixture = Fixture::limited(1, 1).await;
    for _ in 0..5 {
        let stranger = fixture.get("/profile", "wal_nobody").await;
        assert_eq!((stranger.code().as_str(), stranger.header("ratelimit")), ("unauthorized", None));
        let probe = fixture.send(Request::get("/healthz").body(Body::empty()).expect("a request")).await;
        assert_eq!((probe.status, probe.header("ratelimit")), (StatusCode::OK, None));
    }
    assert_eq!(fixture.state.limits.buckets(), 0);
}

#[tokio::test]
async fn full_buckets_are_thrown_away() {
    let fixture = Fixture::limited(10, 20).await;
    for _ in 0..30 {
        let (_, key) = api_key(&fixture.state, fixture.org_id, &[], None).await;
        fixture.get("/profile", &key).await;
    }
    assert_eq!(fixture.state.limits.buckets(), 30);
    fixture.state.limits.tidy();
    assert_eq!(fixture.state.limits.buckets(), 30, "still in use");
    fixture.advance(60_000);
    fixture.state.limits.tidy();
    assert_eq!(fixture.state.limits.buckets(), 0);
}

#[tokio::test]
async fn zero_switches_the_limit_off() {
    let fixture = Fixture::limited(0, 1).await;
    for _ in 0..50 {
        let answer = fixture.get("/profile", &fixture.key).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (StatusCode::OK, None));
    }
}
