//! Large JSON answers are compressed for who asks, and secrets never are.

use std::io::Read;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::fixture::{Answer, Fixture, database};

async fn get(fixture: &Fixture, path: &str, accept: &str) -> Answer {
    let request = Request::get(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", fixture.key))
        .header("accept-encoding", accept);
    fixture.send(request.body(Body::empty()).expect("a request")).await
}

async fn large() -> Fixture {
    let fixture = Fixture::new().await;
    for index in 0..10 {
        database(&fixture.state, fixture.org_id, &format!("db{index}")).await;
    }
    fixture
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_who_asks() {
    let fixture = large().await;
    let plain = fixture.get("/databases", &fixture.key).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    for accept in ["gzip", "br, gzip;q=0.5", "GZIP", "deflate, gzip ; q=1.0, *;q=0"] {
        let packed = get(&fixture, "/databases", accept).await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{accept}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert!(packed.bytes.len() < plain.bytes.len() / 2);
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.bytes.as_slice()).read_to_string(&mut text).expect("is gzip");
        assert_eq!(text, plain.text);
    }
}

#[tokio::test]
async fn who_does_not_want_gzip_is_answered_plainly() {
    let fixture = large().await;
    for accept in ["", "br", "identity", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "identity;q=0", "*;q=0, gzip;q=0"] {
        let answer = get(&fixture, "/databases", accept).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, None), "{accept}");
        assert!(answer.json()["databases"].is_array());
    }
}

#[tokio::test]
async fn small_answers_and_errors_are_not_compressed() {
    let fixture = large().await;
    let small = get(&fixture, "/profile", "gzip").await;
    assert_eq!((small.status.as_u16(), small.header("content-encoding")), (200, None));
    let error = get(&fixture, "/nowhere", "gzip").await;
    assert_eq!((error.code().as_str(), error.header("content-encoding")), ("not_found", None));
}

#[tokio::test]
async fn tokens_and_presigned_urls_are_not_compressed() {
    let fixture = Fixture::new().await;
    let post = async |path: String, bearer: &str, body: serde_json::Value| {
        let request = Request::post(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {bearer}"))
            .header("idempotency-key", path.replace('/', "-"))
            .header("content-type", "application/json")
            .header("accept-encoding", "gzip");
        let answer = fixture.send(request.body(Body::from(body.to_string())).expect("a request")).await;
        assert_eq!(answer.header("content-encoding"), None, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        answer
    };
    let backup = fixture.completed_backup().await;
    let body =
        json!({ "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": "postgresql://h:5432/p" });
    let session = post("/restores".to_owned(), &fixture.key, body).await.json();
    let (id, token) = (session["restoreJobId"].as_str().expect("an id"), session["token"].as_str().expect("a token"));
    let body = json!({ "manifestHash": backup.manifest_hash, "mode": "new_database" });
    post(format!("/restores/{id}/trigger"), token, body).await;
    let claim = post(format!("/restores/{id}/claim"), token, json!({})).await;
    assert!(claim.bytes.len() > 1024, "large enough to be worth it");
    post(format!("/restores/{id}/artifact-url"), token, json!({})).await;
}
