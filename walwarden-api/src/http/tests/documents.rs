//! The documents that describe the server are there for everybody, and are those of this version.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::fixture::Fixture;

#[tokio::test]
async fn documents_need_no_key_and_may_be_kept_for_a_while() {
    let fixture = Fixture::new().await;
    let cases = [
        ("/openapi/walwarden.v1.json", "application/json", "openapi/walwarden.v1.json"),
        ("/llms.txt", "text/plain; charset=utf-8", "docs/llms.txt"),
        ("/llms-full.txt", "text/plain; charset=utf-8", "docs/llms-full.txt"),
        ("/skills/walwarden/SKILL.md", "text/markdown; charset=utf-8", "skills/walwarden/SKILL.md"),
        ("/skills/walwarden/surface.json", "application/json", "skills/walwarden/surface.json"),
    ];
    for (path, content_type, file) in cases {
        let answer = fixture.send(Request::get(path).body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"), "{path}");
        let checked_in = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        assert_eq!(answer.text, std::fs::read_to_string(checked_in).expect("a file"), "{path}");
        if content_type == "application/json" {
            serde_json::from_str::<Value>(&answer.text).expect("is JSON");
        }
    }
    let answer = fixture.get("/profile", &fixture.key).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"), "an answer to a key is kept by nobody");
}
