//! A small made-up organization, as JSON and as a page; and what a hostile one cannot do to the page.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use uuid::Uuid;
use walwarden_contract::audit::{AuditEvent, EventKind, FIRST_PREV_HASH, event_hash, verify_chain};
use walwarden_contract::{BackupJobId, DatabaseId, OrgId, RestoreJobId, Timestamp};

use super::document::{CheckpointShown, Checkpoints, Deletion, Records};
use super::history::History;
use super::tally::{About, Tally};
use super::*;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A chain, as a store would hold it.
pub(super) fn chain(stream: &str, events: &[(&str, EventKind, Value)]) -> Vec<AuditEvent> {
    let mut chain: Vec<AuditEvent> = Vec::new();
    for (seq, (time, kind, payload)) in (1..).zip(events) {
        let prev_hash = chain.last().map_or(FIRST_PREV_HASH, |event| &event.hash).to_owned();
        let hash = event_hash(&prev_hash, at(time), stream, *kind, payload).expect("canonical");
        let (kind, payload, job_id) = (*kind, payload.clone(), stream.to_owned());
        chain.push(AuditEvent { kind, seq, at: at(time), job_id, payload, prev_hash, hash });
    }
    assert_eq!(verify_chain(&chain), Ok(()));
    chain
}

fn database(number: u128) -> DatabaseId {
    DatabaseId::from_uuid(Uuid::from_u128(number))
}

fn org() -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(1))
}

fn backup_id(number: u128) -> BackupJobId {
    BackupJobId::from_uuid(Uuid::from_u128(number))
}

fn organization(name: &str) -> Vec<AuditEvent> {
    let shop = |schedule: &str| {
        json!({"databaseId": database(10), "name": name, "sourceRedactedDsn": "postgresql://app@db/shop", "destinationId": "dst_1",
            "schedule": schedule, "codec": "auto", "retentionDays": 30, "apiKeyId": null})
    };
    let key = json!({"apiKeyId": "key_1", "name": name, "clientKind": "service", "scopes": ["databases:read"]});
    let idle = json!({"databaseId": database(11), "name": "idle", "schedule": null, "codec": "auto"});
    let skipped =
        json!({"databaseId": database(10), "scheduledFor": "2026-01-05T02:00:00.000Z", "backupJobId": backup_id(4)});
    let bucket = json!({"destinationId": "dst_1", "name": name, "bucket": "backups", "lockMode": "governance"});
    let events = [
        ("2025-12-01T00:00:00Z", EventKind::OrganizationCreated, json!({ "name": name })),
        ("2025-12-01T00:01:00Z", EventKind::DestinationCreated, bucket),
        ("2025-12-01T00:02:00Z", EventKind::ApiKeyIssued, key),
        ("2025-12-30T12:00:00Z", EventKind::DatabaseCreated, shop("0 1 * * *")),
        ("2026-01-01T12:00:00Z", EventKind::DatabaseUpdated, shop("0 2 * * *")),
        ("2026-01-03T12:00:00Z", EventKind::DatabaseCreated, idle),
        ("2026-01-05T02:00:01Z", EventKind::ScheduleRunSkipped, skipped),
        ("2026-01-05T09:00:00Z", EventKind::ApiKeyRevoked, json!({"apiKeyId": "key_1"})),
        (
            "2026-01-06T09:00:00Z",
            EventKind::EvidenceExported,
            json!({"backupJobId": backup_id(2), "apiKeyId": "key_2"}),
        ),
        ("2026-02-01T00:00:00Z", EventKind::DatabaseDeleted, json!({"databaseId": database(11)})),
    ];
    chain(&org().to_string(), &events)
}

fn queued(run: &str) -> Value {
    json!({"trigger": "scheduled", "databaseId": database(10), "destinationId": "dst_1", "scheduledFor": run, "missedRuns": 0})
}

/// Completed at the second attempt, with a lock.
fn completed() -> (Vec<AuditEvent>, String) {
    let manifest = json!({"retention": {"mode": "governance", "retainUntil": "2026-03-01T00:00:00.000Z"}}).to_string();
    let hash = walwarden_contract::manifest::manifest_hash(&serde_json::from_str(&manifest).expect("JSON"));
    let done = json!({"attempt": 2, "manifestHash": hash.expect("canonical"), "sizeBytes": 4096, "keyId": "wk_0011223344556677",
        "checks": ["artifact_read_back", "manifest_read_back"], "verifiedBy": "walwarden-api 0.1.0"});
    let events = [
        ("2026-01-02T02:00:01Z", EventKind::BackupQueued, queued("2026-01-02T02:00:00.000Z")),
        ("2026-01-02T02:00:02Z", EventKind::BackupRunning, json!({"attempt": 1})),
        (
            "2026-01-02T02:00:03Z",
            EventKind::BackupFailed,
            json!({"attempt": 1, "errorCode": "upload_failed", "retryable": true}),
        ),
        ("2026-01-02T02:01:00Z", EventKind::BackupRunning, json!({"attempt": 2})),
        ("2026-01-02T02:01:30Z", EventKind::BackupCompleted, done),
    ];
    (chain(&backup_id(2).to_string(), &events), manifest)
}

fn failed() -> Vec<AuditEvent> {
    let events = [
        ("2026-01-03T02:00:01Z", EventKind::BackupQueued, queued("2026-01-03T02:00:00.000Z")),
        (
            "2026-01-03T02:00:03Z",
            EventKind::BackupFailed,
            json!({"attempt": 1, "errorCode": "source_auth_failed", "retryable": false}),
        ),
    ];
    chain(&backup_id(3).to_string(), &events)
}

fn restored() -> Vec<AuditEvent> {
    let opened = json!({"backupJobId": backup_id(2), "manifestHash": "00", "mode": "new_database"});
    let events = [
        ("2026-01-04T10:00:00Z", EventKind::RestoreTokenIssued, opened),
        ("2026-01-04T10:01:00Z", EventKind::RestoreTriggered, json!({})),
        ("2026-01-04T10:02:00Z", EventKind::RestoreManifestVerified, json!({})),
        ("2026-01-04T10:03:30Z", EventKind::RestoreCompleted, json!({})),
    ];
    chain(&RestoreJobId::from_uuid(Uuid::from_u128(5)).to_string(), &events)
}

/// The report on the first week of January 2026, made on the first of February.
fn document(name: &str) -> Document {
    let period: Period = "2026-01-01..2026-01-07".parse().expect("a period");
    let now = at("2026-02-01T10:00:00Z");
    let mut history = History::new(period.clone(), None);
    let events = organization(name);
    for event in &events {
        history.take(event);
    }
    history.finish();
    let mut tally = Tally::new(About {
        org_id: org(),
        organization_name: name.to_owned(),
        only: None,
        period,
        framework: Framework::Soc2,
        now,
        generated_by: "walwarden-api 0.1.0".to_owned(),
    });
    let restore = jobs::restore(RestoreJobId::from_uuid(Uuid::from_u128(5)), database(10), &restored());
    tally.restore(restore.expect("begins as one does"));
    let deleted = json!({"objects": [{"key": "k", "sizeBytes": 10}]});
    let deleted = chain(&backup_id(1).to_string(), &[("2026-01-02T00:00:00Z", EventKind::RetentionDeleted, deleted)]);
    tally.deletion(Deletion {
        backup_job_id: backup_id(1).to_string(),
        size_bytes: Some(10),
        error_code: None,
        event: (&deleted[0]).into(),
    });
    let (completed, manifest) = completed();
    for (id, history) in std::mem::take(&mut history.databases) {
        let mut database = tally.begin(id, history);
        if id == self::database(10) {
            let told = jobs::backup(backup_id(2), &completed, Some(&manifest), now).expect("begins as one does");
            database.backup(told, &mut tally);
            let told = jobs::backup(backup_id(3), &failed(), None, now).expect("begins as one does");
            database.backup(told, &mut tally);
        }
        tally.end(database);
    }
    let head = events.last().map(|event| event.hash.clone()).unwrap_or_default();
    let newest = CheckpointShown { size: 21, root_hash: "ab".repeat(32), signed_at: at("2026-01-07T00:00:00Z") };
    let checkpoints = Checkpoints { signed: 7, copies: 7, copies_written: 6, newest: Some(newest) };
    let records =
        Records { organization_events: 10, organization_head: head, job_chains: 3, checkpoints, ..Records::default() };
    tally.finish(history, records)
}

fn signed(document: &Document) -> (Signed, SigningKey) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let unsigned = Unsigned::new(document, &key.verifying_key()).expect("has a canonical form");
    let signature = key.sign(unsigned.message());
    (unsigned.signed(&signature).expect("has a canonical form"), key)
}

#[test]
fn the_document_of_a_small_history() {
    let document = document("shop");
    // 01:00 on the first, by the first schedule; 02:00 on the second to the seventh.
    let runs = document.summary.runs;
    assert_eq!((runs.expected, runs.completed, runs.failed, runs.skipped, runs.missed), (7, 1, 1, 1, 4));
    assert_eq!((runs.completed_after_retry, document.summary.restores.drills), (1, 1));
    insta::assert_json_snapshot!(document);
}

#[test]
fn the_page_of_a_small_history() {
    let document = document("shop");
    let (signed, _) = signed(&document);
    let page = page(&document, &signed).expect("renders");
    for text in [signed.hash.as_str(), &signed.signature, &signed.key_id, "no restore in this period"] {
        assert!(page.contains(text), "{text} is missing");
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a_database_that_was_never_restored_is_a_finding_and_no_silence() {
    let document = document("shop");
    let found: Vec<_> = document.findings.listed.iter().map(|finding| (finding.code, finding.database_id)).collect();
    assert!(found.contains(&("no_restore_in_period", Some(database(11)))), "{found:?}");
    assert!(!found.contains(&("no_restore_in_period", Some(database(10)))), "{found:?}");
    let a13 = document.controls.iter().find(|control| control.id == "A1.3").expect("a control");
    assert!(a13.findings.iter().any(|finding| finding.code == "no_restore_in_period" && finding.count == 1));
}

#[test]
fn no_report_says_that_anything_conforms() {
    let document = document("shop");
    let (signed, _) = signed(&document);
    let page = page(&document, &signed).expect("renders").to_lowercase();
    let text = String::from_utf8(signed.bytes).expect("text").to_lowercase();
    for word in ["compliant", "compliance", "conforms", "certified"] {
        assert!(!page.contains(word) && !text.contains(word), "{word}");
    }
}

#[test]
fn every_line_names_its_event_by_hash_chain_and_number() {
    fn visit(value: &Value, seen: &mut usize) {
        if let Value::Object(object) = value {
            if let Some(hash) = object.get("hash").and_then(Value::as_str) {
                assert_eq!(hash.len(), 64);
                assert!(
                    object["seq"].as_u64() >= Some(1) && object["stream"].is_string() && object["kind"].is_string()
                );
                *seen += 1;
            }
            for value in object.values() {
                visit(value, seen);
            }
        }
        if let Value::Array(values) = value {
            for value in values {
                visit(value, seen);
            }
        }
    }
    let facts = serde_json::to_value(document("shop").facts).expect("is JSON");
    let mut cited = 0;
    visit(&facts, &mut cited);
    let lines: usize =
        facts.as_object().expect("an object").values().map(|list| list["listed"].as_array().map_or(0, Vec::len)).sum();
    assert!(cited >= lines, "{cited} events for {lines} lines");
}

#[test]
fn a_hostile_name_stays_text() {
    let name = "</title></style><script>alert('x')</script><img src=x onerror=\"y\">&amp;";
    let document = document(name);
    let (signed, _) = signed(&document);
    let page = page(&document, &signed).expect("renders");
    for tag in ["<script", "<img", "onerror=\""] {
        assert!(!page.contains(tag), "{tag} got through");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    assert_eq!(page.matches("</title>").count(), 1);
    assert!(
        !page.contains("http://") && !page.contains("https://") && !page.contains("url("),
        "something from elsewhere"
    );
}

#[test]
fn a_signed_report_verifies_and_a_changed_one_does_not() {
    let (signed, key) = signed(&document("shop"));
    let mut received: Value = serde_json::from_slice(&signed.bytes).expect("is JSON");
    assert_eq!(serde_json_canonicalizer::to_vec(&received).expect("canonical"), signed.bytes);
    assert_eq!(verify(&received, &key.verifying_key()), Ok(signed.hash));
    assert_eq!(verify(&received, &SigningKey::from_bytes(&[8; 32]).verifying_key()), Err(SigningError::BadSignature));
    received["summary"]["runs"]["missed"] = json!(0);
    assert_eq!(verify(&received, &key.verifying_key()), Err(SigningError::BadSignature));
}

#[test]
fn lists_say_how_much_they_leave_out() {
    let mut list = Listed::of_at_most(2);
    (0..5).for_each(|number| list.add(number));
    assert_eq!((list.total, list.unlisted(), list.listed.as_slice()), (5, 3, [0, 1].as_slice()));
}
