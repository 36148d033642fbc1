//! Evidence is shown for what was proven, and checks again before it is shown.

use serde_json::json;
use walwarden_contract::audit::{AuditEvent, verify_chain};
use walwarden_contract::manifest;

use super::fixture::{Fixture, HOUR};

#[tokio::test]
async fn evidence_of_a_completed_backup_verifies_offline() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    fixture.advance(HOUR + 1);
    let evidence = fixture.get(&format!("/evidence/{}", backup.id), &fixture.key).await;
    assert_eq!(evidence.status, 200, "{}", evidence.text);
    let evidence = evidence.json();
    let key = fixture.state.keyring.signing_key().verifying_key();
    let read = manifest::verify(&evidence["manifest"], &key).expect("verifies");
    assert_eq!(read.backup_job_id, backup.id);
    assert_eq!(evidence["manifestHash"], manifest::manifest_hash(&evidence["manifest"]).expect("hashes"));
    assert_eq!(evidence["rpoMinutes"], 61);
    assert_eq!(evidence["integrityVerification"]["result"], "passed");
    let events: Vec<AuditEvent> = serde_json::from_value(evidence["auditEvents"].clone()).expect("events");
    assert_eq!(verify_chain(&events), Ok(()));
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    let expected = ["backup.queued", "backup.claimed", "backup.running", "backup.finalizing", "backup.completed"];
    assert_eq!(kinds, expected);

    let shown = fixture.get(&format!("/backups/{}", backup.id), &fixture.key).await.json();
    assert_eq!(shown["state"], "completed");
    assert_eq!(shown["artifact"]["manifestHash"], evidence["manifestHash"]);
    let database = fixture.get(&format!("/databases/{}", fixture.database.id), &fixture.key).await.json();
    assert_eq!(database["lastBackupJobId"], backup.id.to_string());
    assert_eq!(database["rpoMinutes"], 61);
    assert!(!database.to_string().contains("source-secret"));
}

#[tokio::test]
async fn a_backup_that_is_not_completed_has_no_evidence_and_cannot_be_restored() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}/backups", fixture.database.id);
    let queued = fixture.post(&path, &fixture.key, "k", &json!({})).await.json();
    let id = queued["backupJobId"].as_str().expect("an id");
    assert_eq!(fixture.get(&format!("/evidence/{id}"), &fixture.key).await.code(), "not_found");
    let body = json!({ "backupJobId": id, "mode": "new_database", "targetRedactedDsn": "postgresql://h:5432/p" });
    let answer = fixture.post("/restores", &fixture.key, "k", &body).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (412, "backup_not_restorable"));
}
