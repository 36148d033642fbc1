//! Backup jobs: claimed once, fenced, retried, never lost.

use std::collections::HashSet;

use walwarden_api::jobs::backups::HandedBack;
use walwarden_api::jobs::{Reply, Submitted, backups};
use walwarden_api::store::StoreError;
use walwarden_api::store::backups::BackupJob;
use walwarden_api::store::idempotency::IdempotencyScope;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{AttemptOutcome, BackupState, BackupTrigger};

use crate::world::{LEASE_MILLIS, RETRY, Scenario, World, scenarios, sealed};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_backup_leaves_a_whole_chain,
    one_backup_of_a_database_at_a_time,
    concurrent_workers_take_each_job_once,
    a_worker_that_lost_its_lease_changes_nothing,
    a_passing_failure_is_retried_with_backoff_until_attempts_are_spent,
    a_lasting_failure_is_not_retried,
    a_job_handed_back_loses_no_attempt,
    what_became_of_each_attempt_is_kept,
    what_failed_together_does_not_come_back_together,
    a_closed_dump_survives_its_worker,
    the_same_request_is_answered_twice_and_done_once,
    another_organization_sees_nothing,
    pages_are_stable_while_backups_are_added,
];

async fn a_backup_leaves_a_whole_chain(world: World) {
    let queued = world.queue(&world.database, 3).await;
    let completed = world.complete_next().await;
    assert_eq!(completed.state(), BackupState::Completed);
    assert_eq!(completed.manifest_hash, Some("ab".repeat(32)));
    assert_eq!(completed.lease_owner, None);
    let expected = ["backup.queued", "backup.claimed", "backup.running", "backup.finalizing", "backup.completed"];
    assert_eq!(world.kinds(&queued.id.to_string()).await, expected);

    let (_, last) = world.store.database(world.database.org_id, world.database.id).await.expect("reads");
    assert_eq!(last.map(|last| last.id), Some(queued.id));
    // What was read back is what was written.
    assert_eq!(world.store.backup(world.database.org_id, queued.id).await.expect("reads"), completed);
}

async fn one_backup_of_a_database_at_a_time(world: World) {
    world.queue(&world.database, 3).await;
    let queue = || backups::queue(&world.store, &world.system, &world.database, BackupTrigger::Adhoc, 3, None);
    assert!(matches!(queue().await, Err(StoreError::Duplicate(_))));
    world.complete_next().await;
    assert!(matches!(queue().await, Ok(Submitted::New(_))));
}

async fn concurrent_workers_take_each_job_once(world: World) {
    const JOBS: usize = 40;
    let mut waiting = HashSet::new();
    for number in 0..JOBS {
        let database = world.another_database(&format!("db{number}")).await;
        waiting.insert(world.queue(&database, 1).await.id);
    }
    let world = std::sync::Arc::new(world);
    let workers: Vec<_> = (0..8)
        .map(|number| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Some((job, lease)) = world.claim(&format!("worker{number}")).await {
                    world.start(lease).await;
                    backups::finalize(&world.store, &world.system, lease, world.pending()).await.expect("finalizes");
                    backups::complete(&world.store, &world.system, lease, sealed()).await.expect("completes");
                    taken.push(job.id);
                }
                taken
            })
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.expect("no worker fails"));
    }
    assert_eq!(taken.len(), JOBS, "a job was lost or taken twice");
    assert_eq!(taken.into_iter().collect::<HashSet<_>>(), waiting);
}

async fn a_worker_that_lost_its_lease_changes_nothing(mut world: World) {
    let job = world.queue(&world.database, 3).await;
    let (_, dead) = world.claim("dead").await.expect("a job waits");
    world.start(dead).await;
    assert_eq!(backups::reap(&world.store, &world.system, RETRY).await.expect("looks"), None);

    world.advance(LEASE_MILLIS);
    let reaped = backups::reap(&world.store, &world.system, RETRY).await.expect("looks").expect("finds it");
    assert_eq!((reaped.state(), reaped.error.map(|error| error.0)), (BackupState::Queued, Some(ErrorCode::WorkerLost)));
    world.advance(RETRY.delay_millis * 5 / 4);
    let (taken_over, alive) = world.claim("alive").await.expect("the job waits again");
    assert_eq!((taken_over.id, taken_over.attempt), (job.id, 2));
    world.start(alive).await;

    // The dead worker wakes up. None of its writes may come to anything.
    let (store, system) = (&world.store, &world.system);
    assert!(matches!(store.extend_lease(job.id, dead.fence, system.now()).await, Err(StoreError::LeaseLost)));
    assert!(matches!(backups::record_upload(store, dead, "u").await, Err(StoreError::LeaseLost)));
    assert!(matches!(backups::finalize(store, system, dead, world.pending()).await, Err(StoreError::LeaseLost)));
    assert!(matches!(backups::complete(store, system, dead, sealed()).await, Err(StoreError::LeaseLost)));
    assert!(matches!(
        backups::release(store, system, dead, HandedBack::WorkerShutdown).await,
        Err(StoreError::LeaseLost)
    ));
    let failed = backups::fail(store, system, dead, RETRY, ErrorCode::DumpFailed, "late").await;
    assert!(matches!(failed, Err(StoreError::LeaseLost)));
    let now = store.backup(world.database.org_id, job.id).await.expect("reads");
    assert_eq!((now.state(), now.fence), (BackupState::Running, alive.fence));
}

async fn a_passing_failure_is_retried_with_backoff_until_attempts_are_spent(mut world: World) {
    let job = world.queue(&world.database, 3).await;
    for attempt in 1..=3_u32 {
        let (claimed, lease) = world.claim("worker").await.expect("the job waits");
        assert_eq!(claimed.attempt, attempt);
        let failed =
            backups::fail(&world.store, &world.system, lease, RETRY, ErrorCode::SourceUnreachable, "no route").await;
        let expected = if attempt < 3 { BackupState::Queued } else { BackupState::FailedTerminal };
        assert_eq!(failed.expect("fails").state(), expected);
        let delay = RETRY.delay_millis << (attempt - 1);
        world.advance(delay - 1);
        assert!(world.claim("eager").await.is_none(), "attempt {} came too early", attempt + 1);
        world.advance(1 + delay / 4);
    }
    assert!(world.claim("worker").await.is_none());
    let kinds = world.kinds(&job.id.to_string()).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == "backup.failed").count(), 3);
    assert_eq!(kinds.iter().filter(|kind| **kind == "backup.queued").count(), 3);
}

async fn a_lasting_failure_is_not_retried(world: World) {
    world.queue(&world.database, 3).await;
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    let failed =
        backups::fail(&world.store, &world.system, lease, RETRY, ErrorCode::SourceAuthFailed, "wrong password").await;
    let failed = failed.expect("fails");
    assert_eq!(failed.state(), BackupState::FailedTerminal);
    assert!(failed.finished_at.is_some());
    // A failed run is no backup.
    let (_, last) = world.store.database(world.database.org_id, world.database.id).await.expect("reads");
    assert_eq!(last, None);
}

async fn a_job_handed_back_loses_no_attempt(world: World) {
    world.queue(&world.database, 1).await;
    let (_, lease) = world.claim("leaving").await.expect("a job waits");
    world.start(lease).await;
    backups::release(&world.store, &world.system, lease, HandedBack::WorkerShutdown).await.expect("hands back");
    let (job, _) = world.claim("staying").await.expect("the job waits at once");
    assert_eq!(job.attempt, 1);
}

async fn what_became_of_each_attempt_is_kept(mut world: World) {
    use AttemptOutcome::{Completed, Failed, HandedBack, Lost};
    let job = world.queue(&world.database, 4).await;
    let (_, lease) = world.claim("first").await.expect("a job waits");
    backups::release(&world.store, &world.system, lease, backups::HandedBack::WorkerShutdown)
        .await
        .expect("hands back");
    let (_, lease) = world.claim("second").await.expect("a job waits");
    let failed =
        backups::fail(&world.store, &world.system, lease, RETRY, ErrorCode::SourceUnreachable, "no route").await;
    let retry_at = failed.expect("fails").not_before;
    world.advance(RETRY.delay_millis * 5 / 4);
    world.claim("third").await.expect("a job waits");
    world.advance(LEASE_MILLIS);
    backups::reap(&world.store, &world.system, RETRY).await.expect("looks").expect("finds it");
    world.advance(RETRY.delay_millis * 5 / 2);
    let (_, lease) = world.claim("fourth").await.expect("a job waits");
    let goes_on = world.store.backup(world.database.org_id, job.id).await.expect("reads");
    assert!(goes_on.attempts.as_slice().last().is_some_and(|last| last.ended_at.is_none() && last.outcome.is_none()));
    world.start(lease).await;
    backups::finalize(&world.store, &world.system, lease, world.pending()).await.expect("finalizes");
    backups::complete(&world.store, &world.system, lease, sealed()).await.expect("completes");

    let job = world.store.backup(world.database.org_id, job.id).await.expect("reads");
    let kept: Vec<_> = job
        .attempts
        .as_slice()
        .iter()
        .map(|it| (it.attempt, it.worker.as_str(), it.outcome.expect("has ended"), it.error_code))
        .collect();
    let expected = [
        (1, "first", HandedBack, None),
        (1, "second", Failed, Some(ErrorCode::SourceUnreachable)),
        (2, "third", Lost, Some(ErrorCode::WorkerLost)),
        (3, "fourth", Completed, None),
    ];
    assert_eq!(kept, expected);
    let second = job.attempts.as_slice().get(1).expect("is kept");
    assert_eq!((second.message.as_deref(), second.retry_at), (Some("no route"), Some(retry_at)));
}

async fn what_failed_together_does_not_come_back_together(world: World) {
    let mut waits = HashSet::new();
    for number in 0..10 {
        let database = world.another_database(&format!("db{number}")).await;
        world.queue(&database, 3).await;
        let (_, lease) = world.claim("worker").await.expect("a job waits");
        let failed =
            backups::fail(&world.store, &world.system, lease, RETRY, ErrorCode::SourceUnreachable, "away").await;
        let wait = failed.expect("fails").not_before.as_millis() - world.system.now().as_millis();
        assert!((RETRY.delay_millis..=RETRY.delay_millis * 5 / 4).contains(&wait), "{wait} ms");
        waits.insert(wait);
    }
    assert!(waits.len() > 5, "they wait {waits:?}");
}

async fn a_closed_dump_survives_its_worker(mut world: World) {
    world.queue(&world.database, 3).await;
    let (_, dead) = world.claim("dead").await.expect("a job waits");
    world.start(dead).await;
    backups::finalize(&world.store, &world.system, dead, world.pending()).await.expect("finalizes");
    world.advance(LEASE_MILLIS);
    backups::reap(&world.store, &world.system, RETRY).await.expect("looks").expect("finds it");
    world.advance(RETRY.delay_millis * 5 / 4);

    let (job, lease) = world.claim("alive").await.expect("the job waits again");
    assert_eq!(job.pending.as_ref().map(|pending| pending.upload_id.as_str()), Some("upload"));
    backups::resume(&world.store, &world.system, lease).await.expect("resumes");
    let completed = backups::complete(&world.store, &world.system, lease, sealed()).await.expect("completes");
    assert_eq!(completed.state(), BackupState::Completed);
    let kinds = world.kinds(&job.id.to_string()).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == "backup.running").count(), 1, "it was not dumped twice");
}

async fn the_same_request_is_answered_twice_and_done_once(world: World) {
    let scope = |body_hash: &str| IdempotencyScope {
        principal: "key_x".to_owned(),
        operation: "triggerBackup".to_owned(),
        key: "once".to_owned(),
        body_hash: body_hash.to_owned(),
    };
    let body = |job: &BackupJob| job.id.to_string();
    let (first_scope, other_scope) = (scope("a"), scope("b"));
    let submit = |scope| {
        let reply = Reply { scope, status: 202, body: &body };
        backups::queue(&world.store, &world.system, &world.database, BackupTrigger::Adhoc, 3, Some(reply))
    };
    let Ok(Submitted::New(job)) = submit(&first_scope).await else { panic!("not queued") };
    for (scope, same) in [(&first_scope, true), (&other_scope, false)] {
        match submit(scope).await {
            Ok(Submitted::Replayed(stored)) => {
                assert_eq!((stored.status, stored.body, stored.same_request), (202, job.id.to_string(), same));
            }
            other => panic!("not replayed: {other:?}"),
        }
    }
    let all = world.store.backups(world.database.org_id, world.database.id, None, 10).await.expect("lists");
    assert_eq!(all.len(), 1);
}

async fn another_organization_sees_nothing(world: World) {
    let job = world.queue(&world.database, 3).await;
    let stranger = walwarden_contract::OrgId::from_uuid(world.system.uuid());
    assert!(matches!(world.store.backup(stranger, job.id).await, Err(StoreError::Missing(_))));
    assert!(matches!(world.store.database(stranger, world.database.id).await, Err(StoreError::Missing(_))));
    assert!(world.store.databases(stranger, None, 10).await.expect("lists").is_empty());
    assert!(world.store.audit_chain(stranger, &job.id.to_string()).await.expect("reads").is_empty());
}

async fn pages_are_stable_while_backups_are_added(mut world: World) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.queue(&world.database, 3).await.id);
        world.complete_next().await;
        world.advance(1);
    }
    let page = async |before, limit| {
        let jobs = world.store.backups(world.database.org_id, world.database.id, before, limit).await.expect("lists");
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let mut seen = page(None, 2).await;
    world.queue(&world.database, 3).await;
    seen.extend(page(seen.last().copied(), 2).await);
    seen.extend(page(seen.last().copied(), 2).await);
    made.reverse();
    assert_eq!(seen, made);
}
