//! What lists, evidence, recovery and readiness read: in order, in bounds, and of one organization only.

use walwarden_api::jobs::restores::{self, NewRestore};
use walwarden_api::jobs::worker::Presence;
use walwarden_api::jobs::{Reply, Submitted};
use walwarden_api::store::StoreError;
use walwarden_api::store::backups::{BackupJob, Queue};
use walwarden_api::store::databases::Database;
use walwarden_api::store::idempotency::IdempotencyScope;
use walwarden_api::store::restores::RestoreJob;
use walwarden_api::system::after;
use walwarden_contract::model::{RestoreMode, RestoreReportPayload, RestoreState};
use walwarden_contract::{OrgId, StreamId, audit};

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    completed_backups_read_from_either_end,
    only_completed_restores_are_drills,
    chains_read_whole_in_pages,
    destinations_read_in_pages,
    what_waits_and_what_is_overdue_is_counted,
    a_worker_is_seen_until_it_falls_silent,
];

fn ids(jobs: &[BackupJob]) -> Vec<String> {
    jobs.iter().map(|job| job.id.to_string()).collect()
}

async fn complete(world: &mut World, database: &Database) -> BackupJob {
    world.advance(1000);
    world.queue(database, 3).await;
    world.complete_next().await
}

async fn completed_backups_read_from_either_end(mut world: World) {
    let (first, second) = (world.database.clone(), world.another_database("second").await);
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(complete(&mut world, &first).await);
        made.push(complete(&mut world, &second).await);
    }
    world.queue(&first, 3).await;
    let (store, org_id) = (&world.store, first.org_id);
    let mut newest_first = made.clone();
    newest_first.reverse();

    let page = store.completed_backups(org_id, None, 4).await.expect("reads");
    let rest = store.completed_backups(org_id, Some(page[3].id), 4).await.expect("reads");
    assert_eq!([ids(&page), ids(&rest)].concat(), ids(&newest_first));
    let stranger = OrgId::from_uuid(world.system.uuid());
    assert!(store.completed_backups(stranger, None, 4).await.expect("reads").is_empty());

    let of_first = [made[0].clone(), made[2].clone(), made[4].clone()];
    let begun = of_first[1].started_at;
    let by_then = store.completed_backups_of(org_id, first.id, begun, None, 9).await.expect("reads");
    assert_eq!(ids(&by_then), ids(&[of_first[1].clone(), of_first[0].clone()]));
    let before_that = begun.map(|begun| after(begun, -1));
    let by_then = store.completed_backups_of(org_id, first.id, before_that, None, 9).await.expect("reads");
    assert_eq!(ids(&by_then), ids(&of_first[..1]));
    let older = store.completed_backups_of(org_id, first.id, None, Some(of_first[2].id), 1).await.expect("reads");
    assert_eq!(ids(&older), ids(&of_first[1..2]));

    let since = store.completed_backups_since(org_id, first.id, None, 9).await.expect("reads");
    assert_eq!(ids(&since), ids(&of_first));
    let since = store.completed_backups_since(org_id, first.id, Some(of_first[0].id), 1).await.expect("reads");
    assert_eq!(ids(&since), ids(&of_first[1..2]));
    assert_eq!(store.count_completed_backups(org_id, first.id).await.expect("counts"), 3);
    assert_eq!(store.count_completed_backups(stranger, first.id).await.expect("counts"), 0);
    assert!(store.completed_backups_of(stranger, first.id, None, None, 9).await.expect("reads").is_empty());
    assert!(store.completed_backups_since(stranger, first.id, None, 9).await.expect("reads").is_empty());
}

fn scope(key: &str) -> IdempotencyScope {
    let text = str::to_owned;
    IdempotencyScope { principal: text("key_x"), operation: text("restore"), key: text(key), body_hash: text("a") }
}

fn body(job: &RestoreJob) -> String {
    job.id.to_string()
}

async fn restore(world: &World, backup: &BackupJob, key: &str, until: RestoreState) -> RestoreJob {
    let (store, system) = (&world.store, &world.system);
    let new = NewRestore {
        backup,
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://app@127.0.0.1/postgres",
        created_database: None,
    };
    let (opening, triggering) = (scope(&format!("open {key}")), scope(&format!("trigger {key}")));
    let reply = Reply { scope: &opening, status: 202, body: &body };
    let Ok(Submitted::New(job)) = restores::open(store, system, new, reply).await else { panic!("not opened") };
    let reply = Reply { scope: &triggering, status: 200, body: &body };
    restores::trigger(store, system, job.org_id, job.id, reply).await.expect("triggers");
    for state in [
        RestoreState::Claimed,
        RestoreState::Downloading,
        RestoreState::Verifying,
        RestoreState::ManifestVerified,
        RestoreState::Restoring,
        RestoreState::Finalizing,
        RestoreState::Completed,
    ] {
        let payload = RestoreReportPayload::default();
        restores::report(store, system, job.org_id, job.id, state, &payload).await.expect("reports");
        if state == until {
            break;
        }
    }
    store.restore(job.org_id, job.id).await.expect("reads")
}

async fn only_completed_restores_are_drills(mut world: World) {
    let database = world.database.clone();
    let backup = complete(&mut world, &database).await;
    let other = complete(&mut world, &database).await;
    let never = complete(&mut world, &database).await;
    restore(&world, &backup, "1", RestoreState::Completed).await;
    world.advance(1);
    let last = restore(&world, &backup, "2", RestoreState::Completed).await;
    world.advance(1);
    restore(&world, &backup, "3", RestoreState::Finalizing).await;
    restore(&world, &other, "4", RestoreState::Finalizing).await;

    let (store, org_id) = (&world.store, database.org_id);
    let drills = store.completed_restores(org_id, &[backup.id, other.id, never.id]).await.expect("reads");
    let expected = (last.id, last.finished_at.expect("ended"));
    assert_eq!(drills.into_iter().collect::<Vec<_>>(), [(backup.id, expected)]);
    assert_eq!(store.completed_restore(org_id, backup.id).await.expect("reads"), Some(expected));
    let stranger = OrgId::from_uuid(world.system.uuid());
    assert!(store.completed_restores(stranger, &[backup.id]).await.expect("reads").is_empty());
    assert!(store.completed_restores(org_id, &[]).await.expect("reads").is_empty());
}

async fn chains_read_whole_in_pages(mut world: World) {
    let database = world.database.clone();
    let backup = complete(&mut world, &database).await;
    let (store, org_id) = (&world.store, database.org_id);
    let mut streams = store.audit_streams(org_id, None, 1).await.expect("reads");
    streams.extend(store.audit_streams(org_id, Some(streams[0].stream_id), 9).await.expect("reads"));
    let found: Vec<_> = streams.iter().map(|stream| stream.stream_id).collect();
    assert_eq!(found, [StreamId::Backup(backup.id), StreamId::Organization(org_id)]);
    for stream in streams {
        let mut events = store.audit_events(org_id, stream.stream_id, 0, 2).await.expect("reads");
        events.extend(store.audit_events(org_id, stream.stream_id, 2, 100).await.expect("reads"));
        assert_eq!(audit::conforms(&events), Ok(()));
        assert_eq!(
            events.last().map(|event| (event.seq, event.hash.clone())),
            Some((stream.events, stream.head.clone()))
        );
        assert_eq!(store.audit_stream(org_id, stream.stream_id).await.expect("reads"), stream);
        let stranger = OrgId::from_uuid(world.system.uuid());
        assert!(matches!(store.audit_stream(stranger, stream.stream_id).await, Err(StoreError::Missing(_))));
        assert!(store.audit_events(stranger, stream.stream_id, 0, 9).await.expect("reads").is_empty());
        assert!(store.audit_streams(stranger, None, 9).await.expect("reads").is_empty());
    }
}

async fn destinations_read_in_pages(world: World) {
    let (store, org_id) = (&world.store, world.database.org_id);
    let whole = store.destination_page(org_id, None, 9).await.expect("reads");
    assert_eq!(whole.iter().map(|one| one.id).collect::<Vec<_>>(), [world.database.destination_id]);
    assert!(store.destination_page(org_id, Some(whole[0].id), 9).await.expect("reads").is_empty());
    let stranger = OrgId::from_uuid(world.system.uuid());
    assert!(store.destination_page(stranger, None, 9).await.expect("reads").is_empty());
}

async fn what_waits_and_what_is_overdue_is_counted(mut world: World) {
    let (first, second) = (world.database.clone(), world.another_database("second").await);
    let org_id = first.org_id;
    complete(&mut world, &first).await;
    assert_eq!(world.store.queue(org_id).await.expect("counts"), Queue::default());
    let one = world.queue(&first, 3).await;
    world.advance(1);
    let other = world.queue(&second, 3).await;
    let waiting = Queue { waiting: 2, held: 0, oldest: Some(one.created_at) };
    assert_eq!(world.store.queue(org_id).await.expect("counts"), waiting);
    world.claim("worker").await.expect("a job waits");
    let held = Queue { waiting: 1, held: 1, oldest: Some(other.created_at) };
    assert_eq!(world.store.queue(org_id).await.expect("counts"), held);
    let stranger = OrgId::from_uuid(world.system.uuid());
    assert_eq!(world.store.queue(stranger).await.expect("counts"), Queue::default());
}

async fn a_worker_is_seen_until_it_falls_silent(mut world: World) {
    let mut one = Presence::new("one", &world.system);
    let mut other = Presence::new("other", &world.system);
    let since_a_minute = async |world: &World| {
        let since = after(world.system.now(), -60_000);
        let seen = world.store.workers_seen_since(since).await.expect("reads");
        (seen.workers, seen.last_seen_at)
    };
    assert_eq!(since_a_minute(&world).await, (0, None));
    assert!(one.show(&world.store, &world.system).await.expect("writes"));
    world.advance(9_999);
    assert!(!one.show(&world.store, &world.system).await.expect("writes"), "shown again within ten seconds");
    assert!(other.show(&world.store, &world.system).await.expect("writes"));
    assert_eq!(since_a_minute(&world).await, (2, Some(world.system.now())));
    world.advance(1);
    assert!(one.show(&world.store, &world.system).await.expect("writes"));
    world.advance(60_000);
    assert_eq!(since_a_minute(&world).await, (1, Some(after(world.system.now(), -60_000))));

    world.advance(24 * 3_600_000);
    assert!(one.show(&world.store, &world.system).await.expect("writes"));
    let ever = world.store.workers_seen_since(after(world.system.now(), -48 * 3_600_000)).await.expect("reads");
    assert_eq!(ever.workers, 1, "a worker that is gone for a day is forgotten");
}
