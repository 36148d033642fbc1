//! A restore session from its opening to its end, and every token that is refused on the way.

use serde_json::json;
use walwarden_contract::audit::{AuditEvent, EventKind, conforms};
use walwarden_contract::token;

use super::fixture::{Fixture, HOUR};

async fn chain(fixture: &Fixture, id: &str) -> Vec<AuditEvent> {
    let events = fixture.state.store.audit_chain(fixture.org_id, id).await.expect("reads");
    assert_eq!(conforms(&events), Ok(()));
    events
}

fn rejections(events: &[AuditEvent]) -> Vec<&str> {
    let rejected = events.iter().filter(|event| event.kind == EventKind::RestoreTokenRejected);
    rejected.map(|event| event.payload["reason"].as_str().expect("a reason")).collect()
}

#[tokio::test]
async fn a_restore_goes_through_every_state_and_never_backwards() {
    let fixture = Fixture::new().await;
    let (backup, id, token) = fixture.restore_session().await;
    let hash = backup.manifest_hash.expect("completed");
    let body = json!({ "manifestHash": hash, "mode": "new_database" });
    let post = async |step: &str, key: &str, body: &serde_json::Value| {
        fixture.post(&format!("/restores/{id}/{step}"), &token, key, body).await
    };

    let opened = &chain(&fixture, &id).await[0];
    assert_eq!((opened.kind, &opened.payload["manifestHash"]), (EventKind::RestoreTokenIssued, &json!(hash)));
    assert_eq!(opened.payload["backupJobId"], backup.id.to_string());
    let asked_by = fixture.state.store.api_keys(fixture.org_id).await.expect("reads")[0].id;
    assert_eq!(opened.payload["apiKeyId"], asked_by.to_string());

    let early = post("claim", "k0", &json!({})).await;
    assert_eq!(early.code(), "invalid_transition", "claimed before its token was used: {}", early.text);
    let triggered = post("trigger", "k1", &body).await;
    assert_eq!(
        (triggered.status.as_u16(), &triggered.json()["state"]),
        (200, &json!("triggered")),
        "{}",
        triggered.text
    );
    let replayed = post("trigger", "k1", &body).await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    assert_eq!(replayed.text, triggered.text);
    assert_eq!(post("artifact-url", "k2", &json!({})).await.code(), "invalid_transition");

    let claimed = post("claim", "k3", &json!({})).await;
    assert_eq!(claimed.status, 200, "{}", claimed.text);
    let claim = claimed.json();
    assert_eq!(claim["restore"]["state"], "claimed");
    assert_eq!(claim["publicKeyPem"], fixture.state.keyring.public_key_pem());
    assert_eq!(claim["heartbeatSeconds"], 100);
    let url = claim["download"]["url"].as_str().expect("a URL");
    assert!(url.starts_with("http://127.0.0.1:9/backups/org/") && url.contains("X-Amz-Expires=900"), "{url}");
    assert!(!claimed.text.contains("bucket-secret"));
    assert_eq!(post("claim", "k4", &json!({})).await.status, 200, "claiming again gives a new URL");
    assert_eq!(post("artifact-url", "k5", &json!({})).await.status, 200);

    // The token outlives its hour for the job that it started.
    fixture.advance(2 * HOUR);
    for state in
        ["downloading", "downloading", "verifying", "manifest_verified", "restoring", "finalizing", "completed"]
    {
        let answer = post("states", "k6", &json!({ "state": state, "payload": { "sizeBytes": 3 } })).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!(state)), "{}", answer.text);
    }
    assert_eq!(post("states", "k7", &json!({ "state": "downloading" })).await.code(), "invalid_transition");
    assert_eq!(post("artifact-url", "k8", &json!({})).await.code(), "invalid_transition");
    let events = chain(&fixture, &id).await;
    assert_eq!(events.len(), 9, "repeated states are no events: {events:?}");
    assert!(rejections(&events).is_empty());
    assert!(!format!("{events:?}").contains("X-Amz-"));
}

#[tokio::test]
async fn a_token_is_used_once_and_within_its_hour() {
    let fixture = Fixture::new().await;
    let (backup, id, token) = fixture.restore_session().await;
    let hash = backup.manifest_hash.expect("completed");
    let body = json!({ "manifestHash": hash, "mode": "new_database" });
    let path = format!("/restores/{id}/trigger");
    let wrong = json!({ "manifestHash": "0".repeat(64), "mode": "new_database" });
    assert_eq!(fixture.post(&path, &token, "k1", &wrong).await.code(), "manifest_hash_mismatch");
    let wrong = json!({ "manifestHash": hash, "mode": "in_place" });
    assert_eq!(fixture.post(&path, &token, "k2", &wrong).await.code(), "restore_mode_mismatch");
    assert_eq!(fixture.post(&path, &token, "k3", &body).await.status, 200);
    assert_eq!(fixture.post(&path, &token, "k4", &body).await.code(), "token_used");
    let reasons = ["manifest_hash_mismatch", "mode_mismatch", "used"];
    assert_eq!(rejections(&chain(&fixture, &id).await), reasons);

    let (_, id, token) = fixture.restore_session().await;
    fixture.advance(HOUR);
    let path = format!("/restores/{id}/trigger");
    let answer = fixture.post(&path, &token, "k5", &body).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "token_expired"));
    assert_eq!(rejections(&chain(&fixture, &id).await), ["expired"]);
}

#[tokio::test]
async fn a_forged_or_foreign_token_is_refused_on_every_call_and_written_down() {
    let fixture = Fixture::new().await;
    let (_, id, own) = fixture.restore_session().await;
    let (_, _, other) = fixture.restore_session().await;
    let payload = token::read_unverified(&own).expect("reads");
    let forged = token::issue(&payload, &[1; 32]);
    let steps = ["trigger", "claim", "artifact-url", "states"];
    for step in steps {
        let path = format!("/restores/{id}/{step}");
        for (presented, what) in [(&forged, "forged"), (&other, "other_job"), (&fixture.key, "malformed")] {
            let answer = fixture.post(&path, presented, "k", &json!({})).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "token_invalid"), "{step}, {what}");
        }
    }
    let events = chain(&fixture, &id).await;
    assert_eq!(rejections(&events), ["forged", "other_job", "malformed"].repeat(4));

    let unknown = format!("/restores/rst_{}/trigger", "0".repeat(32));
    assert_eq!(fixture.post(&unknown, &forged, "k", &json!({})).await.code(), "token_invalid");
    assert_eq!(fixture.get(&format!("/restores/{id}"), &own).await.code(), "unauthorized", "a token is no API key");
}

#[tokio::test]
async fn refusals_do_not_fill_the_store() {
    let fixture = Fixture::new().await;
    let (_, id, _) = fixture.restore_session().await;
    for _ in 0..103 {
        fixture.post(&format!("/restores/{id}/claim"), "guess", "k", &json!({})).await;
    }
    assert_eq!(rejections(&chain(&fixture, &id).await).len(), 100);
}

#[tokio::test]
async fn the_restore_machine_cannot_take_the_servers_own_steps_nor_write_free_text() {
    let fixture = Fixture::new().await;
    let (_, id, token) = fixture.restore_session().await;
    let path = format!("/restores/{id}/states");
    for state in ["triggered", "timed_out", "completed", "failed_terminal"] {
        let answer = fixture.post(&path, &token, "k", &json!({ "state": state })).await;
        assert_eq!(answer.code(), "invalid_transition", "{state}: {}", answer.text);
    }
    for payload in [
        json!({ "checksumSha256": "hunter2" }),
        json!({ "pgRestoreVersion": "15 hunter2" }),
        json!({ "note": "hunter2" }),
        json!({ "errorCode": "hunter2" }),
    ] {
        let answer = fixture.post(&path, &token, "k", &json!({ "state": "token_issued", "payload": payload })).await;
        assert_eq!(answer.code(), "unprocessable_request", "{}", answer.text);
    }
}

#[tokio::test]
async fn a_restore_request_with_a_credential_or_without_consent_is_refused() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let cases = [
        (json!({ "targetRedactedDsn": "postgresql://u:hunter2@h/p" }), "target_invalid"),
        (json!({ "targetRedactedDsn": "host=h password=hunter2" }), "target_invalid"),
        (json!({ "targetRedactedDsn": "" }), "target_invalid"),
        (json!({ "targetRedactedDsn": "h".repeat(513) }), "target_invalid"),
        (json!({ "createdDatabase": "" }), "target_invalid"),
        (json!({ "createdDatabase": "x".repeat(64) }), "target_invalid"),
        (json!({ "mode": "in_place", "createdDatabase": "x", "confirmDestructive": true }), "target_invalid"),
        (json!({ "mode": "in_place" }), "confirmation_required"),
        (json!({ "mode": "sideways" }), "unprocessable_request"),
        (json!({ "target": "postgresql://u:hunter2@h/p" }), "unprocessable_request"),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut body = json!({
            "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": "postgresql://u@h:5432/p",
        });
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let answer = fixture.post("/restores", &fixture.key, &format!("k{index}"), &body).await;
        assert_eq!(answer.code(), code, "{change}: {}", answer.text);
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    }
}
