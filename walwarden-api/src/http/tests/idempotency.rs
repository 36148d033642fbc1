//! The same request under the same key is done once and answered alike.

use serde_json::json;

use super::fixture::{Fixture, api_key};
use walwarden_contract::Scope;

#[tokio::test]
async fn a_repeated_trigger_is_replayed_and_another_body_is_a_conflict() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}/backups", fixture.database.id);
    let first = fixture.post(&path, &fixture.key, "nightly", &json!({})).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(first.json()["state"], "queued");

    let again = fixture.post(&path, &fixture.key, "nightly", &json!({})).await;
    assert_eq!((again.status, again.text.as_str()), (first.status, first.text.as_str()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));

    let other = fixture.post(&path, &fixture.key, "nightly", &json!({ "trigger": "adhoc" })).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (409, "idempotency_conflict"));

    let new = fixture.post(&path, &fixture.key, "another", &json!({})).await;
    assert_eq!((new.status.as_u16(), new.code().as_str()), (409, "backup_in_progress"));

    let (_, key) = api_key(&fixture.state, fixture.org_id, Scope::ALL, None).await;
    let stranger = fixture.post(&path, &key, "nightly", &json!({})).await;
    assert_eq!(stranger.code(), "backup_in_progress", "a key's Idempotency-Keys are its own");
}

#[tokio::test]
async fn the_order_of_members_does_not_make_another_request() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let one = format!(
        r#"{{"backupJobId":"{}","mode":"new_database","targetRedactedDsn":"postgresql://h:5432/p"}}"#,
        backup.id
    );
    let two = format!(
        r#"{{ "targetRedactedDsn":"postgresql://h:5432/p", "mode":"new_database", "backupJobId":"{}" }}"#,
        backup.id
    );
    let parse = |text: &str| serde_json::from_str(text).expect("JSON");
    let first = fixture.post("/restores", &fixture.key, "k", &parse(&one)).await;
    let again = fixture.post("/restores", &fixture.key, "k", &parse(&two)).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json(), first.json(), "the token is the same, although it is stored nowhere");
}

#[tokio::test]
async fn no_stored_response_holds_a_token() {
    let fixture = Fixture::new().await;
    let (_, id, token) = fixture.restore_session().await;
    let scope = crate::store::idempotency::IdempotencyScope {
        principal: fixture.get("/profile", &fixture.key).await.json()["apiKeyId"].as_str().expect("an id").to_owned(),
        operation: "createRestore".to_owned(),
        key: format!(
            "open {}",
            fixture.get(&format!("/restores/{id}"), &fixture.key).await.json()["backupJobId"].as_str().expect("an id")
        ),
        body_hash: String::new(),
    };
    let stored = fixture.state.store.stored_response(&scope).await.expect("reads").expect("was stored");
    assert!(stored.body.contains(&id));
    assert!(!stored.body.contains("wrt1.") && !stored.body.contains(&token));
}

#[tokio::test]
async fn a_queued_backup_wakes_the_worker() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}/backups", fixture.database.id);
    fixture.post(&path, &fixture.key, "k", &json!({})).await;
    let woken = tokio::time::timeout(std::time::Duration::from_secs(5), fixture.state.wake.notified()).await;
    assert!(woken.is_ok());
}

#[tokio::test]
async fn a_destination_whose_credentials_cannot_be_opened_takes_no_backups() {
    let fixture = Fixture::new().await;
    let store = &fixture.state.store;
    let mut destination = store.destination(fixture.org_id, fixture.database.destination_id).await.expect("reads");
    destination.sealed_credentials = crate::secrets::Sealer::new(&[9; 32]).seal(&fixture.state.system, "dst", b"{}");
    store.update_destination(&destination).await.expect("updates");
    let path = format!("/databases/{}/backups", fixture.database.id);
    let answer = fixture.post(&path, &fixture.key, "k", &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (412, "destination_not_ready"));
}
