//! Databases and destinations, changed in transactions that hold their rows.

use walwarden_api::jobs::scheduler;
use walwarden_api::registry::RegistryError;
use walwarden_api::registry::database::{self, DatabaseChange};
use walwarden_api::registry::destination::{self, Connection, DestinationChange};
use walwarden_contract::model::LockMode;

use crate::schedules::POLICY;
use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_change_of_one_thing_leaves_the_schedule_where_the_scheduler_moved_it,
    what_is_in_use_is_not_removed,
    a_name_in_use_changes_nothing,
];

async fn a_change_of_one_thing_leaves_the_schedule_where_the_scheduler_moved_it(mut world: World) {
    let (store, org, id) = (world.store.clone(), world.database.org_id, world.database.id);
    let hourly = DatabaseChange { schedule: Some("0 * * * *".to_owned()), ..DatabaseChange::default() };
    let set = database::update(&store, &world.system, org, id, hourly, None).await.expect("sets the schedule");
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&store, &world.system, POLICY).await.expect("ticks"), 1);
    let renamed = DatabaseChange { name: Some("renamed".to_owned()), ..DatabaseChange::default() };
    let now = database::update(&store, &world.system, org, id, renamed, None).await.expect("renames");
    assert!(now.next_run_at > set.next_run_at && now.name == "renamed", "{now:?}");
    assert_eq!(store.database(org, id).await.expect("reads").0, now);
}

async fn what_is_in_use_is_not_removed(world: World) {
    let (store, system, org) = (&world.store, &world.system, world.database.org_id);
    let (id, bucket) = (world.database.id, world.database.destination_id);
    world.queue(&world.database, 3).await;
    let used = database::remove(store, system, org, id, None).await;
    assert!(matches!(used, Err(RegistryError::InUse(_))), "{used:?}");
    assert_eq!(store.database(org, id).await.expect("is still there").0, world.database);
    world.complete_next().await;
    let used = destination::remove(store, system, org, bucket, None).await;
    assert!(matches!(&used, Err(RegistryError::InUse(message)) if message.contains(&id.to_string())), "{used:?}");
    database::remove(store, system, org, id, None).await.expect("removes");
    let used = destination::remove(store, system, org, bucket, None).await;
    assert!(matches!(&used, Err(RegistryError::InUse(message)) if message.contains("bkp_")), "{used:?}");
    store.destination(org, bucket).await.expect("is still there");
    assert_eq!(world.kinds(&org.to_string()).await.last(), Some(&"database.deleted"));
}

async fn a_name_in_use_changes_nothing(world: World) {
    let (store, system, org) = (&world.store, &world.system, world.database.org_id);
    let other = world.another_database("other").await;
    let taken = DatabaseChange { name: Some("other".to_owned()), ..DatabaseChange::default() };
    let refused = database::update(store, system, org, world.database.id, taken, None).await;
    assert!(matches!(refused, Err(RegistryError::NameTaken("database"))), "{refused:?}");
    assert_eq!(store.database(org, other.id).await.expect("reads").0, other);
    assert_eq!(store.database(org, world.database.id).await.expect("reads").0, world.database);

    let connection = Connection { lock_mode: Some(LockMode::Governance), ..Connection::default() };
    let change = DestinationChange { connection, ..DestinationChange::default() };
    let locked = destination::update(store, system, org, world.database.destination_id, change, None).await;
    assert_eq!(locked.expect("changes").lock_mode, "governance");
    let kinds = world.kinds(&org.to_string()).await;
    assert_eq!(kinds.iter().filter(|kind| kind.ends_with(".updated")).count(), 1, "{kinds:?}");
}
