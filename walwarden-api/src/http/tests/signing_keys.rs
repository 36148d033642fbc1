//! Whoever checks a backup gets the key that signed it, and every server knows of a rotation without being started again.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use walwarden_contract::key::{from_pem, to_pem};
use walwarden_contract::manifest::{self, key_id};

use super::fixture::{Answer, Fixture, HOUR};
use crate::http::router;
use crate::registry::signing_keys::{NewKey, revoke, rotate};
use crate::secrets::{KeySources, Keyring};
use crate::store::backups::BackupJob;

/// Rotates the key; the server of the fixture goes on with the one before.
async fn rotate_beside(fixture: &Fixture) -> String {
    let sources = KeySources::in_directory(fixture.directory.path());
    let (store, system) = (&fixture.state.store, &fixture.state.system);
    let keyring = Keyring::load(&sources).expect("loads");
    let done = rotate(&sources, keyring.signer(), store, system, &NewKey::InPlace).await.expect("rotates");
    done.statement.key_id
}

/// The same server, started again.
fn restarted(fixture: Fixture) -> Fixture {
    let mut state = fixture.state.clone();
    let sources = KeySources::in_directory(fixture.directory.path());
    state.keyring = Arc::new(Keyring::load(&sources).expect("loads"));
    Fixture { router: router(state.clone()), state, ..fixture }
}

async fn published(fixture: &Fixture, name: &str) -> Answer {
    let request = Request::get(format!("/.well-known/walwarden-pubkey{name}.pem"));
    fixture.send(request.body(Body::empty()).expect("a request")).await
}

async fn evidence(fixture: &Fixture, backup: &BackupJob) -> Value {
    let answer = fixture.get(&format!("/evidence/{}", backup.id), &fixture.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn result(evidence: &Value) -> &str {
    evidence["integrityVerification"]["result"].as_str().expect("a result")
}

#[tokio::test]
async fn a_running_server_publishes_what_was_rotated_beside_it_and_the_keys_before_by_day() {
    let fixture = Fixture::new().await;
    let mut ids = vec![fixture.state.keyring.key_id()];
    let first = published(&fixture, "").await.text;
    assert_eq!(published(&fixture, "-2026-01-31").await.status, 404);
    for days in [0, 0, 2] {
        fixture.advance(days * 24 * HOUR + 1);
        ids.push(rotate_beside(&fixture).await);
    }
    let names = ["-2026-01-31", "-2026-01-31-2", "-2026-02-02", ""];
    for (name, id) in names.iter().zip(&ids) {
        let answer = published(&fixture, name).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/x-pem-file")));
        assert_eq!(key_id(&from_pem(&answer.text).expect("a key")), *id, "{name}");
    }
    assert_eq!(published(&fixture, names[0]).await.text, first);
    for unknown in ["-2026-01-31-1", "-2026-01-31-3", "-2026-02-01", "-2026-1-31", "-", "-2026-01-31.pem"] {
        let answer = published(&fixture, unknown).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{unknown}");
    }
    assert_eq!(key_id(&from_pem(&published(&restarted(fixture), "").await.text).expect("a key")), ids[3]);
}

#[tokio::test]
async fn backups_of_every_key_of_three_rotations_verify_and_their_restores_get_the_key_that_signed() {
    let mut fixture = Fixture::new().await;
    let mut sessions = Vec::new();
    for round in 0..4 {
        fixture.advance(HOUR / 60);
        sessions.push(fixture.restore_session().await);
        if round < 3 {
            rotate_beside(&fixture).await;
            fixture = restarted(fixture);
        }
    }
    let mut signed_by = Vec::new();
    for (backup, id, token) in sessions {
        let shown = evidence(&fixture, &backup).await;
        assert_eq!(result(&shown), "passed");
        assert!(shown["integrityVerification"]["checks"].to_string().contains("signature verifies"));
        for (step, body) in
            [("trigger", json!({ "manifestHash": backup.manifest_hash, "mode": "new_database" })), ("claim", json!({}))]
        {
            let answer = fixture.post(&format!("/restores/{id}/{step}"), &token, step, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            if step == "claim" {
                let claim = answer.json();
                let key = from_pem(claim["publicKeyPem"].as_str().expect("text")).expect("a key");
                assert!(manifest::verify(&claim["manifest"], &key).is_ok());
                signed_by.push(key_id(&key));
            }
        }
    }
    signed_by.dedup();
    assert_eq!(signed_by.len(), 4);
}

#[tokio::test]
async fn what_a_revoked_key_signed_counts_if_it_was_completed_before() {
    let fixture = Fixture::new().await;
    let revoked = fixture.state.keyring.key_id();
    let before = fixture.completed_backup().await;
    fixture.advance(HOUR / 60);
    let since = fixture.state.system.now();
    let (after, id, token) = fixture.restore_session().await;
    fixture.advance(HOUR / 60);
    rotate_beside(&fixture).await;
    let fixture = restarted(fixture);
    for backup in [&before, &after] {
        assert_eq!(result(&evidence(&fixture, backup).await), "passed");
    }
    let state = &fixture.state;
    revoke(&state.keyring, &state.store, &state.system, &revoked, "lost", Some(since)).await.expect("revokes");
    assert_eq!(result(&evidence(&fixture, &before).await), "passed");
    let shown = evidence(&fixture, &after).await;
    assert_eq!(result(&shown), "not_verifiable");
    assert!(!shown["integrityVerification"]["checks"].to_string().contains("signature verifies"));

    // A restore machine is never handed the revoked key: only an operator who names it restores what it signed.
    let body = json!({ "manifestHash": after.manifest_hash, "mode": "new_database" });
    assert_eq!(fixture.post(&format!("/restores/{id}/trigger"), &token, "t", &body).await.status, 200);
    let claim = fixture.post(&format!("/restores/{id}/claim"), &token, "c", &json!({})).await.json();
    assert_eq!(claim["publicKeyPem"], to_pem(state.keyring.verifying_key()));
    let name = published(&fixture, "-2026-01-31").await;
    assert_eq!(key_id(&from_pem(&name.text).expect("a key")), revoked, "it is published for what came before");
}

#[tokio::test]
async fn a_key_that_somebody_wrote_into_the_store_proves_nothing() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    rotate_beside(&fixture).await;
    let fixture = restarted(fixture);
    assert_eq!(result(&evidence(&fixture, &backup).await), "passed");
    fixture.tamper("UPDATE signing_keys SET rotation = NULL").await;
    assert_eq!(result(&evidence(&fixture, &backup).await), "not_verifiable");
}
