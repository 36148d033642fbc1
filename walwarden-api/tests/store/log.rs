//! The logs' promises: every event once, in the order of its chain, under roots that never contradict each other.

use std::collections::BTreeMap;

use serde_json::json;
use walwarden_api::jobs::checkpoints::{sequence, sign};
use walwarden_api::jobs::retention::Keeper;
use walwarden_api::store::log::{CopyState, StoredCheckpoint};
use walwarden_contract::audit::payload::SecretsResealed;
use walwarden_contract::audit::{Payload, verify_chain};
use walwarden_contract::log::merkle::{verify_consistency, verify_inclusion};
use walwarden_contract::log::{Frontier, Leaf, SignedCheckpoint};
use walwarden_contract::model::DestinationState;
use walwarden_contract::{OrgId, StreamId};

use crate::world::{LEASE_MILLIS, Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    proofs_verify_for_every_size_of_a_log,
    every_event_is_in_the_log_once_and_in_the_order_of_its_chain,
    many_processes_append_and_sign_and_the_log_never_forks,
    what_ends_a_job_is_due_at_once_and_what_does_not_within_a_day,
    an_event_altered_before_it_was_logged_is_an_anomaly_and_no_leaf,
    a_chain_that_was_changed_after_it_was_logged_takes_no_more_leaves,
    what_a_process_that_died_left_undone_is_due_still,
    a_log_that_does_not_grow_is_signed_again_on_another_day,
    no_checkpoint_is_signed_that_contradicts_an_earlier_one,
    a_size_has_one_root_whoever_asks_for_another,
    a_copy_is_queued_for_every_verified_destination_and_tried_by_one_process,
    a_destination_that_is_removed_waits_for_no_copy,
];

const DAY: i64 = 86_400_000;

/// An event of the organization that is like no other.
fn numbered(writer: u32, number: u32) -> Payload {
    let (destinations, databases) = (writer.into(), number.into());
    Payload::SecretsResealed(SecretsResealed { key_id: "key".to_owned(), destinations, databases, by: None })
}

async fn record(world: &World, number: u32) {
    let (org_id, event) = (world.database.org_id, numbered(0, number));
    world.store.record_organization_event(org_id, world.system.now(), &event).await.expect("records");
}

async fn take_all(keeper: &Keeper, org_id: OrgId) -> usize {
    let mut leaves = 0;
    loop {
        let sequenced = sequence(keeper, org_id).await.expect("sequences");
        leaves += sequenced.leaves;
        if !sequenced.more {
            return leaves;
        }
    }
}

pub(crate) async fn checkpoint(world: &World, keeper: &Keeper) -> StoredCheckpoint {
    take_all(keeper, world.database.org_id).await;
    sign(keeper, world.database.org_id).await.expect("signs").expect("one was due")
}

async fn all_leaves(world: &World) -> Vec<Leaf> {
    world.store.leaves(world.database.org_id, 0, 100_000).await.expect("reads the leaves")
}

async fn anomalies(world: &World) -> Vec<(String, String)> {
    let all = world.store.anomalies(world.database.org_id, 10).await.expect("reads");
    all.into_iter().map(|it| (it.stream_id, it.failure)).collect()
}

async fn proofs_verify_for_every_size_of_a_log(world: World) {
    const SIZE: u64 = 70;
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let mut roots = vec![Frontier::default().root()];
    take_all(&keeper, org_id).await;
    for number in 0..SIZE {
        record(&world, u32::try_from(number).expect("small")).await;
        take_all(&keeper, org_id).await;
    }
    let leaves = all_leaves(&world).await;
    let mut edge = Frontier::default();
    for leaf in &leaves {
        edge.push(leaf.leaf_hash());
        roots.push(edge.root());
    }
    assert_eq!(world.store.log(org_id).await.expect("reads").edge, edge);
    assert!(leaves.len() as u64 > SIZE);
    for (size, root) in (0..).zip(&roots) {
        assert_eq!(world.store.root_at(org_id, size).await.expect("reads"), *root, "{size}");
        let all: Vec<_> = (0..size).collect();
        let paths = world.store.inclusion_paths(org_id, &all, size).await.expect("reads");
        for (leaf, path) in (0..).zip(&paths) {
            let hash = leaves[usize::try_from(leaf).expect("small")].leaf_hash();
            assert!(verify_inclusion(&hash, leaf, size, path, root), "{leaf} in {size}");
        }
        // Every pair would take minutes on a slow disk.
        for from in (0..=size).filter(|from| size % 7 == 0 || from + 3 > size) {
            let path = world.store.consistency_path(org_id, from, size).await.expect("reads");
            let from_root = &roots[usize::try_from(from).expect("small")];
            assert!(verify_consistency(from, size, from_root, root, &path), "{from} to {size}");
        }
    }
}

async fn every_event_is_in_the_log_once_and_in_the_order_of_its_chain(world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let first = world.queue(&world.database, 3).await;
    take_all(&keeper, org_id).await;
    world.complete_next().await;
    let second = world.queue(&world.another_database("second").await, 3).await;
    take_all(&keeper, org_id).await;
    let mut numbers = BTreeMap::<String, Vec<u64>>::new();
    for leaf in all_leaves(&world).await {
        numbers.entry(leaf.stream).or_default().push(leaf.seq);
    }
    let streams = world.store.audit_streams(org_id, None, 10).await.expect("reads");
    assert_eq!(numbers.len(), streams.len());
    for stream in streams {
        let expected: Vec<_> = (1..=stream.events).collect();
        assert_eq!(numbers.get(&stream.stream_id.to_string()), Some(&expected), "{}", stream.stream_id);
    }
    let of = |id| world.store.leaf_of(org_id, StreamId::Backup(id), 1);
    let (first, second) = (of(first.id).await.expect("reads"), of(second.id).await.expect("reads"));
    assert!(first.is_some() && first < second, "{first:?} {second:?}");
    assert_eq!(take_all(&keeper, org_id).await, 0, "nothing is taken twice");
}

async fn many_processes_append_and_sign_and_the_log_never_forks(world: World) {
    const WRITERS: u32 = 4;
    const EVENTS: u32 = 60;
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let writers = (0..WRITERS).map(|writer| {
        let (store, system) = (world.store.clone(), world.system.clone());
        tokio::spawn(async move {
            for number in 0..EVENTS {
                let event = numbered(writer, number);
                store.record_organization_event(org_id, system.now(), &event).await.expect("records");
            }
        })
    });
    let sequencers = (0..6).map(|_| {
        let keeper = keeper.clone();
        tokio::spawn(async move {
            for _ in 0..40 {
                sequence(&keeper, org_id).await.expect("sequences");
                sign(&keeper, org_id).await.expect("signs");
            }
        })
    });
    for task in writers.chain(sequencers).collect::<Vec<_>>() {
        task.await.expect("ends well");
    }
    take_all(&keeper, org_id).await;
    sign(&keeper, org_id).await.expect("signs");

    let leaves = all_leaves(&world).await;
    let chain = world.store.audit_chain(org_id, &org_id.to_string()).await.expect("reads");
    verify_chain(&chain).expect("holds");
    let logged: Vec<_> = leaves.iter().map(|leaf| (leaf.seq, leaf.hash.clone())).collect();
    assert_eq!(logged, chain.iter().map(|event| (event.seq, event.hash.clone())).collect::<Vec<_>>());
    let (mut edge, mut roots) = (Frontier::default(), vec![Frontier::default().root()]);
    for leaf in &leaves {
        edge.push(leaf.leaf_hash());
        roots.push(edge.root());
    }
    let signed = world.store.checkpoint_page(org_id, None, 1000).await.expect("reads");
    assert_eq!(signed.first().map(|newest| newest.size), Some(leaves.len() as u64));
    for checkpoint in &signed {
        assert_eq!(checkpoint.root, roots[usize::try_from(checkpoint.size).expect("small")], "{}", checkpoint.size);
        let note = SignedCheckpoint::parse(&checkpoint.note).expect("is a note");
        assert_eq!(note.signed_by(keeper.keyring.verifying_key()), Some(true));
        assert_eq!((note.checkpoint.size, note.checkpoint.root), (checkpoint.size, checkpoint.root));
    }
}

async fn what_ends_a_job_is_due_at_once_and_what_does_not_within_a_day(mut world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    assert_eq!(world.store.due_logs(world.system.now(), 10).await.expect("asks"), [org_id], "it was created");
    checkpoint(&world, &keeper).await;
    world.queue(&world.database, 3).await;
    let due = async |world: &World| !world.store.due_logs(world.system.now(), 10).await.expect("asks").is_empty();
    assert!(!due(&world).await, "a job that waits can wait");
    world.complete_next().await;
    assert!(due(&world).await);
    checkpoint(&world, &keeper).await;
    assert!(!due(&world).await);
    world.queue(&world.database, 3).await;
    world.advance(DAY);
    assert!(due(&world).await);
    // And no chain asks for another look after that.
    checkpoint(&world, &keeper).await;
    assert!(!due(&world).await);
}

async fn an_event_altered_before_it_was_logged_is_an_anomaly_and_no_leaf(mut world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let altered = world.queue(&world.database, 3).await.id;
    world.complete_next().await;
    world.tamper("UPDATE audit_events SET payload = '{\"a\":1}' WHERE kind = 'backup.running'").await;
    let whole = world.queue(&world.another_database("second").await, 3).await.id;
    let before = checkpoint(&world, &keeper).await;
    let seqs = async |id| {
        let leaves = world.store.leaves_of(org_id, StreamId::Backup(id), 0, 10).await.expect("reads");
        leaves.into_iter().map(|(_, leaf)| leaf.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(altered).await, [1, 2], "what came before it is in the log");
    assert_eq!(seqs(whole).await, [1], "another chain is not kept waiting");
    let (subject, failure) = anomalies(&world).await.pop().expect("an anomaly");
    assert!(subject == altered.to_string() && failure.contains("event 3 was changed"), "{subject}: {failure}");
    let own = world.kinds(&org_id.to_string()).await;
    assert_eq!(own.iter().filter(|kind| **kind == "audit.anomaly_detected").count(), 1);
    let waiting = world.store.due_logs(world.system.now(), 10).await.expect("asks");
    assert_eq!(waiting, [org_id], "its own event is due");
    assert!(checkpoint(&world, &keeper).await.size > before.size);
    assert!(
        world.store.due_logs(world.system.now(), 10).await.expect("asks").is_empty(),
        "it is not asked all the time"
    );
    // Mended, it comes into the log by itself.
    world.tamper("UPDATE audit_events SET payload = (SELECT payload FROM audit_events e WHERE e.kind = 'backup.finalizing' AND e.stream_id = audit_events.stream_id) WHERE kind = 'backup.running'").await;
    world.advance(DAY + 2 * 3_600_000);
    checkpoint(&world, &keeper).await;
    assert_eq!(anomalies(&world).await.len(), 1, "and it is not mended by another payload");
}

async fn a_chain_that_was_changed_after_it_was_logged_takes_no_more_leaves(world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let id = world.queue(&world.database, 3).await.id;
    checkpoint(&world, &keeper).await;
    // The whole chain, rewritten so that it holds: no look at it alone could tell.
    let event = world.store.audit_chain(org_id, &id.to_string()).await.expect("reads").remove(0);
    let payload = json!({ "trigger": "forged" });
    let forged = walwarden_contract::audit::event_hash(&event.prev_hash, event.at, &event.job_id, event.kind, &payload);
    let forged = forged.expect("canonical");
    world
        .tamper(&format!("UPDATE audit_events SET payload = '{payload}', hash = '{forged}' WHERE stream_id = '{id}'"))
        .await;
    world.tamper(&format!("UPDATE audit_streams SET head = '{forged}' WHERE stream_id = '{id}'")).await;
    world.complete_next().await;
    verify_chain(&world.store.audit_chain(org_id, &id.to_string()).await.expect("reads")).expect("it holds");
    take_all(&keeper, org_id).await;
    assert_eq!(world.store.leaf_of(org_id, StreamId::Backup(id), 2).await.expect("reads"), None);
    let (subject, failure) = anomalies(&world).await.pop().expect("an anomaly");
    assert!(subject == id.to_string() && failure.contains("event 2 does not follow"), "{subject}: {failure}");
}

async fn what_a_process_that_died_left_undone_is_due_still(world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    // One process took the events and died; another finds the checkpoint due, and two sign at once.
    take_all(&keeper, org_id).await;
    assert_eq!(world.store.due_logs(world.system.now(), 10).await.expect("asks"), [org_id]);
    let both = tokio::join!(sign(&keeper, org_id), sign(&keeper, org_id));
    let written = [both.0.expect("signs"), both.1.expect("signs")].into_iter().flatten().count();
    assert_eq!(written, 1, "one checkpoint of a size a day");
    assert!(world.store.due_logs(world.system.now(), 10).await.expect("asks").is_empty());
    assert_eq!(world.store.checkpoint_page(org_id, None, 10).await.expect("reads").len(), 1);
}

async fn a_log_that_does_not_grow_is_signed_again_on_another_day(mut world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let first = checkpoint(&world, &keeper).await;
    assert_eq!(sign(&keeper, org_id).await.expect("asks"), None, "nothing is due");
    world.advance(DAY);
    assert_eq!(world.store.due_logs(world.system.now(), 10).await.expect("asks"), [org_id]);
    let second = checkpoint(&world, &keeper).await;
    assert_eq!((second.size, second.root), (first.size, first.root));
    assert_ne!((&second.note, second.object_key(org_id)), (&first.note, first.object_key(org_id)));
    assert_eq!(world.store.checkpoint_at(org_id, first.size).await.expect("reads"), Some(first.clone()));
    assert_eq!(world.store.newest_checkpoint(org_id).await.expect("reads"), Some(first.clone()));
    let all = world.store.checkpoint_page(org_id, None, 10).await.expect("reads");
    assert_eq!(all, [second.clone(), first.clone()]);
    let behind = world.store.checkpoint_page(org_id, Some((second.size, &second.day)), 10).await.expect("reads");
    assert_eq!(behind, std::slice::from_ref(&first));
    record(&world, 1).await;
    let larger = checkpoint(&world, &keeper).await;
    assert_eq!(world.store.checkpoints_before(org_id, larger.size, 16).await.expect("reads"), [first]);
}

async fn no_checkpoint_is_signed_that_contradicts_an_earlier_one(world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    checkpoint(&world, &keeper).await;
    world.tamper("UPDATE audit_leaves SET hash = REPLACE(hash, '1', '2') WHERE leaf = 0").await;
    world.tamper("UPDATE audit_nodes SET hash = REPLACE(hash, '1', '2')").await;
    record(&world, 1).await;
    take_all(&keeper, org_id).await;
    assert_eq!(sign(&keeper, org_id).await.expect("asks"), None);
    let (subject, failure) = anomalies(&world).await.pop().expect("an anomaly");
    assert!(subject == format!("{org_id}/log") && failure.contains("signed before"), "{failure}");
    let own = world.kinds(&org_id.to_string()).await;
    assert_eq!(own.last(), Some(&"audit.anomaly_detected"));
}

async fn a_size_has_one_root_whoever_asks_for_another(world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let first = checkpoint(&world, &keeper).await;
    let other = "ab".repeat(32);
    let insert = format!(
        "INSERT INTO checkpoints (org_id, size, day, root, signed_at, key_ids, note)
         VALUES ('{org_id}', {}, '2026/02/28', '{other}', 0, '[]', '')",
        first.size
    );
    assert!(world.try_tamper(&insert).await.is_err(), "a second root was taken");
    assert_eq!(world.store.checkpoint_page(org_id, None, 10).await.expect("reads"), [first]);
}

async fn a_copy_is_queued_for_every_verified_destination_and_tried_by_one_process(mut world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let destination = world.store.destination(org_id, world.database.destination_id).await.expect("reads");
    let mut unverified = destination.clone();
    unverified.id = walwarden_contract::DestinationId::from_uuid(world.system.uuid());
    "unverified".clone_into(&mut unverified.name);
    unverified.verification.state = DestinationState::Unverified;
    world.store.create_destination(&unverified).await.expect("creates");
    let signed = checkpoint(&world, &keeper).await;
    let until = walwarden_api::system::after(world.system.now(), LEASE_MILLIS);
    let attempts = (0..4).map(|_| world.store.take_due_copy(world.system.now(), until));
    let taken: Vec<_> = futures::future::try_join_all(attempts).await.expect("takes").into_iter().flatten().collect();
    let [copy] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!((copy.key.destination_id, copy.key.size, copy.attempts), (destination.id, signed.size, 1));
    assert_eq!(copy.object_key, signed.object_key(org_id));
    // Its worker died: another takes it.
    world.advance(LEASE_MILLIS);
    let again = walwarden_api::system::after(world.system.now(), LEASE_MILLIS);
    let copy = world.store.take_due_copy(world.system.now(), again).await.expect("takes").expect("it is due again");
    assert_eq!(copy.attempts, 2);
    assert!(world.store.oldest_waiting_copy().await.expect("reads").is_some());
    world.store.settle_copy(&copy.key, &CopyState::Written(world.system.now())).await.expect("settles");
    assert_eq!(world.store.oldest_waiting_copy().await.expect("reads"), None);
    let newest = world.store.newest_copy(org_id, destination.id).await.expect("reads").expect("is known");
    assert_eq!((newest.key, newest.written_at), (copy.key.clone(), Some(world.system.now())));
    // Something else stood in its place, and is gone again.
    world.store.settle_copy(&copy.key, &CopyState::Occupied("other bytes".to_owned())).await.expect("settles");
    let occupied = world.store.occupied_copy(org_id, destination.id).await.expect("reads");
    assert_eq!(occupied.as_deref(), Some("other bytes"));
    assert_eq!(world.store.take_due_copy(world.system.now(), again).await.expect("asks"), None);
    world.store.retry_occupied_copies(org_id, destination.id, world.system.now()).await.expect("queues");
    assert!(world.store.take_due_copy(world.system.now(), again).await.expect("asks").is_some());
}

async fn a_destination_that_is_removed_waits_for_no_copy(world: World) {
    let (org_id, keeper) = (world.database.org_id, world.keeper());
    let mut other = world.store.destination(org_id, world.database.destination_id).await.expect("reads");
    other.id = walwarden_contract::DestinationId::from_uuid(world.system.uuid());
    "other".clone_into(&mut other.name);
    world.store.create_destination(&other).await.expect("creates");
    let signed = checkpoint(&world, &keeper).await;
    assert_eq!(world.store.copies(org_id, signed.size, signed.size).await.expect("reads").len(), 2);
    walwarden_api::registry::destination::remove(&world.store, &world.system, org_id, other.id, None)
        .await
        .expect("removes");
    let left = world.store.copies(org_id, signed.size, signed.size).await.expect("reads");
    assert_eq!(left.iter().map(|copy| copy.key.destination_id).collect::<Vec<_>>(), [world.database.destination_id]);
}
