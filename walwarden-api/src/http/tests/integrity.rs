//! What a look at the audit chains finds without anybody asking, and where it shows.

use std::sync::Arc;

use serde_json::Value;
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::OrganizationCreated;

use super::fixture::{Fixture, HOUR, organization};
use crate::jobs::integrity::{AuditLook, look};
use crate::jobs::retention::Keeper;
use crate::jobs::worker::Presence;

const EVERY: i64 = 6 * HOUR;

fn keeper(fixture: &Fixture) -> Keeper {
    let (store, system) = (fixture.state.store.clone(), fixture.state.system.clone());
    Keeper { store, system, keyring: Arc::clone(&fixture.state.keyring) }
}

async fn looked(fixture: &Fixture) -> AuditLook {
    let look = look(&keeper(fixture), EVERY).await.expect("looks").expect("it is due");
    fixture.advance(EVERY);
    look
}

async fn audit_check(fixture: &Fixture) -> Value {
    let mut presence = Presence::new("host:1", &fixture.state.system);
    presence.show(&fixture.state.store, &fixture.state.system).await.expect("shows");
    let readiness = fixture.get("/readiness", &fixture.key).await.json();
    let checks = readiness["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["component"] == "audit").expect("is there").clone();
    let failed = checks.iter().any(|check| check["status"] == "failed");
    assert_eq!(readiness["result"] == "failed", failed, "{readiness}");
    check
}

async fn anomalies_on_record(fixture: &Fixture) -> usize {
    let chain = fixture.state.store.audit_chain(fixture.org_id, &fixture.org_id.to_string()).await.expect("reads");
    walwarden_contract::audit::conforms(&chain).expect("holds");
    chain.iter().filter(|event| event.kind.as_str() == "audit.anomaly_detected").count()
}

#[tokio::test]
async fn an_edited_event_is_found_recorded_once_and_fails_readiness_until_it_is_mended() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    assert_eq!(audit_check(&fixture).await["status"], "not_verifiable");
    let first = looked(&fixture).await;
    assert_eq!((first.streams, first.broken), (2, 0));
    assert_eq!(audit_check(&fixture).await["status"], "passed");

    fixture
        .tamper("UPDATE audit_events SET payload = REPLACE(payload, 'adhoc', 'scheduled') WHERE kind = 'backup.queued'")
        .await;
    assert_eq!(looked(&fixture).await.broken, 1);
    let check = audit_check(&fixture).await;
    assert_eq!(check["status"], "failed");
    assert!(check["evidence"].as_str().is_some_and(|text| text.contains(&backup.id.to_string())), "{check}");
    assert_eq!(looked(&fixture).await.broken, 1);
    assert_eq!(anomalies_on_record(&fixture).await, 1, "once for each broken chain");

    fixture
        .tamper("UPDATE audit_events SET payload = REPLACE(payload, 'scheduled', 'adhoc') WHERE kind = 'backup.queued'")
        .await;
    assert_eq!(looked(&fixture).await.broken, 0);
    assert_eq!(audit_check(&fixture).await["status"], "passed");
}

#[tokio::test]
async fn a_record_that_says_something_else_than_its_chain_is_found() {
    for sql in [
        "UPDATE backup_jobs SET manifest_hash = '00'",
        "UPDATE backup_jobs SET state = 'cancelled'",
        "UPDATE backup_jobs SET artifact = REPLACE(artifact, '22', '33')",
        "UPDATE backup_jobs SET manifest = REPLACE(manifest, 'gzip:1', 'gzip:2')",
        "UPDATE backup_jobs SET expired_at = 1",
        "DELETE FROM backup_jobs",
        "DELETE FROM audit_streams WHERE stream_id LIKE 'bkp_%'",
        "DELETE FROM audit_events WHERE kind = 'backup.completed'",
    ] {
        let fixture = Fixture::new().await;
        fixture.completed_backup().await;
        fixture.tamper(sql).await;
        assert_eq!(looked(&fixture).await.broken, 1, "{sql}");
    }
}

#[tokio::test]
async fn a_look_whose_process_died_is_taken_up() {
    let fixture = Fixture::new().await;
    fixture.completed_backup().await;
    let store = &fixture.state.store;
    let (now, kind) = (fixture.state.system.now(), crate::store::looks::LookKind::Audit);
    let taken = store.take_due_look(kind, now, crate::system::after(now, HOUR)).await.expect("takes");
    assert!(taken.is_some());
    assert_eq!(look(&keeper(&fixture), EVERY).await.expect("looks"), None, "one process at a time");
    fixture.advance(HOUR);
    assert_eq!(looked(&fixture).await.streams, 2);
    assert_eq!(look(&keeper(&fixture), EVERY).await.expect("looks").map(|look| look.broken), Some(0));
}

#[tokio::test]
async fn a_head_that_nobody_can_read_hides_no_chain() {
    // A number, a text where a number belongs, an id before every other one and one behind.
    for sql in [
        "UPDATE audit_streams SET seq = -1 WHERE stream_id LIKE 'bkp_%'",
        "UPDATE audit_streams SET seq = 'many' WHERE stream_id LIKE 'bkp_%'",
        "INSERT INTO audit_streams (stream_id, org_id, seq, head) SELECT 'a', org_id, 1, head FROM audit_streams WHERE stream_id LIKE 'bkp_%'",
        "INSERT INTO audit_streams (stream_id, org_id, seq, head) SELECT 'zz', org_id, 1, head FROM audit_streams WHERE stream_id LIKE 'bkp_%'",
    ] {
        let fixture = Fixture::new().await;
        let (_, restore) = fixture.complete_restore().await;
        assert_eq!(looked(&fixture).await.broken, 0, "{sql}");
        fixture.tamper(sql).await;
        fixture.tamper("UPDATE audit_events SET payload = '{\"a\":1}' WHERE kind = 'restore.completed'").await;
        assert_eq!(looked(&fixture).await.broken, 2, "{sql}");
        let check = audit_check(&fixture).await;
        assert_eq!(check["status"], "failed", "{sql}");
        assert!(check["evidence"].as_str().is_some_and(|text| text.contains(&restore)), "{sql}: {check}");
    }
}

#[tokio::test]
async fn a_list_of_chains_that_was_mended_holds_again() {
    let fixture = Fixture::new().await;
    fixture.completed_backup().await;
    fixture
        .tamper("INSERT INTO audit_streams (stream_id, org_id, seq, head) SELECT 'a', org_id, 1, head FROM audit_streams WHERE stream_id LIKE 'org_%'")
        .await;
    assert_eq!(looked(&fixture).await.broken, 1);
    assert_eq!(audit_check(&fixture).await["status"], "failed");
    fixture.tamper("DELETE FROM audit_streams WHERE stream_id = 'a'").await;
    assert_eq!(looked(&fixture).await.broken, 0);
    assert_eq!(audit_check(&fixture).await["status"], "passed");
}

#[tokio::test]
async fn a_chain_that_was_given_to_another_organization_is_missed_where_it_belongs() {
    let fixture = Fixture::new().await;
    fixture.complete_restore().await;
    let (other, _) = organization(&fixture.state, "other").await;
    for owner in ["org_none".to_owned(), other.to_string()] {
        let sql = format!("UPDATE audit_streams SET org_id = '{owner}' WHERE stream_id LIKE 'rst_%'");
        fixture.tamper(sql.leak()).await;
        // The looks of both organizations, whichever is first.
        for _ in 0..2 {
            look(&keeper(&fixture), EVERY).await.expect("looks").expect("is due");
        }
        assert_eq!(audit_check(&fixture).await["status"], "failed", "{owner}");
        fixture.advance(EVERY);
    }
}

#[tokio::test]
async fn an_anomaly_stands_although_the_organizations_chain_takes_no_event_and_is_raised_when_it_does() {
    let fixture = Fixture::new().await;
    fixture.completed_backup().await;
    fixture.tamper("UPDATE audit_events SET payload = '{}' WHERE kind = 'backup.queued'").await;
    // The next event of the organization would stand where one stands already.
    fixture.tamper("UPDATE audit_streams SET seq = seq - 1 WHERE stream_id LIKE 'org_%'").await;
    let state = &fixture.state;
    let event = Payload::OrganizationCreated(OrganizationCreated { name: "again".to_owned() });
    let refused = state.store.record_organization_event(fixture.org_id, state.system.now(), &event);
    refused.await.expect_err("the chain takes no event");
    assert_eq!(looked(&fixture).await.broken, 2);
    assert_eq!(audit_check(&fixture).await["status"], "failed");

    fixture.tamper("UPDATE audit_streams SET seq = seq + 1 WHERE stream_id LIKE 'org_%'").await;
    for _ in 0..2 {
        assert_eq!(looked(&fixture).await.broken, 1);
        assert_eq!(anomalies_on_record(&fixture).await, 1, "once");
    }
}

#[tokio::test]
async fn chains_that_nobody_looks_at_any_more_fail_readiness() {
    let fixture = Fixture::new().await;
    looked(&fixture).await;
    assert_eq!(audit_check(&fixture).await["status"], "passed");
    fixture.advance(EVERY + HOUR);
    let check = audit_check(&fixture).await;
    assert_eq!(check["status"], "failed", "{check}");
    assert!(check["evidence"].as_str().is_some_and(|text| text.contains("21600 s")), "{check}");
    looked(&fixture).await;
    assert_eq!(audit_check(&fixture).await["status"], "passed");

    let fixture = Fixture::new().await;
    assert_eq!(audit_check(&fixture).await["status"], "not_verifiable");
    fixture.advance(2 * EVERY + HOUR);
    assert_eq!(audit_check(&fixture).await["status"], "failed", "no look has ever ended");
}
