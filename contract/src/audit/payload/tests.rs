use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::audit::{AuditEvent, EventKind, Payload};
use crate::schema::writing;

/// The schema of an audit event as the documents publish it.
fn published() -> Value {
    let mut generator = writing().into_generator();
    let event = AuditEvent::json_schema(&mut generator);
    let mut document = json!(generator.take_definitions(true));
    let mut event = event.to_value();
    event["$defs"] = document.take();
    event
}

fn event(kind: EventKind, payload: &Value) -> Value {
    json!({
        "kind": kind,
        "seq": 1,
        "at": "2026-01-31T02:00:00.000Z",
        "jobId": "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
        "payload": payload,
        "prevHash": crate::audit::FIRST_PREV_HASH,
        "hash": crate::audit::FIRST_PREV_HASH,
    })
}

/// The rule of the published schema for a kind, and what it refers to.
fn rule(schema: &Value, kind: EventKind) -> Value {
    let rules = schema["allOf"].as_array().expect("there are rules").iter();
    let of_kind = |rule: &&Value| {
        let kinds = rule["if"]["properties"]["kind"]["enum"].as_array().expect("kinds");
        kinds.contains(&json!(kind))
    };
    let mut found: Vec<_> = rules.filter(of_kind).collect();
    let rule = found.pop().expect("each kind has a rule");
    assert!(found.is_empty(), "{} has several rules", kind.as_str());
    let reference = rule["then"]["properties"]["payload"]["$ref"].as_str().expect("a reference");
    schema.pointer(reference.trim_start_matches('#')).expect("is defined").clone()
}

#[test]
fn every_kind_has_a_schema_that_is_closed_and_explains_each_member() {
    let schema = published();
    assert!(jsonschema::draft202012::meta::validate(&schema).is_ok());
    for kind in EventKind::ALL {
        let payload = rule(&schema, *kind);
        assert_eq!(payload["additionalProperties"], false, "{}", kind.as_str());
        assert!(payload["description"].is_string(), "{}", kind.as_str());
        for (name, member) in payload["properties"].as_object().expect("members") {
            let referred = member.get("$ref").is_some() || member.get("anyOf").is_some();
            assert!(referred || member["description"].is_string(), "{} {name}", kind.as_str());
        }
    }
}

#[test]
fn no_event_says_more_than_its_schema_and_its_type_know() {
    let schema = published();
    let validator = jsonschema::draft202012::new(&schema).expect("is a schema");
    for kind in EventKind::ALL {
        let more = json!({ "password": "secret" });
        assert!(!validator.is_valid(&event(*kind, &more)), "{}", kind.as_str());
        assert!(Payload::read(*kind, &more).is_err(), "{}", kind.as_str());
        assert!(Payload::read(*kind, &Value::Null).is_err(), "{}", kind.as_str());
        assert!(!validator.is_valid(&event(*kind, &Value::Null)), "{}", kind.as_str());
    }
}

/// As servers before this one wrote them; the hashes of such events have to stay what they are.
#[test]
fn events_of_earlier_versions_are_read_and_written_again_as_they_were() {
    let (backup, database) = ("bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3", "db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3");
    let (destination, key) = ("dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3", "key_01928c3e5f7a7c3e8d2b4a6f90c1e2d3");
    let (hash, at) = ("ab".repeat(32), "2026-01-31T02:00:00.000Z");
    let earlier = [
        (EventKind::BackupQueued, json!({"trigger": "adhoc", "databaseId": database, "destinationId": destination})),
        (EventKind::BackupQueued, json!({"attempt": 2, "notBefore": at})),
        (EventKind::BackupQueued, json!({"attempt": 1, "reason": "worker_shutdown", "notBefore": at})),
        (EventKind::BackupFinalizing, json!({"attempt": 1, "resumed": true})),
        (
            EventKind::BackupCompleted,
            json!({"attempt": 1, "manifestHash": hash, "checksumSha256": hash, "sizeBytes": 7, "keyId": "wk_0011223344556677"}),
        ),
        (EventKind::BackupCancelled, json!({"attempt": 0, "from": "queued", "apiKeyId": null})),
        (
            EventKind::RestoreTokenIssued,
            json!({"backupJobId": backup, "manifestHash": hash, "mode": "in_place", "targetRedactedDsn": "postgresql://h/d", "expiresAt": at}),
        ),
        (EventKind::RestoreTriggered, json!({})),
        (EventKind::RestoreFailed, json!({"errorCode": "restore_failed", "retryable": false})),
        (EventKind::RestoreTokenRejected, json!({"reason": "manifest_hash_mismatch"})),
        (EventKind::ApiKeyRevoked, json!({"apiKeyId": key})),
        (EventKind::EvidenceExported, json!({"backupJobId": backup, "bundleSha256": hash, "apiKeyId": key})),
    ];
    let schema = published();
    let validator = jsonschema::draft202012::new(&schema).expect("is a schema");
    for (kind, payload) in earlier {
        let read = Payload::read(kind, &payload).unwrap_or_else(|error| panic!("{} {error}", kind.as_str()));
        assert_eq!(read.kind(), kind);
        assert_eq!(read.to_value().ok(), Some(payload.clone()));
        assert!(validator.is_valid(&event(kind, &payload)), "{} {payload}", kind.as_str());
    }
    // Before destinations had a state, an encryption and a role.
    let payload = json!({"destinationId": destination, "name": "n", "provider": "minio", "endpoint": null, "region": "r",
        "bucket": "b", "lockMode": "none", "retentionDays": 0, "apiKeyId": null});
    assert!(Payload::read(EventKind::DestinationCreated, &payload).is_ok());
    assert!(validator.is_valid(&event(EventKind::DestinationCreated, &payload)));
}

#[test]
fn no_member_is_named_like_a_secret() {
    let schema = published();
    let members: BTreeSet<String> = EventKind::ALL
        .iter()
        .flat_map(|kind| rule(&schema, *kind)["properties"].as_object().expect("members").clone())
        .map(|(name, _)| name)
        .collect();
    for word in ["password", "secret", "token", "url", "credential", "dsn"] {
        let named: Vec<_> = members.iter().filter(|name| name.to_lowercase().contains(word)).collect();
        assert!(named.iter().all(|name| name.contains("Redacted")), "{named:?}");
    }
}
