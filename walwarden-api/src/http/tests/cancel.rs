//! A backup is called off while there is something to call off, and a failure is noted once.

use serde_json::json;
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::conforms;

use super::fixture::{Fixture, database, organization};
use super::writing::{ask, assert_refused};
use crate::jobs::backups::{self, Lease, RetryPolicy};

async fn kinds(fixture: &Fixture, id: &str) -> Vec<&'static str> {
    let events = fixture.state.store.audit_chain(fixture.org_id, id).await.expect("reads");
    conforms(&events).expect("the chain is whole");
    events.iter().map(|event| event.kind.as_str()).collect()
}

async fn queued(fixture: &Fixture) -> String {
    let path = format!("/databases/{}/backups", fixture.database.id);
    let job = fixture.post(&path, &fixture.key, "queue", &json!({})).await.json();
    job["backupJobId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_queued_backup_is_called_off_once_and_another_can_follow() {
    let fixture = Fixture::new().await;
    let id = queued(&fixture).await;
    let path = format!("/backups/{id}/cancel");
    let cancelled = ask(&fixture, "POST", &path, Some("k"), None).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    assert_eq!(cancelled.json()["state"], "cancelled");
    assert!(cancelled.json()["finishedAt"].is_string());
    let again = ask(&fixture, "POST", &path, Some("k2"), None).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, cancelled.json()));
    assert_eq!(again.header("idempotency-replayed"), None);
    assert_eq!(kinds(&fixture, &id).await, ["backup.queued", "backup.cancelled"]);

    let dismissed = ask(&fixture, "POST", &format!("/backups/{id}/dismiss"), Some("k"), None).await;
    assert_refused(&dismissed, 409, "invalid_transition", "cancelled");
    let path = format!("/databases/{}/backups", fixture.database.id);
    assert_eq!(fixture.post(&path, &fixture.key, "another", &json!({})).await.status, 202);
}

#[tokio::test]
async fn a_backup_that_is_done_cannot_be_called_off_and_the_refusal_says_its_state() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    for verb in ["cancel", "dismiss"] {
        let answer = ask(&fixture, "POST", &format!("/backups/{}/{verb}", backup.id), Some("k"), None).await;
        assert_refused(&answer, 409, "invalid_transition", "completed");
    }
    assert_eq!(fixture.state.store.backup(fixture.org_id, backup.id).await.expect("reads"), backup);
}

#[tokio::test]
async fn a_failure_is_noted_once() {
    let fixture = Fixture::new().await;
    let id = queued(&fixture).await;
    let state = &fixture.state;
    let until = crate::system::after(state.system.now(), 60_000);
    let job = backups::claim(&state.store, &state.system, "worker", until).await.expect("claims").expect("a job");
    let (lease, retry) = (Lease { id: job.id, fence: job.fence }, RetryPolicy { delay_millis: 0 });
    backups::fail(&state.store, &state.system, lease, retry, ErrorCode::SourceAuthFailed, "no").await.expect("fails");

    let path = format!("/backups/{id}/dismiss");
    let dismissed = ask(&fixture, "POST", &path, Some("k"), None).await;
    assert_eq!(dismissed.status, 200, "{}", dismissed.text);
    assert_eq!(dismissed.json()["state"], "failed_terminal");
    assert_eq!(dismissed.json()["dismissedAt"], "2026-01-31T02:00:00.000Z");
    fixture.advance(1000);
    let again = ask(&fixture, "POST", &path, Some("k2"), None).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, dismissed.json()));
    let expected = ["backup.queued", "backup.claimed", "backup.failed", "backup.dismissed"];
    assert_eq!(kinds(&fixture, &id).await, expected);
    let cancelled = ask(&fixture, "POST", &format!("/backups/{id}/cancel"), Some("k"), None).await;
    assert_refused(&cancelled, 409, "invalid_transition", "failed_terminal");
}

#[tokio::test]
async fn another_organizations_backup_does_not_exist() {
    let fixture = Fixture::new().await;
    let (other, key) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    let path = format!("/databases/{}/backups", theirs.id);
    let job = fixture.post(&path, &key, "k", &json!({})).await.json();
    let id = job["backupJobId"].as_str().expect("an id");
    for verb in ["cancel", "dismiss"] {
        let answer = ask(&fixture, "POST", &format!("/backups/{id}/{verb}"), Some("k"), None).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"));
    }
    assert_eq!(fixture.get(&format!("/backups/{id}"), &key).await.json()["state"], "queued");
}
