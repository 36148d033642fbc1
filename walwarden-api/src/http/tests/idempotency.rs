//! The same request under the same key is done once and answered alike.

use std::future::{Future, poll_fn};
use std::task::Poll;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use sha2::{Digest, Sha256};
use walwarden_contract::Scope;
use walwarden_contract::model::BackupTrigger;

use super::fixture::{Fixture, api_key, database};
use crate::jobs::backups::queue;
use crate::jobs::{Reply, Submitted};
use crate::store::backups::BackupJob;
use crate::store::idempotency::IdempotencyScope;

#[tokio::test]
async fn a_repeated_trigger_is_replayed() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}/backups", fixture.database.id);
    let first = fixture.post(&path, &fixture.key, "nightly", &json!({})).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(first.json()["state"], "queued");

    let again = fixture.post(&path, &fixture.key, "nightly", &json!({})).await;
    assert_eq!((again.status, again.text.as_str()), (first.status, first.text.as_str()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));

    let new = fixture.post(&path, &fixture.key, "another", &json!({})).await;
    assert_eq!((new.status.as_u16(), new.code().as_str()), (409, "backup_in_progress"));

    let (_, key) = api_key(&fixture.state, fixture.org_id, Scope::ALL, None).await;
    let stranger = fixture.post(&path, &key, "nightly", &json!({})).await;
    assert_eq!(stranger.code(), "backup_in_progress", "a key's Idempotency-Keys are its own");
}

#[tokio::test]
async fn another_body_under_the_same_key_is_a_conflict() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let body = |dsn: &str| json!({ "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": dsn });
    let first = fixture.post("/restores", &fixture.key, "k", &body("postgresql://one:5432/p")).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let other = fixture.post("/restores", &fixture.key, "k", &body("postgresql://two:5432/p")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (409, "idempotency_conflict"));
}

#[tokio::test]
async fn a_body_that_says_the_same_in_other_words_is_the_same_request() {
    let fixture = Fixture::new().await;
    let path = format!("/api/v1/databases/{}/backups", fixture.database.id);
    let mut answers = Vec::new();
    for body in ["", "{}", " { } ", "{\"trigger\":\"adhoc\"}", "{\"trigger\" : \"\\u0061dhoc\"}"] {
        let request = Request::post(&path)
            .header("authorization", format!("Bearer {}", fixture.key))
            .header("idempotency-key", "k")
            .header("content-type", "application/json");
        let answer = fixture.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(answer.status, 202, "{body}: {}", answer.text);
        answers.push(answer);
    }
    assert!(answers.iter().skip(1).all(|answer| answer.header("idempotency-replayed") == Some("true")));
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
}

async fn backups(fixture: &Fixture, id: impl std::fmt::Display) -> usize {
    let list = fixture.get(&format!("/databases/{id}/backups"), &fixture.key).await.json();
    list["backups"].as_array().expect("a list").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_equal_requests_at_once_are_one_job_and_a_hundred_equal_answers() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}/backups", fixture.database.id);
    let body = json!({});
    let requests = (0..100).map(|_| fixture.post(&path, &fixture.key, "k", &body));
    let answers = futures::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.status == 202), "{:?}", answers.iter().map(|it| &it.text).max());
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    let new = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count();
    assert_eq!((new, backups(&fixture, fixture.database.id).await), (1, 1));
}

#[tokio::test]
async fn a_request_cut_off_anywhere_is_done_once_when_it_is_repeated() {
    let fixture = Fixture::new().await;
    let body = json!({});
    let (mut cut, mut replayed) = (0, 0);
    for polls in 1.. {
        let database = database(&fixture.state, fixture.org_id, &format!("db{polls}")).await;
        let path = format!("/databases/{}/backups", database.id);
        let mut first = Box::pin(fixture.post(&path, &fixture.key, "k", &body));
        let mut left = polls;
        // Gives up, as a server that dies does, after so many steps of the request.
        let whole = poll_fn(|context| match first.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
        drop(first);
        let again = fixture.post(&path, &fixture.key, "k", &body).await;
        assert_eq!(again.status, 202, "cut after {polls} steps: {}", again.text);
        assert_eq!(backups(&fixture, database.id).await, 1, "cut after {polls} steps");
        replayed += usize::from(again.header("idempotency-replayed").is_some());
        if let Some(whole) = whole {
            assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &whole.text));
            break;
        }
        cut += 1;
    }
    assert!(cut >= 1 && replayed >= 1, "{cut} requests were cut, {replayed} replayed");
}

#[tokio::test]
async fn an_answer_that_was_lost_after_the_commit_is_given_again() {
    let fixture = Fixture::new().await;
    let (state, database) = (&fixture.state, &fixture.database);
    let profile = fixture.get("/profile", &fixture.key).await.json();
    let scope = IdempotencyScope {
        principal: profile["apiKeyId"].as_str().expect("an id").to_owned(),
        operation: format!("triggerBackup {}", database.id),
        key: "k".to_owned(),
        body_hash: hex::encode(Sha256::digest(br#"{"trigger":"adhoc"}"#)),
    };
    let reply = Reply { scope: &scope, status: 202, body: &|job: &BackupJob| format!("{{\"kept\":\"{}\"}}", job.id) };
    let committed = queue(&state.store, &state.system, database, BackupTrigger::Adhoc, 3, Some(reply)).await;
    assert!(matches!(committed, Ok(Submitted::New(_))), "and the process dies here");
    let path = format!("/databases/{}/backups", database.id);
    let again = fixture.post(&path, &fixture.key, "k", &json!({})).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, Some("true")), "{}", again.text);
    assert!(again.text.starts_with("{\"kept\":\"bkp_"), "{}", again.text);
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
    let scope = IdempotencyScope {
        principal: fixture.get("/profile", &fixture.key).await.json()["apiKeyId"].as_str().expect("an id").to_owned(),
        operation: "createRestore".to_owned(),
        key: format!(
            "open-{}",
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
