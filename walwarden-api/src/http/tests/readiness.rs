//! Readiness says what is missing, and what to start.

use serde_json::{Value, json};

use super::fixture::{Fixture, HOUR, database, organization};
use crate::jobs::backups;
use crate::jobs::worker::Presence;
use crate::store::databases::Database;
use crate::system::after;

async fn read(fixture: &Fixture) -> Value {
    let answer = fixture.get("/readiness", &fixture.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn status(readiness: &Value, component: &str) -> (String, String) {
    let checks = readiness["checks"].as_array().expect("a list").iter();
    let check = checks.clone().find(|check| check["component"] == component).expect("the component is there");
    let text = |key: &str| check[key].as_str().expect("text").to_owned();
    (text("status"), text("evidence"))
}

#[tokio::test]
async fn without_a_worker_the_service_is_not_ready_and_says_what_to_start() {
    let fixture = Fixture::new().await;
    let readiness = read(&fixture).await;
    assert_eq!(readiness["result"], "failed");
    for component in ["worker", "scheduler"] {
        let (status, evidence) = status(&readiness, component);
        assert_eq!(status, "failed");
        assert!(evidence.contains("walwarden-api serve --role worker"), "{evidence}");
    }
    for component in ["store", "server"] {
        assert_eq!(status(&readiness, component).0, "passed");
    }

    let (store, system) = (&fixture.state.store, &fixture.state.system);
    let mut presence = Presence::new("host:1", system);
    assert!(presence.show(store, system).await.expect("shows"));
    assert!(!presence.show(store, system).await.expect("shows"), "a process writes every ten seconds at most");
    fixture.advance(60_000);
    let readiness = read(&fixture).await;
    assert_eq!(readiness["result"], "passed", "{readiness}");
    assert!(!readiness.to_string().contains("host:1"));
    fixture.advance(1);
    assert_eq!(read(&fixture).await["result"], "failed");
    assert!(presence.show(store, system).await.expect("shows"));
    assert_eq!(read(&fixture).await["result"], "passed");

    fixture.state.drain();
    assert_eq!(status(&read(&fixture).await, "server").0, "failed");
}

#[tokio::test]
async fn an_overlooked_schedule_is_the_schedulers_failure_and_counted_for_its_owner() {
    let fixture = Fixture::new().await;
    let (store, system) = (&fixture.state.store, &fixture.state.system);
    let (other, _) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    fixture
        .tamper("UPDATE databases SET schedule = '0 * * * *', next_run_at = 1769824800000 WHERE name = 'theirs'")
        .await;
    fixture.advance(300_000 - 1);
    let mut presence = Presence::new("host:1", system);
    presence.show(store, system).await.expect("shows");
    assert_eq!(read(&fixture).await["result"], "passed");
    fixture.advance(1);
    let readiness = read(&fixture).await;
    assert_eq!(status(&readiness, "scheduler").0, "failed");
    assert_eq!(readiness["overdueDatabases"], 0);
    assert!(!readiness.to_string().contains(&theirs.id.to_string()));
    fixture
        .tamper("UPDATE databases SET schedule = '0 * * * *', next_run_at = 1769824800000 WHERE name = 'shop'")
        .await;
    assert_eq!(read(&fixture).await["overdueDatabases"], 1);
}

#[tokio::test]
async fn the_queue_is_counted_for_the_callers_organization() {
    let fixture = Fixture::new().await;
    let queue = async |database: &Database, key: &str| {
        let path = format!("/databases/{}/backups", database.id);
        let answer = fixture.post(&path, key, &database.name, &json!({})).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    };
    let empty = json!({ "queued": 0, "running": 0, "oldestQueuedAt": null });
    fixture.completed_backup().await;
    let (other, other_key) = organization(&fixture.state, "other").await;
    queue(&database(&fixture.state, other, "theirs").await, &other_key).await;
    assert_eq!(read(&fixture).await["queue"], empty, "what is completed, or another's, does not wait");

    fixture.advance(1);
    queue(&fixture.database, &fixture.key).await;
    fixture.advance(HOUR);
    queue(&database(&fixture.state, fixture.org_id, "second").await, &fixture.key).await;
    let waiting = json!({ "queued": 2, "running": 0, "oldestQueuedAt": "2026-01-31T02:00:00.001Z" });
    assert_eq!(read(&fixture).await["queue"], waiting);

    let (store, system) = (&fixture.state.store, &fixture.state.system);
    for _ in 0..2 {
        backups::claim(store, system, "test", after(system.now(), HOUR)).await.expect("claims");
    }
    let held = json!({ "queued": 1, "running": 1, "oldestQueuedAt": "2026-01-31T03:00:00.001Z" });
    assert_eq!(read(&fixture).await["queue"], held);
}
