//! What a look at the audit chains finds without anybody asking, and where it shows.

use std::sync::Arc;

use serde_json::Value;

use super::fixture::{Fixture, HOUR};
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
    assert_eq!(readiness["result"] == "failed", check["status"] == "failed", "{readiness}");
    check
}

async fn anomalies_on_record(fixture: &Fixture) -> usize {
    let chain = fixture.state.store.audit_chain(fixture.org_id, &fixture.org_id.to_string()).await.expect("reads");
    walwarden_contract::audit::verify_chain(&chain).expect("holds");
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
