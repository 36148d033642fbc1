//! Schedules: what is due is queued once, however many look and however long nobody did.

use std::collections::HashSet;
use std::sync::Arc;

use walwarden_api::jobs::backups;
use walwarden_api::jobs::rewinding::{Brought, bring_forward};
use walwarden_api::jobs::scheduler::{self, SchedulePolicy};
use walwarden_api::store::databases::Database;
use walwarden_api::system::after;
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::BackupTrigger;

use crate::world::{LEASE_MILLIS, Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    missed_runs_are_made_up_for_once,
    two_schedulers_queue_a_run_once,
    a_run_is_skipped_while_the_one_before_it_goes_on,
    a_run_says_what_it_makes_up_for,
    runs_of_one_moment_are_spread,
    every_due_schedule_is_looked_at,
    what_a_clock_that_was_ahead_left_waiting_is_brought_forward,
];

pub(crate) const POLICY: SchedulePolicy = SchedulePolicy { max_attempts: 3, spread_millis: 0 };

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
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 1);
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 0);
    assert_eq!(world.complete_next().await.trigger, BackupTrigger::Scheduled);
    let (now, _) = world.store.database(database.org_id, database.id).await.expect("reads");
    assert!(now.next_run_at.is_some_and(|next| next > world.system.now()));
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 1);
    assert_eq!(jobs_of(&world, &database).await, 2);
}

async fn two_schedulers_queue_a_run_once(world: World) {
    let database = hourly(&world).await;
    let world = Arc::new(world);
    let ticks: Vec<_> = (0..4)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks") })
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
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 1);
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 0);
    assert_eq!(jobs_of(&world, &database).await, 1);
    let events = world.store.audit_chain(database.org_id, &database.org_id.to_string()).await.expect("reads");
    let skipped = events.last().expect("there are events");
    assert_eq!(skipped.kind, EventKind::ScheduleRunSkipped);
    assert_eq!(skipped.payload["databaseId"], database.id.to_string());
    world.complete_next().await;
    world.advance(3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 1);
}

async fn a_run_says_what_it_makes_up_for(mut world: World) {
    let database = hourly(&world).await;
    let due_at = database.next_run_at;
    world.advance(10 * 3_600_000);
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 1);
    let job = world.complete_next().await;
    assert_eq!(job.scheduled_for, due_at);
    let chain = world.store.audit_chain(database.org_id, &job.id.to_string()).await.expect("reads");
    assert_eq!((chain[0].kind, &chain[0].payload["missedRuns"]), (EventKind::BackupQueued, &10.into()));
}

async fn runs_of_one_moment_are_spread(mut world: World) {
    let spread = SchedulePolicy { spread_millis: 3_600_000, ..POLICY };
    let mut databases = vec![hourly(&world).await];
    for number in 0..20 {
        let new = world.another_database(&format!("db{number}")).await;
        let due = Database { schedule: databases[0].schedule.clone(), next_run_at: databases[0].next_run_at, ..new };
        world.store.update_database(&due).await.expect("updates");
        databases.push(due);
    }
    assert_eq!(scheduler::tick(&world.store, &world.system, spread).await.expect("ticks"), databases.len());
    let mut begins = HashSet::new();
    for database in &databases {
        let job = world.store.backups(database.org_id, database.id, None, 1).await.expect("lists").remove(0);
        let wait = job.not_before.as_millis() - world.system.now().as_millis();
        assert!((0..=360_000).contains(&wait), "waits {wait} ms of an hour");
        begins.insert(wait);
    }
    // The generator of this world counts, so that the places are near to one another; they differ all the same.
    assert!(begins.len() > 10, "{} of {} begin at different times", begins.len(), databases.len());
    world.advance(360_000);
    let mut claimed = 0;
    while world.claim("worker").await.is_some() {
        claimed += 1;
    }
    assert_eq!(claimed, databases.len());
}

async fn every_due_schedule_is_looked_at(mut world: World) {
    const DATABASES: usize = 620;
    let first = hourly(&world).await;
    for number in 1..DATABASES {
        let new = world.another_database(&format!("db{number}")).await;
        let due = Database { schedule: first.schedule.clone(), next_run_at: first.next_run_at, ..new };
        world.store.update_database(&due).await.expect("updates");
    }
    world.advance(1);
    let mut queued = Vec::new();
    for _ in 0..3 {
        queued.push(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"));
    }
    assert_eq!(queued, [500, DATABASES - 500, 0]);
}

async fn what_a_clock_that_was_ahead_left_waiting_is_brought_forward(mut world: World) {
    const MONTH: i64 = 30 * 24 * 3_600_000;
    let database = hourly(&world).await;
    world.advance(MONTH);
    assert_eq!(scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks"), 1);
    world.advance(-MONTH);
    let brought = bring_forward(&world.store, &world.system, POLICY).await.expect("looks");
    assert_eq!(brought, Brought { schedules: 1, jobs: 1, leases: 0 });
    let (now, _) = world.store.database(database.org_id, database.id).await.expect("reads");
    assert!(now.next_run_at.is_some_and(|next| next <= after(world.system.now(), 3_600_000)));

    world.advance(MONTH);
    let until = after(world.system.now(), LEASE_MILLIS);
    let job = backups::claim(&world.store, &world.system, "ahead", until).await.expect("claims").expect("a job waits");
    world.advance(-MONTH);
    let brought = bring_forward(&world.store, &world.system, POLICY).await.expect("looks");
    assert_eq!(brought, Brought { leases: 1, ..Brought::default() });
    let job = world.store.backup(job.org_id, job.id).await.expect("reads");
    assert!(job.lease_expires_at.is_some_and(|end| end <= after(world.system.now(), 2 * 3_600_000)));
    assert_eq!(bring_forward(&world.store, &world.system, POLICY).await.expect("looks"), Brought::default());
}
