//! The evidence of a completed backup leaves as one archive, and that it left is on record.

use std::collections::BTreeMap;
use std::io::Read;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use walwarden_contract::audit::{AuditEvent, EventKind, conforms};
use walwarden_contract::bundle::verify::{Question, Report, verify};

use super::fixture::{Fixture, HOUR, completed_backup, database, organization, sign_checkpoint};
use super::writing::chain;

async fn export(fixture: &Fixture, id: &str, query: &str) -> (HeaderMap, Vec<u8>) {
    let request = Request::get(format!("/api/v1/evidence/{id}/bundle{query}"));
    let request = request.header("authorization", format!("Bearer {}", fixture.key));
    let request = request.body(Body::empty()).expect("a request");
    let response = fixture.router.clone().oneshot(request).await.expect("the router never fails");
    assert_eq!(response.status(), 200);
    let (parts, body) = response.into_parts();
    (parts.headers, to_bytes(body, 1 << 20).await.expect("a body").to_vec())
}

async fn checkpoint(fixture: &Fixture) -> u64 {
    fixture.advance(HOUR);
    sign_checkpoint(&fixture.state, fixture.org_id).await
}

fn judge(fixture: &Fixture, bundle: &[u8], checkpoint: Option<&str>) -> Report {
    verify(Question {
        bundle: &mut &*bundle,
        public_key: &fixture.state.keyring.public_key_pem(),
        checkpoint,
        artifact: None,
    })
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
async fn a_bundle_is_what_the_verifier_takes_and_the_same_bytes_again() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let id = backup.id.to_string();
    let path = format!("/evidence/{id}/bundle");
    let unsealed = fixture.get(&path, &fixture.key).await;
    assert_eq!((unsealed.status.as_u16(), unsealed.code().as_str()), (409, "evidence_not_sealed"), "{}", unsealed.text);

    let size = checkpoint(&fixture).await;
    let (headers, bundle) = export(&fixture, &id, "").await;
    assert_eq!(headers["content-type"], "application/gzip");
    let disposition = format!("attachment; filename=\"walwarden-evidence-{id}.tgz\"");
    assert_eq!(headers["content-disposition"], disposition.as_str());
    let report = judge(&fixture, &bundle, None);
    assert_eq!((report.failure, report.manifests, report.anchored), (None, 1, false));

    // The export itself is an event; as of the same checkpoint the evidence is the same bytes.
    let later = checkpoint(&fixture).await;
    assert!(later > size);
    assert_eq!(
        export(&fixture, &id, &format!("?checkpoint={size}")).await.1,
        bundle,
        "the same evidence is other bytes"
    );
    let kept = fixture.state.store.checkpoint_at(fixture.org_id, size).await.expect("reads").expect("is there");
    let anchored = judge(&fixture, &export(&fixture, &id, "").await.1, Some(&kept.note));
    assert_eq!((anchored.failure, anchored.anchored), (None, true));
    let remembered = export(&fixture, &id, "?remembered=1").await.1;
    assert_eq!(judge(&fixture, &remembered, None).failure, None);

    let files = files(&bundle);
    let names = [
        "audit_events.json",
        "bundle.json",
        "checkpoint.txt",
        "key_events.json",
        "manifest.json",
        "proof.json",
        "restore_events.json",
    ];
    assert_eq!(files.keys().collect::<Vec<_>>(), names);
    assert_eq!(files["manifest.json"], backup.manifest.expect("completed").as_bytes());
    let events: Vec<AuditEvent> = serde_json::from_slice(&files["audit_events.json"]).expect("events");
    assert_eq!(conforms(&events), Ok(()));
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_asked_for_is_refused_and_nothing_recorded() {
    let fixture = Fixture::new().await;
    let early = checkpoint(&fixture).await;
    let id = fixture.completed_backup().await.id;
    let size = checkpoint(&fixture).await;
    let seen = chain(&fixture).await.len();
    for (query, status, code) in [
        (format!("checkpoint={}", size + 1), 404, "not_found"),
        (format!("checkpoint={early}"), 400, "invalid_request"),
        (format!("remembered={}", size + 1), 400, "invalid_request"),
        ("checkpoint=0".to_owned(), 400, "invalid_request"),
        ("checkpoint=-1".to_owned(), 400, "invalid_request"),
        ("size=1".to_owned(), 400, "invalid_request"),
    ] {
        let answer = fixture.get(&format!("/evidence/{id}/bundle?{query}"), &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{query}: {}", answer.text);
    }
    assert_eq!(chain(&fixture).await.len(), seen);
}

#[tokio::test]
async fn each_export_is_an_event_of_the_organization_that_names_the_bytes() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let size = checkpoint(&fixture).await;
    let seen = chain(&fixture).await.len();
    let (_, bundle) = export(&fixture, &backup.id.to_string(), "").await;
    let events = chain(&fixture).await;
    let [event] = &events[seen..] else { panic!("not one event: {:?}", &events[seen..]) };
    assert_eq!(event.kind, EventKind::EvidenceExported);
    assert_eq!(event.payload["backupJobId"], backup.id.to_string());
    assert_eq!(event.payload["checkpointSize"], size);
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
