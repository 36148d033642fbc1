//! Schedules: what is due is queued once, however many look and however long nobody did.

use std::sync::Arc;

use walwarden_api::jobs::scheduler;
use walwarden_api::store::databases::Database;
use walwarden_contract::model::BackupTrigger;

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    missed_runs_are_made_up_for_once,
    two_schedulers_queue_a_run_once,
    a_run_is_skipped_while_the_one_before_it_goes_on,
];

async fn hourly(world: &World) -> Database {
    let scheduled = Database {
        schedule: Some("0 * * * *".to_owned()),
        next_run_at: Some(world.system.now()),
        ..world.database.clone()
    };
    world.store.update_database(&scheduled).await.expect("updates");
    scheduled
}

async fn jobs_of(world: &World, database: &Database) -> usize {
    world.store.backups(database.org_id, database.id, None, 100).await.expect("lists").len()
}

async fn missed_runs_are_made_up_for_once(mut world: World) {
    let database = hourly(&world).await;
    world.advance(10 * 3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, 3).await.expect("ticks"), 1);
    assert_eq!(scheduler::tick(&world.store, &world.system, 3).await.expect("ticks"), 0);
    assert_eq!(world.complete_next().await.trigger, BackupTrigger::Scheduled);
    let (now, _) = world.store.database(database.org_id, database.id).await.expect("reads");
    assert!(now.next_run_at.is_some_and(|next| next > world.system.now()));
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, 3).await.expect("ticks"), 1);
    assert_eq!(jobs_of(&world, &database).await, 2);
}

async fn two_schedulers_queue_a_run_once(world: World) {
    let database = hourly(&world).await;
    let world = Arc::new(world);
    let ticks: Vec<_> = (0..4)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { scheduler::tick(&world.store, &world.system, 3).await.expect("ticks") })
        })
        .collect();
    let mut queued = 0;
    for tick in ticks {
        queued += tick.await.expect("no scheduler fails");
    }
    assert_eq!((queued, jobs_of(&world, &database).await), (1, 1));
}

async fn a_run_is_skipped_while_the_one_before_it_goes_on(mut world: World) {
    let database = hourly(&world).await;
    assert_eq!(scheduler::tick(&world.store, &world.system, 3).await.expect("ticks"), 1);
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, 3).await.expect("ticks"), 0);
    assert_eq!(jobs_of(&world, &database).await, 1);
    world.complete_next().await;
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, 3).await.expect("ticks"), 1);
}
