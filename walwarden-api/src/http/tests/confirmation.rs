//! An agent's key gets through a gate with the consent of a person to this very request, and in no other way.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use walwarden_contract::capabilities::HumanGate;
use walwarden_contract::error::{CONFIRMATION_HEADER, ConfirmationChallenge};
use walwarden_contract::operations::OPERATIONS;

use super::fixture::{Answer, Fixture, agent_key, completed_backup, database};
use super::routes::{fill, method_of, request_of};

const TEN_MINUTES: i64 = 600_000;

struct Ask<'a> {
    fixture: &'a Fixture,
    key: &'a str,
    method: &'a str,
    path: String,
    body: String,
}

impl Ask<'_> {
    async fn with(&self, challenge: Option<&str>) -> Answer {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("/api/v1{}", self.path))
            .header("authorization", format!("Bearer {}", self.key))
            .header("idempotency-key", "k")
            .header("content-type", "application/json");
        if let Some(challenge) = challenge {
            request = request.header(CONFIRMATION_HEADER, challenge);
        }
        self.fixture.send(request.body(Body::from(self.body.clone())).expect("a request")).await
    }
}

fn challenge(answer: &Answer) -> ConfirmationChallenge {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (428, "human_confirmation_required"));
    serde_json::from_value(answer.json()["confirmation"].clone()).expect("a challenge")
}

#[tokio::test]
async fn a_gated_operation_passes_once_a_person_consented_to_it() {
    let fixture = Fixture::new().await;
    let (_, key) = agent_key(&fixture.state, fixture.org_id).await;
    let path = format!("/databases/{}", fixture.database.id);
    let ask = Ask { fixture: &fixture, key: &key, method: "DELETE", path: path.clone(), body: String::new() };
    let asked = challenge(&ask.with(None).await);
    assert_eq!(asked.summary, format!("Stop protecting a database: databaseId {}", fixture.database.id));
    assert_eq!(asked.expires_at.as_millis(), fixture.state.system.now().as_millis() + TEN_MINUTES);
    assert_eq!(fixture.get(&path, &key).await.status, StatusCode::OK, "nothing happened yet");

    fixture.advance(TEN_MINUTES - 1);
    let passed = ask.with(Some(&asked.challenge)).await;
    assert_eq!(passed.status, StatusCode::NO_CONTENT, "{}", passed.text);
    assert_eq!(fixture.get(&path, &key).await.code(), "not_found");
}

#[tokio::test]
async fn a_challenge_is_good_for_nothing_else() {
    let fixture = Fixture::new().await;
    let other = database(&fixture.state, fixture.org_id, "other").await;
    let (_, key) = agent_key(&fixture.state, fixture.org_id).await;
    let (_, other_key) = agent_key(&fixture.state, fixture.org_id).await;
    let path = |id: &dyn std::fmt::Display| format!("/databases/{id}");
    let ask =
        Ask { fixture: &fixture, key: &key, method: "DELETE", path: path(&fixture.database.id), body: String::new() };
    let good = challenge(&ask.with(None).await).challenge;

    let elsewhere = Ask { path: path(&other.id), body: String::new(), ..ask };
    challenge(&elsewhere.with(Some(&good)).await);
    let by_another = Ask { key: &other_key, path: path(&fixture.database.id), body: String::new(), ..ask };
    challenge(&by_another.with(Some(&good)).await);
    for forged in ["", "yes", "wcc1.", "wcc1.9999999999999.AAAA", &good[..good.len() - 1], &format!("{good}, {good}")] {
        let again = challenge(&ask.with(Some(forged)).await);
        assert!(again.challenge.starts_with("wcc1."), "{forged}");
    }
    fixture.advance(TEN_MINUTES);
    let fresh = challenge(&ask.with(Some(&good)).await);
    assert_ne!(fresh.challenge, good, "an old consent is asked for again");
}

#[tokio::test]
async fn a_changed_body_is_another_request_and_the_same_body_reaches_the_handler() {
    let fixture = Fixture::new().await;
    let backup = completed_backup(&fixture.state, &fixture.database).await;
    let (_, key) = agent_key(&fixture.state, fixture.org_id).await;
    let body =
        |dsn: &str| json!({ "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": dsn }).to_string();
    let one = body("postgresql://u@one:5432/p");
    let ask = Ask { fixture: &fixture, key: &key, method: "POST", path: "/restores".to_owned(), body: one };
    let good = challenge(&ask.with(None).await).challenge;
    let changed = Ask { body: body("postgresql://u@two:5432/p"), path: ask.path.clone(), ..ask };
    challenge(&changed.with(Some(&good)).await);
    let passed = ask.with(Some(&good)).await;
    assert_eq!(passed.status, StatusCode::ACCEPTED, "{}", passed.text);
    let replayed = ask.with(Some(&good)).await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));

    let large = Ask { body: "x".repeat(64 * 1024 + 1), path: ask.path.clone(), ..ask };
    assert_eq!(large.with(None).await.code(), "payload_too_large");
}

#[tokio::test]
async fn exactly_the_gated_operations_ask_and_only_agents() {
    let fixture = Fixture::new().await;
    let (_, agent) = agent_key(&fixture.state, fixture.org_id).await;
    for operation in OPERATIONS.iter().filter(|operation| operation.scope().is_some()) {
        for (key, is_agent) in [(&agent, true), (&fixture.key, false)] {
            let request = request_of(operation).header("authorization", format!("Bearer {key}"));
            let answer =
                fixture.send(request.header("idempotency-key", "k").body(Body::empty()).expect("a request")).await;
            let gated = is_agent && operation.gate() == HumanGate::ConfirmationRequired;
            assert_eq!(answer.status.as_u16() == 428, gated, "{} for an agent: {is_agent}", operation.id);
        }
    }
}

#[tokio::test]
async fn what_the_person_reads_holds_nothing_that_the_agent_wrote() {
    let fixture = Fixture::new().await;
    let (_, key) = agent_key(&fixture.state, fixture.org_id).await;
    for operation in OPERATIONS.iter().filter(|operation| operation.gate() == HumanGate::ConfirmationRequired) {
        let path = fill(operation.path).replace("0".repeat(32).as_str(), "Please%20say%20yes%20hunter2");
        let method = method_of(operation);
        let body = if method == "POST" { json!({ "note": "hunter2" }) } else { Value::Null };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let ask = Ask { fixture: &fixture, key: &key, method: method.as_str(), path, body };
        let answer = ask.with(None).await;
        challenge(&answer);
        assert!(!answer.text.contains("hunter2") && !answer.text.contains("say"), "{}", answer.text);
    }
}

#[tokio::test]
async fn the_person_is_told_which_backup_is_restored_and_how() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let (_, key) = agent_key(&fixture.state, fixture.org_id).await;
    let body = json!({
        "backupJobId": backup.id, "mode": "in_place", "confirmDestructive": true,
        "targetRedactedDsn": "postgresql://please-agree@h:5432/p",
    });
    let ask =
        Ask { fixture: &fixture, key: &key, method: "POST", path: "/restores".to_owned(), body: body.to_string() };
    let summary = challenge(&ask.with(None).await).summary;
    assert!(summary.contains(&format!("backupJobId {}, mode in_place", backup.id)), "{summary}");
    assert!(!summary.contains("please-agree"), "{summary}");
}
