//! What could be recovered, to when, and what proves it.

use serde_json::{Value, json};
use walwarden_contract::model::Recoverability;

use super::fixture::{Answer, Fixture, HOUR, database, organization};
use crate::system::after;

const MINUTE: i64 = 60_000;

async fn summary(fixture: &Fixture) -> Value {
    let answer = fixture.get(&format!("/databases/{}/recovery/summary", fixture.database.id), &fixture.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn candidate(fixture: &Fixture, time: &str) -> Answer {
    let path = format!("/databases/{}/recovery/candidate?incidentTime={time}", fixture.database.id);
    fixture.get(&path, &fixture.key).await
}

#[tokio::test]
async fn a_summary_goes_from_none_to_verified_to_drilled() {
    let fixture = Fixture::new().await;
    let none = summary(&fixture).await;
    assert_eq!(
        none,
        json!({
            "databaseId": fixture.database.id,
            "evaluatedAt": "2026-01-31T02:00:00.000Z",
            "recoverability": Recoverability::None,
            "rpoMinutes": null,
            "freshness": "no_backup",
            "staleAt": null,
            "latestWindow": null,
            "completedBackups": 0,
            "oldestSnapshotAt": null,
            "nextRunAt": null,
            "custody": null,
        })
    );

    fixture.completed_backup().await;
    fixture.advance(HOUR);
    let until = after(fixture.state.system.now(), HOUR);
    let backup = fixture.completed_backup_of(5 * MINUTE, Some(until)).await;
    let verified = summary(&fixture).await;
    assert_eq!((&verified["recoverability"], &verified["rpoMinutes"]), (&json!("verified"), &json!(5)));
    assert_eq!((&verified["freshness"], &verified["staleAt"]), (&json!("unscheduled"), &json!(null)));
    assert_eq!(verified["completedBackups"], 2);
    assert_eq!(verified["oldestSnapshotAt"], "2026-01-31T02:00:00.000Z");
    assert_eq!(
        verified["latestWindow"],
        json!({
            "windowId": backup.id.to_string().replace("bkp_", "win_"),
            "databaseId": fixture.database.id,
            "backupJobId": backup.id,
            "snapshotAt": "2026-01-31T03:00:00.000Z",
            "opensAt": "2026-01-31T03:05:00.000Z",
            "closesAt": null,
        })
    );
    let locked = json!({ "status": "locked", "mode": "governance", "retainUntil": "2026-01-31T04:00:00.000Z" });
    assert_eq!(verified["custody"]["lock"], locked);
    assert_eq!(verified["custody"]["destinationId"], fixture.database.destination_id.to_string());
    assert_eq!(verified["custody"]["drill"]["status"], "not_drilled");
    fixture.advance(55 * MINUTE);
    assert_eq!(summary(&fixture).await["custody"]["lock"]["status"], "expired");

    fixture.advance(1);
    let (restored, restore) = fixture.complete_restore().await;
    let drilled = summary(&fixture).await;
    assert_eq!(drilled["recoverability"], "drilled");
    assert_eq!(drilled["custody"]["drill"]["restoreJobId"], restore);
    let listed = fixture.get("/evidence", &fixture.key).await.json();
    let drills: Vec<_> =
        listed["evidence"].as_array().expect("a list").iter().map(|one| &one["drill"]["status"]).collect();
    assert_eq!(drills, ["drilled", "not_drilled", "not_drilled"]);
    assert_eq!(listed["evidence"][0]["backupJobId"], restored.id.to_string());

    fixture.advance(1);
    fixture.completed_backup().await;
    assert_eq!(summary(&fixture).await["recoverability"], "verified", "the newest backup was never restored");
}

#[tokio::test]
async fn a_candidate_is_the_newest_backup_whose_dump_was_whole_by_then() {
    let fixture = Fixture::new().await;
    let empty = candidate(&fixture, "2026-01-31T02:00:00Z").await;
    assert_eq!((empty.status.as_u16(), empty.code().as_str()), (404, "no_recovery_candidate"));

    // The first dump runs from 02:00 to 02:10, the second from 03:10 to 03:20.
    let first = fixture.completed_backup_of(10 * MINUTE, None).await;
    fixture.advance(HOUR);
    let second = fixture.completed_backup_of(10 * MINUTE, None).await;
    for early in ["2026-01-31T01:00:00Z", "2026-01-31T02:00:00Z", "2026-01-31T02:09:59.999Z"] {
        let answer = candidate(&fixture, early).await;
        assert_eq!(answer.code(), "no_recovery_candidate", "{early}: {}", answer.text);
        let message = answer.json()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("opens at 2026-01-31T02:10:00.000Z"), "{message}");
    }
    let cases = [
        ("2026-01-31T02:10:00Z", &first, 10, false),
        ("2026-01-31T02:10:00.001Z", &first, 11, false),
        ("2026-01-31T03:15:00Z", &first, 75, false),
        ("2026-01-31T04:19:59.999%2B01:00", &first, 80, false),
        ("2026-01-31T03:20:00Z", &second, 10, false),
        ("2026-01-31T03:20:00.001Z", &second, 11, true),
        ("2027-01-01T00:00:00Z", &second, 482_210, true),
    ];
    for (time, backup, loss, provisional) in cases {
        let answer = candidate(&fixture, time).await;
        assert_eq!(answer.status, 200, "{time}: {}", answer.text);
        let found = answer.json();
        assert_eq!(found["backupJobId"], backup.id.to_string(), "{time}");
        assert_eq!(found["manifestHash"], json!(backup.manifest_hash), "{time}");
        assert_eq!((&found["lossMinutes"], &found["provisional"]), (&json!(loss), &json!(provisional)), "{time}");
        let closes_at = if backup.id == first.id { json!("2026-01-31T03:20:00.000Z") } else { Value::Null };
        assert_eq!(found["window"]["closesAt"], closes_at, "{time}");
    }
}

#[tokio::test]
async fn an_incident_time_that_is_none_is_refused_with_the_way_to_write_it() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}/recovery/candidate", fixture.database.id);
    for query in [
        "",
        "?incidentTime=",
        "?incidentTime=yesterday",
        "?incidentTime=2026-01-31T02:00:00",
        "?incidentTime=2026-01-31T02:00:00+01:00",
        "?incidentTime=2026-02-30T02:00:00Z",
        "?incidentTime=2026-01-31T02:00:00Z&incidentTime=2026-01-31T02:00:00Z",
        "?incidentTime=2026-01-31T02:00:00Z&limit=1",
    ] {
        let answer = fixture.get(&format!("{path}{query}"), &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_request"), "{query}");
        assert!(answer.text.contains("%2B"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_backup_whose_manifest_does_not_hold_is_no_candidate() {
    let fixture = Fixture::new().await;
    let first = fixture.completed_backup_of(MINUTE, None).await;
    for _ in 0..5 {
        fixture.advance(1);
        fixture.completed_backup_of(MINUTE, None).await;
    }
    fixture.tamper("UPDATE backup_jobs SET manifest = REPLACE(manifest, '15.18', '15.19') WHERE rowid > 1").await;
    let found = candidate(&fixture, "2026-01-31T03:00:00Z").await.json();
    assert_eq!(found["backupJobId"], first.id.to_string());
    assert_eq!(found["window"]["closesAt"], Value::Null, "nothing that holds took over");
    let one = summary(&fixture).await;
    assert_eq!((&one["recoverability"], &one["completedBackups"]), (&json!("verified"), &json!(6)));
    assert_eq!(one["latestWindow"]["backupJobId"], first.id.to_string());

    fixture.tamper("UPDATE backup_jobs SET manifest = '{}'").await;
    assert_eq!(candidate(&fixture, "2026-01-31T03:00:00Z").await.code(), "no_recovery_candidate");
    let none = summary(&fixture).await;
    assert_eq!((&none["recoverability"], &none["completedBackups"]), (&json!("none"), &json!(6)));
}

#[tokio::test]
async fn a_window_is_proven_without_telling_where_its_artifact_is() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup_of(MINUTE, None).await;
    fixture.advance(1);
    fixture.completed_backup_of(MINUTE, None).await;
    let path = format!("/recovery/windows/{}/proof", backup.id.to_string().replace("bkp_", "win_"));
    let answer = fixture.get(&path, &fixture.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for told in [backup.object_key.as_deref().expect("a key"), ".dump", "backups", "127.0.0.1", "http"] {
        assert!(!answer.text.contains(told), "{told} is in {}", answer.text);
    }
    let proof = answer.json();
    assert_eq!(proof["manifest"], json!({ "status": "passed", "manifestHash": backup.manifest_hash }));
    assert_eq!(proof["signature"], json!({ "status": "passed", "keyId": fixture.state.keyring.key_id() }));
    assert_eq!(proof["readBack"], json!({ "status": "passed", "verifiedAt": "2026-01-31T02:01:00.000Z" }));
    assert_eq!(proof["auditChain"], json!({ "status": "passed", "events": 5 }));
    assert_eq!((&proof["lock"]["status"], &proof["drill"]["status"]), (&json!("not_locked"), &json!("not_drilled")));
    assert_eq!(proof["window"]["closesAt"], "2026-01-31T02:02:00.001Z");
}

#[tokio::test]
async fn each_part_of_a_proof_fails_on_its_own() {
    let cases = [
        (
            "UPDATE backup_jobs SET manifest = REPLACE(manifest, '15.18', '15.19')",
            ["failed", "failed", "passed", "passed"],
        ),
        ("UPDATE backup_jobs SET manifest_hash = 'x'", ["failed", "passed", "failed", "failed"]),
        ("UPDATE backup_jobs SET manifest = NULL", ["failed", "failed", "passed", "passed"]),
        ("UPDATE audit_events SET at = at + 1 WHERE kind = 'backup.queued'", ["passed", "passed", "failed", "failed"]),
        ("DELETE FROM audit_events WHERE kind = 'backup.completed'", ["passed", "passed", "failed", "failed"]),
    ];
    for (sql, expected) in cases {
        let fixture = Fixture::new().await;
        let backup = fixture.completed_backup().await;
        fixture.tamper(sql).await;
        let path = format!("/recovery/windows/{}/proof", backup.id.to_string().replace("bkp_", "win_"));
        let answer = fixture.get(&path, &fixture.key).await;
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text);
        let proof = answer.json();
        let parts = ["manifest", "signature", "readBack", "auditChain"].map(|part| proof[part]["status"].clone());
        assert_eq!(parts, expected, "{sql}");
    }
}

#[tokio::test]
async fn recovery_of_what_is_not_there_or_another_organizations_is_not_found() {
    let fixture = Fixture::new().await;
    let (other, _) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    let backup = super::fixture::completed_backup(&fixture.state, &theirs).await;
    let queued =
        fixture.post(&format!("/databases/{}/backups", fixture.database.id), &fixture.key, "k", &json!({})).await;
    let queued = queued.json()["backupJobId"].as_str().expect("an id").replace("bkp_", "win_");
    for path in [
        format!("/databases/{}/recovery/summary", theirs.id),
        format!("/databases/{}/recovery/candidate?incidentTime=2027-01-01T00:00:00Z", theirs.id),
        format!("/recovery/windows/{}/proof", backup.id.to_string().replace("bkp_", "win_")),
        format!("/recovery/windows/{queued}/proof"),
        format!("/recovery/windows/{}/proof", backup.id),
    ] {
        let answer = fixture.get(&path, &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{path}");
    }
}
