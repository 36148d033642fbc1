//! The evidence of a completed backup leaves as one archive, and that it left is on record.

use std::collections::BTreeMap;
use std::io::Read;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use walwarden_contract::audit::{AuditEvent, EventKind, conforms};
use walwarden_contract::manifest;

use super::fixture::{Fixture, HOUR, completed_backup, database, organization};
use super::writing::chain;

async fn export(fixture: &Fixture, id: &str) -> (HeaderMap, Vec<u8>) {
    let request = Request::get(format!("/api/v1/evidence/{id}/bundle"));
    let request = request.header("authorization", format!("Bearer {}", fixture.key));
    let request = request.body(Body::empty()).expect("a request");
    let response = fixture.router.clone().oneshot(request).await.expect("the router never fails");
    assert_eq!(response.status(), 200);
    let (parts, body) = response.into_parts();
    (parts.headers, to_bytes(body, 1 << 20).await.expect("a body").to_vec())
}

fn files(bundle: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bundle));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry: tar::Entry<'_, flate2::read::GzDecoder<&[u8]>> = entry.expect("an entry");
        let name = entry.path().expect("a path").display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("reads");
        (name, content)
    };
    archive.entries().expect("an archive").map(read).collect()
}

#[tokio::test]
async fn a_bundle_is_the_signed_manifest_and_the_jobs_chain_and_the_same_bytes_again() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let id = backup.id.to_string();
    let (headers, bundle) = export(&fixture, &id).await;
    assert_eq!(headers["content-type"], "application/gzip");
    let disposition = format!("attachment; filename=\"walwarden-evidence-{id}.tgz\"");
    assert_eq!(headers["content-disposition"], disposition.as_str());
    fixture.advance(HOUR);
    assert_eq!(export(&fixture, &id).await.1, bundle, "the same evidence is other bytes");

    let files = files(&bundle);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["audit_events.json", "bundle.json", "manifest.json"]);
    assert_eq!(files["manifest.json"], backup.manifest.expect("completed").as_bytes());
    let document: Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
    let key = *fixture.state.keyring.verifying_key();
    assert_eq!(manifest::verify(&document, &key).expect("verifies").backup_job_id, backup.id);
    let events: Vec<AuditEvent> = serde_json::from_slice(&files["audit_events.json"]).expect("events");
    assert_eq!(conforms(&events), Ok(()));
    assert_eq!(
        (events[0].job_id.as_str(), events.last().map(|last| last.kind)),
        (id.as_str(), Some(EventKind::BackupCompleted))
    );
}

#[tokio::test]
async fn each_export_is_an_event_of_the_organization_that_names_the_bytes() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let seen = chain(&fixture).await.len();
    let (_, bundle) = export(&fixture, &backup.id.to_string()).await;
    let events = chain(&fixture).await;
    let [event] = &events[seen..] else { panic!("not one event: {:?}", &events[seen..]) };
    assert_eq!(event.kind, EventKind::EvidenceExported);
    assert_eq!(event.payload["backupJobId"], backup.id.to_string());
    assert_eq!(event.payload["bundleSha256"], hex::encode(Sha256::digest(&bundle)));
    assert!(event.payload["apiKeyId"].as_str().expect("who").starts_with("key_"));
}

#[tokio::test]
async fn there_is_no_bundle_of_what_is_not_completed_or_anothers() {
    let fixture = Fixture::new().await;
    let (other, _) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    let theirs = completed_backup(&fixture.state, &theirs).await;
    let path = format!("/databases/{}/backups", fixture.database.id);
    let queued = fixture.post(&path, &fixture.key, "k", &serde_json::json!({})).await.json();
    let seen = chain(&fixture).await.len();
    for id in [theirs.id.to_string(), queued["backupJobId"].as_str().expect("an id").to_owned()] {
        let answer = fixture.get(&format!("/evidence/{id}/bundle"), &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{}", answer.text);
    }
    assert_eq!(chain(&fixture).await.len(), seen);
}
