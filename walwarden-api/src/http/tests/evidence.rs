//! Evidence is shown for what was proven, and checks again before it is shown.

use std::sync::Arc;

use serde_json::{Value, json};
use walwarden_contract::audit::{AuditEvent, conforms};
use walwarden_contract::manifest;

use super::fixture::{Fixture, HOUR, completed_backup, database, organization};
use crate::engine::backup::{CHECKS, VERIFIED_BY};
use crate::http::router;
use crate::secrets::Keyring;
use crate::system::after;

#[tokio::test]
async fn evidence_of_a_completed_backup_verifies_offline() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    fixture.advance(HOUR + 1);
    let evidence = fixture.get(&format!("/evidence/{}", backup.id), &fixture.key).await;
    assert_eq!(evidence.status, 200, "{}", evidence.text);
    let evidence = evidence.json();
    let key = *fixture.state.keyring.verifying_key();
    let read = manifest::verify(&evidence["manifest"], &key).expect("verifies");
    assert_eq!(read.backup_job_id, backup.id);
    assert_eq!(evidence["manifestHash"], manifest::manifest_hash(&evidence["manifest"]).expect("hashes"));
    assert_eq!(evidence["rpoMinutes"], 61);
    let verification = &evidence["integrityVerification"];
    assert_eq!(verification["result"], "passed");
    assert_eq!(verification["verifiedBy"], VERIFIED_BY);
    let events: Vec<AuditEvent> = serde_json::from_value(evidence["auditEvents"].clone()).expect("events");
    assert_eq!(conforms(&events), Ok(()));
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    let expected = ["backup.queued", "backup.claimed", "backup.running", "backup.finalizing", "backup.completed"];
    assert_eq!(kinds, expected);
    // What is shown of the worker's checks is what its event says; what is checked now comes behind it.
    let completed = &events.last().expect("an event").payload;
    assert_eq!(completed["verifiedBy"], VERIFIED_BY);
    assert_eq!(completed["databaseId"], fixture.database.id.to_string());
    let checks = verification["checks"].as_array().expect("a list");
    assert_eq!(completed["checks"], json!(checks[..CHECKS.len()]));
    assert_eq!(checks[CHECKS.len()..], ["the manifest's signature verifies", "the audit chain is whole"]);

    let shown = fixture.get(&format!("/backups/{}", backup.id), &fixture.key).await.json();
    assert_eq!(shown["state"], "completed");
    assert_eq!(shown["artifact"]["manifestHash"], evidence["manifestHash"]);
    let database = fixture.get(&format!("/databases/{}", fixture.database.id), &fixture.key).await.json();
    assert_eq!(database["lastBackupJobId"], backup.id.to_string());
    assert_eq!(database["rpoMinutes"], 61);
    assert!(!database.to_string().contains("source-secret"));
}

#[tokio::test]
async fn who_verified_a_backup_is_unknown_where_no_record_says_it_and_never_read_from_a_chain_that_does_not_hold() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    fixture.tamper("UPDATE audit_events SET payload = replace(payload, '\"walwarden-api ', '\"other ')").await;
    let path = format!("/evidence/{}", backup.id);
    let shown = fixture.get(&path, &fixture.key).await.json();
    let verification = &shown["integrityVerification"];
    assert_eq!((&verification["result"], &verification["verifiedBy"]), (&json!("failed"), &json!(VERIFIED_BY)));

    // As earlier versions left it.
    fixture.tamper("UPDATE backup_jobs SET artifact = replace(artifact, '\"verified_by\"', '\"unknown\"')").await;
    let listed = fixture.get("/evidence", &fixture.key).await.json();
    assert_eq!(listed["evidence"][0]["integrityVerification"]["verifiedBy"], Value::Null, "{listed}");
    assert_eq!(listed["evidence"][0]["integrityVerification"]["result"], "passed");
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

#[tokio::test]
async fn evidence_is_listed_newest_first_for_one_database_or_all() {
    let fixture = Fixture::new().await;
    let empty = fixture.get("/evidence", &fixture.key).await.json();
    assert_eq!(empty, json!({ "evidence": [], "nextCursor": null }));
    let second = database(&fixture.state, fixture.org_id, "second").await;
    let mut expected: Vec<(String, String)> = Vec::new();
    for round in 0..45 {
        fixture.advance(1);
        let of = if round % 3 == 0 { &second } else { &fixture.database };
        let backup = completed_backup(&fixture.state, of).await;
        expected.insert(0, (backup.id.to_string(), of.id.to_string()));
    }
    let path = format!("/databases/{}/backups", second.id);
    assert_eq!(fixture.post(&path, &fixture.key, "k", &json!({})).await.status, 202);

    let ids = |listed: &[Value]| -> Vec<(String, String)> {
        let text = |one: &Value, key: &str| one[key].as_str().expect("an id").to_owned();
        listed.iter().map(|one| (text(one, "backupJobId"), text(one, "databaseId"))).collect()
    };
    for limit in [7, 20, 200] {
        let all = fixture.every_page(&format!("/evidence?limit={limit}"), "evidence").await;
        assert_eq!(ids(&all), expected, "by {limit}");
    }
    let path = format!("/evidence?limit=4&databaseId={}", second.id);
    let of_second: Vec<_> = expected.iter().filter(|(_, id)| *id == second.id.to_string()).cloned().collect();
    assert_eq!(ids(&fixture.every_page(&path, "evidence").await), of_second);

    let newest = &fixture.get("/evidence?limit=1", &fixture.key).await.json()["evidence"][0];
    let whole = fixture.get(&format!("/evidence/{}", expected[0].0), &fixture.key).await.json();
    for member in ["manifestHash", "keyId", "rpoMinutes", "lock", "drill"] {
        assert_eq!(newest[member], whole[member], "{member}");
    }
    // A list reads no chains, and so says nothing of them.
    let mut verification = whole["integrityVerification"].clone();
    let chain = verification["checks"].as_array_mut().expect("a list").pop();
    assert_eq!(chain, Some(json!("the audit chain is whole")));
    assert_eq!(newest["integrityVerification"], verification);
    assert_eq!(newest["artifact"], json!({ "sizeBytes": 3, "checksumSha256": "22".repeat(32) }));
}

#[tokio::test]
async fn evidence_of_a_database_of_nobody_or_of_another_organization_is_an_empty_list() {
    let fixture = Fixture::new().await;
    let (other, key) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    completed_backup(&fixture.state, &theirs).await;
    for id in [theirs.id.to_string(), format!("db_{}", "0".repeat(32))] {
        let answer = fixture.get(&format!("/evidence?databaseId={id}"), &fixture.key).await;
        assert_eq!(answer.json(), json!({ "evidence": [], "nextCursor": null }), "{}", answer.text);
    }
    assert_eq!(fixture.get("/evidence", &key).await.json()["evidence"].as_array().map(Vec::len), Some(1));
    for query in ["databaseId=1", "databaseId=", "limit=0", "limit=201", "cursor=1", "database_id=1"] {
        assert_eq!(fixture.get(&format!("/evidence?{query}"), &fixture.key).await.code(), "invalid_request", "{query}");
    }
}

#[tokio::test]
async fn a_manifest_that_does_not_hold_is_shown_as_failed_and_claims_no_lock() {
    let cases = [
        ("UPDATE backup_jobs SET manifest = REPLACE(manifest, '15.18', '15.19')", "hash that was recorded"),
        ("UPDATE backup_jobs SET manifest = 'x'", "cannot be read"),
        ("UPDATE backup_jobs SET manifest = NULL", "cannot be read"),
        ("UPDATE backup_jobs SET manifest_hash = 'x'", "hash that was recorded"),
        (
            "UPDATE backup_jobs SET (manifest, manifest_hash) = (SELECT manifest, manifest_hash FROM backup_jobs b
             WHERE b.id < backup_jobs.id) WHERE rowid > 1",
            "another backup's",
        ),
        (
            "UPDATE backup_jobs SET artifact = REPLACE(artifact, '2222', '3333') WHERE rowid > 1",
            "recorded artifact is not the one",
        ),
    ];
    for (sql, failure) in cases {
        let fixture = Fixture::new().await;
        let until = Some(after(fixture.state.system.now(), HOUR));
        fixture.completed_backup_of(1, until).await;
        let backup = fixture.completed_backup_of(1, until).await;
        fixture.tamper(sql).await;
        let whole = fixture.get(&format!("/evidence/{}", backup.id), &fixture.key).await;
        let listed = fixture.get("/evidence?limit=1", &fixture.key).await;
        assert_eq!((whole.status.as_u16(), listed.status.as_u16()), (200, 200), "{sql}");
        for shown in [&whole.json(), &listed.json()["evidence"][0]] {
            assert_eq!(shown["integrityVerification"]["result"], "failed", "{sql}: {shown}");
            let text = shown["integrityVerification"]["failure"].as_str().expect("a failure");
            assert!(text.contains(failure), "{sql}: {text}");
            assert_eq!(shown["lock"]["status"], "not_locked", "{sql}");
        }
    }
}

#[tokio::test]
async fn a_signature_by_a_key_of_elsewhere_is_neither_proof_nor_failure() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let (other, _) = crate::system::tests::manual();
    let directory = tempfile::tempdir().expect("a directory");
    // Otherwise it would make the keys that the fixture has.
    let _ = other.uuid();
    let mut state = fixture.state.clone();
    let keyring = Keyring::generate(&other, directory.path()).expect("keys");
    assert_ne!(keyring.key_id(), state.keyring.key_id());
    state.keyring = Arc::new(keyring);
    let moved = Fixture { router: router(state.clone()), state, ..fixture };
    let evidence = moved.get(&format!("/evidence/{}", backup.id), &moved.key).await.json();
    assert_eq!(evidence["integrityVerification"]["result"], "not_verifiable");
    let checks = evidence["integrityVerification"]["checks"].to_string();
    assert!(!checks.contains("signature verifies"), "{checks}");
    let path = format!("/recovery/windows/{}/proof", backup.id.to_string().replace("bkp_", "win_"));
    assert_eq!(moved.get(&path, &moved.key).await.json()["signature"]["status"], "not_verifiable");
    let path = format!("/databases/{}/recovery/candidate?incidentTime=2027-01-01T00:00:00Z", moved.database.id);
    let candidate = moved.get(&path, &moved.key).await.json();
    assert_eq!(candidate["backupJobId"], backup.id.to_string());
    assert_eq!(candidate["integrity"], "not_verifiable");
    let path = format!("/databases/{}/recovery/summary", moved.database.id);
    assert_eq!(moved.get(&path, &moved.key).await.json()["recoverability"], "not_verifiable");
}
