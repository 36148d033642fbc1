//! Who may call what, over every operation of the contract.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::Value;
use walwarden_contract::Scope;
use walwarden_contract::operations::{Auth, OPERATIONS};

use super::fixture::{Fixture, HOUR, api_key, completed_backup, database, organization};
use super::routes::{path_of, request_of};

#[tokio::test]
async fn a_missing_malformed_unknown_expired_or_revoked_key_is_answered_alike() {
    let fixture = Fixture::new().await;
    let (_, expired) = api_key(&fixture.state, fixture.org_id, Scope::ALL, Some(HOUR)).await;
    fixture.advance(HOUR);
    let (id, revoked) = api_key(&fixture.state, fixture.org_id, Scope::ALL, None).await;
    let now = fixture.state.system.now();
    fixture.state.store.revoke_api_key(fixture.org_id, id, now).await.expect("revokes");
    let unknown = format!("wal_{}", "a".repeat(64));
    let presented: [(&str, Option<String>); 7] = [
        ("missing", None),
        ("not bearer", Some(format!("Basic {}", fixture.key))),
        ("malformed", Some("Bearer".to_owned())),
        ("empty", Some("Bearer ".to_owned())),
        ("unknown", Some(format!("Bearer {unknown}"))),
        ("expired", Some(format!("Bearer {expired}"))),
        ("revoked", Some(format!("Bearer {revoked}"))),
    ];
    for operation in OPERATIONS.iter().filter(|operation| matches!(operation.auth, Auth::ApiKey(_))) {
        let mut bodies: Vec<Value> = Vec::new();
        for (what, header) in &presented {
            let mut request = request_of(operation);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = fixture.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} with a key that is {what}", operation.id);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            let mut body = answer.json();
            body["requestId"] = Value::Null;
            bodies.push(body);
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{}: {bodies:?}", operation.id);
    }
}

#[tokio::test]
async fn each_operation_needs_exactly_the_scope_that_the_contract_names() {
    let fixture = Fixture::new().await;
    for operation in OPERATIONS {
        let Auth::ApiKey(scope) = operation.auth else { continue };
        for held in Scope::ALL {
            let (_, key) = api_key(&fixture.state, fixture.org_id, &[*held], None).await;
            let request = request_of(operation).header("authorization", format!("Bearer {key}"));
            let answer = fixture.send(request.body(Body::empty()).expect("a request")).await;
            if scope.is_none_or(|scope| scope == *held) {
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{} with {held}", operation.id);
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} with {held}", operation.id);
                let body = answer.json();
                assert_eq!(body["code"], "forbidden");
                assert_eq!(body["requiredScope"], scope.expect("named").as_str());
            }
        }
    }
}

#[tokio::test]
async fn every_post_needs_an_idempotency_key() {
    let fixture = Fixture::new().await;
    for operation in OPERATIONS.iter().filter(|operation| operation.needs_idempotency_key()) {
        if operation.auth == Auth::RestoreToken {
            continue;
        }
        let long = "k".repeat(256);
        for value in [None, Some(""), Some(long.as_str()), Some("tab\there"), Some("two words"), Some("caf\u{e9}")] {
            let mut request = request_of(operation).header("authorization", format!("Bearer {}", fixture.key));
            if let Some(value) = value {
                request = request.header("idempotency-key", value);
            }
            let answer = fixture.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.code(), "idempotency_key_required", "{} with {value:?}", operation.id);
        }
    }
}

#[tokio::test]
async fn what_another_organization_owns_does_not_exist() {
    let fixture = Fixture::new().await;
    let (other, _) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    let backup = completed_backup(&fixture.state, &theirs).await;
    let key = &fixture.key;
    for path in [
        format!("/databases/{}", theirs.id),
        format!("/databases/{}/backups", theirs.id),
        format!("/backups/{}", backup.id),
        format!("/evidence/{}", backup.id),
    ] {
        let answer = fixture.get(&path, key).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
    let body = serde_json::json!({});
    let answer = fixture.post(&format!("/databases/{}/backups", theirs.id), key, "k1", &body).await;
    assert_eq!(answer.code(), "not_found");
    let body = serde_json::json!({
        "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": "postgresql://u@h:5432/postgres",
    });
    assert_eq!(fixture.post("/restores", key, "k2", &body).await.code(), "not_found");
}

#[tokio::test]
async fn an_id_that_is_malformed_is_not_found_and_a_query_that_is_not_known_is_refused() {
    let fixture = Fixture::new().await;
    for path in ["/databases/1", "/backups/db_00000000000000000000000000000000", "/restores/%2e%2e", "/evidence/x"] {
        assert_eq!(fixture.get(path, &fixture.key).await.code(), "not_found", "{path}");
    }
    for operation in OPERATIONS {
        let Auth::ApiKey(_) = operation.auth else { continue };
        let path = format!("/api/v1{}?verbose=1", path_of(operation));
        let request = request_of(operation).uri(path).header("idempotency-key", "k");
        let request = request.header("authorization", format!("Bearer {}", fixture.key));
        let answer = fixture.send(request.body(Body::empty()).expect("a request")).await;
        let known = answer.code() == "invalid_request" || (operation.query.is_some() && answer.code() == "not_found");
        assert!(known, "{}: {}", operation.id, answer.text);
    }
}

#[tokio::test]
async fn a_profile_says_what_the_key_is() {
    let fixture = Fixture::new().await;
    let (id, key) = api_key(&fixture.state, fixture.org_id, &[Scope::BackupsTrigger], Some(HOUR)).await;
    let profile = fixture.get("/profile", &key).await.json();
    assert_eq!(profile["orgId"], fixture.org_id.to_string());
    assert_eq!(profile["orgName"], "first");
    assert_eq!(profile["apiKeyId"], id.to_string());
    assert_eq!(profile["scopes"], serde_json::json!(["backups:trigger"]));
    assert_eq!(profile["expiresAt"], "2026-01-31T03:00:00.000Z");
}
