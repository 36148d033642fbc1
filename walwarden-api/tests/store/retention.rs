//! Old backups: what may be deleted, what never is, and what is on record of it.

use walwarden_api::jobs::restores::{self, NewRestore};
use walwarden_api::jobs::retention::{Deleted, Held, Marked, Refusal, Waits, finish, mark, postpone, refuse, take};
use walwarden_api::jobs::{Reply, state::ExpiryState};
use walwarden_api::registry::RegistryError;
use walwarden_api::registry::database::{self, DatabaseChange};
use walwarden_api::store::StoreError;
use walwarden_api::store::backups::BackupJob;
use walwarden_api::store::idempotency::IdempotencyScope;
use walwarden_api::store::restores::RestoreJob;
use walwarden_contract::model::{BackupState, RestoreMode};
use walwarden_contract::{BackupJobId, ErrorCode};

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_backup_is_looked_at_when_its_time_is_over_and_by_one_alone,
    what_has_to_be_kept_is_not_marked,
    what_is_marked_is_offered_no_more_and_what_was_refused_is_offered_again,
    a_deletion_is_on_record_and_the_record_stays,
    a_bucket_that_refuses_the_same_again_fills_no_chain,
    a_look_that_was_taken_over_changes_nothing,
    backups_of_a_removed_database_stay,
    no_database_keeps_backups_for_less_than_their_lock,
];

const DAY: i64 = 86_400_000;

async fn keep(world: &World, days: u32) -> Result<(), RegistryError> {
    let change = DatabaseChange { retention_days: Some(days), ..DatabaseChange::default() };
    let (org, id) = (world.database.org_id, world.database.id);
    database::update(&world.store, &world.system, org, id, change, None).await.map(drop)
}

async fn complete(world: &mut World) -> BackupJob {
    world.queue(&world.database, 3).await;
    let job = world.complete_next().await;
    world.advance(1);
    job
}

async fn due(world: &World) -> Option<BackupJobId> {
    take(&world.store, &world.system).await.expect("looks").map(|job| job.id)
}

async fn restore_of(world: &World, backup: &BackupJob) -> Result<(), StoreError> {
    let scope = IdempotencyScope {
        principal: "key_x".to_owned(),
        operation: "createRestore".to_owned(),
        key: backup.id.to_string(),
        body_hash: "a".to_owned(),
    };
    let new = NewRestore {
        backup,
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://app@127.0.0.1/postgres",
        created_database: None,
    };
    let reply = Reply { scope: &scope, status: 202, body: &|job: &RestoreJob| job.id.to_string() };
    restores::open(&world.store, &world.system, new, reply).await.map(drop)
}

/// The right to look at a backup, for whoever looks at it now.
async fn held(world: &World, job: &BackupJob) -> Held {
    Held::of(&world.store.backup(world.database.org_id, job.id).await.expect("reads"))
}

async fn waits(world: &World, old: &BackupJob, newer: Option<&BackupJob>) -> Option<Waits> {
    match mark(&world.store, &world.system, held(world, old).await, newer.map(|job| job.id)).await.expect("answers") {
        Marked::Yes(_) => None,
        Marked::Not(waits) => Some(waits),
    }
}

async fn a_backup_is_looked_at_when_its_time_is_over_and_by_one_alone(mut world: World) {
    let first = complete(&mut world).await;
    keep(&world, 2).await.expect("sets the retention");
    let second = complete(&mut world).await;
    world.advance(2 * DAY - 3);
    assert_eq!(take(&world.store, &world.system).await.expect("looks"), None, "it has a moment left");
    world.advance(1);
    assert_eq!(due(&world).await, Some(first.id));
    assert_eq!(due(&world).await, None, "another process has it");
    world.advance(1);
    assert_eq!(due(&world).await, Some(second.id));
    // Whoever took it may have died.
    world.advance(600_000);
    assert_eq!(due(&world).await, Some(first.id));

    keep(&world, 0).await.expect("keeps every backup again");
    world.advance(DAY);
    assert_eq!(due(&world).await, None);
    keep(&world, 5).await.expect("sets the retention");
    world.advance(3 * DAY);
    assert_eq!(due(&world).await, Some(first.id), "what is there already counts too");
}

async fn what_has_to_be_kept_is_not_marked(mut world: World) {
    let old = complete(&mut world).await;
    let new = complete(&mut world).await;
    assert_eq!(waits(&world, &old, Some(&new)).await, Some(Waits::ForEver), "nobody asked for it");
    keep(&world, 1).await.expect("sets the retention");
    assert!(matches!(waits(&world, &old, Some(&new)).await, Some(Waits::Until(_))));
    world.advance(DAY);
    assert_eq!(waits(&world, &old, None).await, Some(Waits::LastVerified));
    assert_eq!(waits(&world, &new, Some(&old)).await, Some(Waits::LastVerified), "an older one is no reason");
    assert_eq!(waits(&world, &new, Some(&new)).await, Some(Waits::LastVerified), "nor is it one itself");
    restore_of(&world, &old).await.expect("opens a session");
    assert_eq!(waits(&world, &old, Some(&new)).await, Some(Waits::Restoring));
    assert_eq!(world.kinds(&old.id.to_string()).await.last(), Some(&"backup.completed"));

    postpone(&world.store, &world.system, held(&world, &old).await, Waits::Restoring).await.expect("postpones");
    let job = world.store.backup(world.database.org_id, old.id).await.expect("reads");
    assert!(job.is_kept() && job.expiry.look_at.is_some_and(|at| at > world.system.now()));
}

async fn what_is_marked_is_offered_no_more_and_what_was_refused_is_offered_again(mut world: World) {
    let (old, new) = (complete(&mut world).await, complete(&mut world).await);
    keep(&world, 1).await.expect("sets the retention");
    world.advance(DAY);
    let (org, id) = (world.database.org_id, world.database.id);
    let offered = async |world: &World| {
        let of_database = world.store.completed_backups_of(org, id, None, None, 10).await.expect("reads");
        let of_all = world.store.completed_backups(org, None, 10).await.expect("reads");
        let since = world.store.completed_backups_since(org, id, None, 10).await.expect("reads");
        assert_eq!((of_database.len(), of_database.len()), (of_all.len(), since.len()));
        assert_eq!(world.store.count_completed_backups(org, id).await.expect("counts"), of_all.len() as u64);
        of_all.len()
    };
    assert_eq!(offered(&world).await, 2);
    assert_eq!(waits(&world, &old, Some(&new)).await, None);
    assert_eq!(offered(&world).await, 1);
    assert!(matches!(restore_of(&world, &old).await, Err(StoreError::Expired)));
    assert_eq!(waits(&world, &old, None).await, None, "a deletion that had begun goes on, whoever goes on with it");

    let refusal = Refusal::new(ErrorCode::DestinationAccessDenied, "no");
    refuse(&world.store, &world.system, held(&world, &old).await, &refusal, true).await.expect("records");
    assert_eq!(offered(&world).await, 2);
    restore_of(&world, &old).await.expect("opens a session");
    let kinds = world.kinds(&old.id.to_string()).await;
    assert_eq!(kinds[kinds.len() - 2..], ["retention.expiring", "retention.refused"]);
}

async fn a_deletion_is_on_record_and_the_record_stays(mut world: World) {
    let (old, new) = (complete(&mut world).await, complete(&mut world).await);
    keep(&world, 1).await.expect("sets the retention");
    world.advance(DAY);
    let gone = Deleted { key: "key".to_owned(), size_bytes: 10, version_ids: vec!["v1".to_owned()], was_gone: false };
    let early = finish(&world.store, &world.system, held(&world, &old).await, std::slice::from_ref(&gone)).await;
    assert!(matches!(early, Err(StoreError::Transition(_))), "what was not marked is not deleted: {early:?}");
    assert_eq!(waits(&world, &old, Some(&new)).await, None);
    let job = finish(&world.store, &world.system, held(&world, &old).await, std::slice::from_ref(&gone))
        .await
        .expect("finishes");
    assert_eq!((job.state(), job.expiry.state()), (BackupState::Completed, ExpiryState::Expired));
    assert_eq!(job.expiry.look_at, None);
    // A second process that was at it too changes nothing.
    assert_eq!(
        finish(&world.store, &world.system, held(&world, &old).await, std::slice::from_ref(&gone))
            .await
            .expect("is done"),
        job
    );

    let kept = world.store.backup(world.database.org_id, old.id).await.expect("is still on record");
    assert_eq!((&kept.manifest, &kept.manifest_hash), (&old.manifest, &old.manifest_hash));
    assert!(matches!(restore_of(&world, &kept).await, Err(StoreError::Expired)));
    let chain = world.store.audit_chain(world.database.org_id, &old.id.to_string()).await.expect("reads");
    let last = chain.last().expect("events");
    assert_eq!(last.kind.as_str(), "retention.deleted");
    assert_eq!(last.payload["objects"][0]["versionIds"][0], "v1");
    assert_eq!(last.payload["objects"][0]["sizeBytes"], 10);
    assert_eq!(last.payload["manifestHash"].as_str(), old.manifest_hash.as_deref());
    assert_eq!(world.kinds(&old.id.to_string()).await.len(), 7);
}

async fn a_look_that_was_taken_over_changes_nothing(mut world: World) {
    let (old, new) = (complete(&mut world).await, complete(&mut world).await);
    keep(&world, 1).await.expect("sets the retention");
    world.advance(DAY);
    let taken = async |world: &World| take(&world.store, &world.system).await.expect("looks").expect("is due");
    let slow = Held::of(&taken(&world).await);
    world.advance(600_000);
    let quick = loop {
        let job = taken(&world).await;
        if job.id == old.id {
            break Held::of(&job);
        }
    };
    let (store, system) = (&world.store, &world.system);
    let late = mark(store, system, slow, Some(new.id)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    let marked = mark(store, system, quick, Some(new.id)).await.expect("marks");
    assert!(matches!(marked, Marked::Yes(_)), "{marked:?}");

    let before = store.backup(world.database.org_id, old.id).await.expect("reads");
    let refusal = Refusal::new(ErrorCode::DestinationAccessDenied, "no");
    let refused = refuse(store, system, slow, &refusal, true).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "it would be offered, half deleted: {refused:?}");
    assert!(matches!(postpone(store, system, slow, Waits::Restoring).await, Err(StoreError::LeaseLost)));
    assert!(matches!(finish(store, system, slow, &[]).await, Err(StoreError::LeaseLost)));
    assert_eq!(store.backup(world.database.org_id, old.id).await.expect("reads"), before);
    let kinds = world.kinds(&old.id.to_string()).await;
    assert_eq!(kinds.last(), Some(&"retention.expiring"));
    finish(store, system, quick, &[]).await.expect("whoever holds it does");

    // Another time for which backups are kept is another look.
    let held = Held::of(&store.backup(world.database.org_id, new.id).await.expect("reads"));
    keep(&world, 5).await.expect("sets the retention");
    assert!(matches!(postpone(store, system, held, Waits::ForEver).await, Err(StoreError::LeaseLost)));
}

async fn a_bucket_that_refuses_the_same_again_fills_no_chain(mut world: World) {
    let (old, new) = (complete(&mut world).await, complete(&mut world).await);
    keep(&world, 1).await.expect("sets the retention");
    world.advance(DAY);
    assert_eq!(waits(&world, &old, Some(&new)).await, None);
    let mut looks = Vec::new();
    for code in [ErrorCode::DestinationUnreachable, ErrorCode::DestinationUnreachable, ErrorCode::DestinationThrottled]
    {
        let job = refuse(&world.store, &world.system, held(&world, &old).await, &Refusal::new(code, "no"), false)
            .await
            .expect("records");
        assert_eq!(job.expiry.state(), ExpiryState::Expiring, "the artifact may be gone already");
        looks.push(job.expiry.look_at.expect("another look"));
    }
    assert!(looks.is_sorted_by(|one, next| one < next), "{looks:?}");
    let kinds = world.kinds(&old.id.to_string()).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == "retention.refused").count(), 2, "{kinds:?}");
}

async fn backups_of_a_removed_database_stay(mut world: World) {
    let (old, new) = (complete(&mut world).await, complete(&mut world).await);
    keep(&world, 1).await.expect("sets the retention");
    database::remove(&world.store, &world.system, world.database.org_id, world.database.id, None)
        .await
        .expect("removes");
    world.advance(10 * DAY);
    assert_eq!(take(&world.store, &world.system).await.expect("looks"), None);
    assert_eq!(waits(&world, &old, Some(&new)).await, Some(Waits::ForEver));
}

async fn no_database_keeps_backups_for_less_than_their_lock(world: World) {
    use walwarden_api::registry::destination::{self, Connection, DestinationChange};
    let lock = walwarden_contract::model::LockMode::Governance;
    let connection = Connection { lock_mode: Some(lock), ..Connection::default() };
    let change = DestinationChange { connection, ..DestinationChange::default() };
    let (org, id) = (world.database.org_id, world.database.destination_id);
    destination::update(&world.store, &world.system, org, id, change, None).await.expect("locks");
    for days in [29, 3651] {
        let refused = keep(&world, days).await.expect_err("refuses").to_string();
        assert!(refused.starts_with("retentionDays "), "{refused}");
    }
    let (database, _) = world.store.database(org, world.database.id).await.expect("reads");
    assert_eq!(database.retention_days, None, "nothing was changed");
    keep(&world, 30).await.expect("as long as the lock");
}
