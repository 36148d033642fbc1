//! Audit chains: read whole in pages, and checked to their recorded head.

use serde_json::{Value, json};
use walwarden_contract::audit::{AuditEvent, conforms};

use super::fixture::{Fixture, organization};

#[tokio::test]
async fn every_chain_is_listed_and_reads_whole_in_pages() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let (_, restore) = fixture.complete_restore().await;
    let streams = fixture.every_page("/audit/streams?limit=1", "streams").await;
    let ids: Vec<_> = streams.iter().map(|stream| stream["streamId"].as_str().expect("an id")).collect();
    for id in [backup.id.to_string(), fixture.org_id.to_string(), restore] {
        assert!(ids.contains(&id.as_str()), "{id} is not in {ids:?}");
    }
    assert_eq!(ids.len(), 4, "{ids:?}");
    for stream in &streams {
        let id = stream["streamId"].as_str().expect("an id");
        let events = fixture.every_page(&format!("/audit/streams/{id}/events?limit=2"), "events").await;
        let events: Vec<AuditEvent> = serde_json::from_value(Value::Array(events)).expect("events");
        assert_eq!(conforms(&events), Ok(()));
        assert_eq!(
            (json!(events.len()), json!(events.last().expect("an event").hash)),
            (stream["events"].clone(), stream["head"].clone())
        );
        let answer = fixture.get(&format!("/audit/streams/{id}/verification"), &fixture.key).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let verified = answer.json();
        assert_eq!((&verified["result"], &verified["failure"]), (&json!("passed"), &Value::Null));
        assert_eq!((&verified["events"], &verified["head"]), (&stream["events"], &stream["head"]));
    }
}

#[tokio::test]
async fn a_chain_of_another_organization_or_of_nobody_is_not_there() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let (other, key) = organization(&fixture.state, "other").await;
    let own = fixture.get("/audit/streams", &key).await.json();
    assert_eq!(own["streams"].as_array().map(Vec::len), Some(1));
    assert_eq!(own["streams"][0]["streamId"], other.to_string());
    for id in [backup.id.to_string(), fixture.org_id.to_string(), format!("rst_{}", "0".repeat(32))] {
        for what in ["events", "verification"] {
            let answer = fixture.get(&format!("/audit/streams/{id}/{what}"), &key).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{id}/{what}");
        }
    }
}

#[tokio::test]
async fn whatever_was_done_to_a_chain_is_noticed_and_named() {
    let cases = [
        ("UPDATE audit_events SET payload = '{}' WHERE kind = 'backup.running'", 2, "event 3 was changed"),
        ("UPDATE audit_events SET payload = '{' WHERE kind = 'backup.running'", 0, "unreadable audit event payload"),
        ("DELETE FROM audit_events WHERE kind = 'backup.running'", 2, "event 3 is missing"),
        ("DELETE FROM audit_events WHERE kind = 'backup.completed'", 4, "Event 5 and what follows it are missing"),
        ("UPDATE audit_events SET org_id = 'x' WHERE kind = 'backup.queued'", 0, "event 1 is missing"),
        ("UPDATE audit_streams SET head = 'x' WHERE stream_id LIKE 'bkp%'", 5, "not the recorded head"),
        (
            "UPDATE audit_streams SET seq = 4, head = (SELECT hash FROM audit_events e
             WHERE e.stream_id = audit_streams.stream_id AND e.seq = 4) WHERE stream_id LIKE 'bkp%'",
            4,
            "Event 5 stands behind the recorded head",
        ),
        ("DELETE FROM audit_streams WHERE stream_id LIKE 'bkp%'", 0, "head of the chain is not recorded"),
    ];
    for (sql, events, failure) in cases {
        let fixture = Fixture::new().await;
        let backup = fixture.completed_backup().await;
        fixture.tamper(sql).await;
        let answer = fixture.get(&format!("/audit/streams/{}/verification", backup.id), &fixture.key).await;
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text);
        let verified = answer.json();
        assert_eq!((&verified["result"], &verified["events"]), (&json!("failed"), &json!(events)), "{sql}: {verified}");
        let text = verified["failure"].as_str().expect("a failure");
        assert!(text.contains(failure), "{sql}: {text}");

        let evidence = fixture.get(&format!("/evidence/{}", backup.id), &fixture.key).await;
        assert_eq!(evidence.status, 200, "{sql}: {}", evidence.text);
        let verification = &evidence.json()["integrityVerification"];
        assert_eq!(verification["result"], "failed", "{sql}");
        assert!(verification["failure"].as_str().is_some_and(|text| text.contains("audit chain")), "{verification}");
    }
}
