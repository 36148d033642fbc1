//! The log as the API shows it: checkpoints and proofs that hold, checked with nothing but what was answered.

use std::sync::Arc;

use serde_json::{Value, json};
use walwarden_contract::audit::AuditEvent;
use walwarden_contract::log::merkle::{Hash, verify_consistency, verify_inclusion};
use walwarden_contract::log::{Leaf, SignedCheckpoint};

use super::fixture::{Fixture, HOUR, organization};
use crate::jobs::checkpoints::{Sequencer, sequence};
use crate::jobs::retention::Keeper;

fn keeper(fixture: &Fixture) -> Keeper {
    let (store, system) = (fixture.state.store.clone(), fixture.state.system.clone());
    Keeper { store, system, keyring: Arc::clone(&fixture.state.keyring) }
}

async fn look(fixture: &Fixture) {
    Sequencer::new(keeper(fixture)).look().await.expect("looks");
    fixture.advance(HOUR);
}

fn hash(value: &Value) -> Hash {
    hex::decode(value.as_str().expect("a text")).expect("hex").try_into().expect("32 bytes")
}

fn path(value: &Value) -> Vec<Hash> {
    value["path"].as_array().expect("a list").iter().map(hash).collect()
}

#[tokio::test]
async fn checkpoints_are_listed_with_their_copies_and_their_signatures_verify() {
    let fixture = Fixture::new().await;
    let empty = fixture.get("/audit/checkpoints", &fixture.key).await.json();
    assert_eq!(empty, json!({ "checkpoints": [], "nextCursor": null }));
    look(&fixture).await;
    fixture.completed_backup().await;
    look(&fixture).await;
    let pages = fixture.every_page("/audit/checkpoints?limit=1", "checkpoints").await;
    let [newer, older] = pages.as_slice() else { panic!("{pages:?}") };
    assert!(newer["size"].as_u64() > older["size"].as_u64());
    for shown in [newer, older] {
        let note = SignedCheckpoint::parse(shown["note"].as_str().expect("a text")).expect("a note");
        assert_eq!(note.signed_by(fixture.state.keyring.verifying_key()), Some(true));
        assert_eq!(json!(note.checkpoint.size), shown["size"]);
        assert_eq!(note.checkpoint.root, hash(&shown["rootHash"]));
        assert_eq!(shown["signedAt"], json!(note.checkpoint.at));
        assert_eq!(shown["keyIds"], json!([fixture.state.keyring.key_id()]));
        let copies = shown["copies"].as_array().expect("a list");
        let [copy] = copies.as_slice() else { panic!("{copies:?}") };
        assert_eq!(
            (&copy["destinationId"], &copy["writtenAt"]),
            (&json!(fixture.database.destination_id), &Value::Null)
        );
        assert!(copy["key"].as_str().is_some_and(|key| key.ends_with(&format!("/{:020}.txt", note.checkpoint.size))));
    }
    let (_, stranger) = organization(&fixture.state, "stranger").await;
    assert_eq!(fixture.get("/audit/checkpoints", &stranger).await.json()["checkpoints"], json!([]));
}

#[tokio::test]
async fn every_event_is_proven_in_every_checkpoint_that_covers_it() {
    let fixture = Fixture::new().await;
    look(&fixture).await;
    let backup = fixture.completed_backup().await;
    let uri = |seq: u64| format!("/audit/streams/{}/events/{seq}/proof", backup.id);
    let early = fixture.get(&uri(1), &fixture.key).await;
    assert_eq!((early.status.as_u16(), early.code().as_str()), (409, "not_logged_yet"));
    // In the log, and in no checkpoint.
    sequence(&keeper(&fixture), fixture.org_id).await.expect("sequences");
    assert_eq!(fixture.get(&uri(1), &fixture.key).await.code(), "not_logged_yet");
    look(&fixture).await;
    let events = fixture.every_page(&format!("/audit/streams/{}/events", backup.id), "events").await;
    let events: Vec<AuditEvent> = serde_json::from_value(Value::Array(events)).expect("events");
    for event in &events {
        let proof = fixture.get(&uri(event.seq), &fixture.key).await.json();
        let number = |name: &str| proof[name].as_u64().expect("a number");
        let leaf = Leaf::from(event).leaf_hash();
        let root = hash(&proof["rootHash"]);
        assert!(verify_inclusion(&leaf, number("leaf"), number("size"), &path(&proof), &root), "{proof}");
        assert_eq!((&proof["streamId"], number("seq")), (&json!(backup.id), event.seq));
    }
    let checkpoints = fixture.every_page("/audit/checkpoints", "checkpoints").await;
    let sizes: Vec<u64> = checkpoints.iter().map(|it| it["size"].as_u64().expect("a size")).collect();
    let [newer, older] = sizes.as_slice() else { panic!("{sizes:?}") };
    let named = fixture.get(&format!("{}?checkpoint={newer}", uri(1)), &fixture.key).await.json();
    assert_eq!(named["size"], json!(newer));
    for (query, status, code) in [
        (format!("?checkpoint={older}"), 400, "invalid_request"),
        ("?checkpoint=1000000".to_owned(), 404, "not_found"),
        ("?checkpoint=-1".to_owned(), 400, "invalid_request"),
        ("?checkpoint=18446744073709551616".to_owned(), 400, "invalid_request"),
        ("?size=1".to_owned(), 400, "invalid_request"),
    ] {
        let answer = fixture.get(&format!("{}{query}", uri(1)), &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{query}: {}", answer.text);
    }
    let past = events.len() as u64 + 1;
    for seq in [past.to_string(), "0".to_owned(), "x".to_owned(), "-1".to_owned(), u64::MAX.to_string()] {
        let answer = fixture.get(&format!("/audit/streams/{}/events/{seq}/proof", backup.id), &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{seq}");
    }
    let (_, stranger) = organization(&fixture.state, "stranger").await;
    assert_eq!(fixture.get(&uri(1), &stranger).await.code(), "not_found");
}

#[tokio::test]
async fn the_log_of_a_checkpoint_is_proven_to_go_on_from_an_earlier_one() {
    let fixture = Fixture::new().await;
    look(&fixture).await;
    for _ in 0..3 {
        fixture.completed_backup().await;
        look(&fixture).await;
    }
    let checkpoints = fixture.every_page("/audit/checkpoints", "checkpoints").await;
    assert_eq!(checkpoints.len(), 4);
    let roots: Vec<_> =
        checkpoints.iter().map(|it| (it["size"].as_u64().expect("a size"), hash(&it["rootHash"]))).collect();
    for (to, to_root) in &roots {
        for (from, from_root) in roots.iter().filter(|(from, _)| from <= to) {
            let proof = fixture.get(&format!("/audit/consistency?from={from}&to={to}"), &fixture.key).await.json();
            assert_eq!((hash(&proof["fromRootHash"]), hash(&proof["toRootHash"])), (*from_root, *to_root));
            assert!(verify_consistency(*from, *to, from_root, to_root, &path(&proof)), "{proof}");
        }
    }
    let (newest, oldest) = (roots[0].0, roots[3].0);
    for (query, status, code) in [
        (format!("?from={newest}&to={oldest}"), 400, "invalid_request"),
        (format!("?from={oldest}"), 400, "invalid_request"),
        (String::new(), 400, "invalid_request"),
        (format!("?from={oldest}&to={newest}&limit=1"), 400, "invalid_request"),
        (format!("?from={oldest}&to={}", newest + 1), 404, "not_found"),
        (format!("?from=0&to={newest}"), 404, "not_found"),
    ] {
        let answer = fixture.get(&format!("/audit/consistency{query}"), &fixture.key).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{query}: {}", answer.text);
    }
}
