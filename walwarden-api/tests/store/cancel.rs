//! Backup jobs that are called off, and failures that are noted.

use std::sync::Arc;

use walwarden_api::jobs::backups::HandedBack;
use walwarden_api::jobs::{backups, watchdog};
use walwarden_api::store::StoreError;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::BackupState;

use crate::world::{LEASE_MILLIS, RETRY, Scenario, World, scenarios, sealed};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_backup_is_called_off_until_its_dump_is_whole,
    a_worker_whose_job_was_called_off_changes_nothing,
    what_a_cancelled_backup_left_is_looked_after_once,
    cancelling_and_finishing_at_once_has_one_outcome,
    only_a_lasting_failure_is_dismissed_and_once,
];

async fn a_backup_is_called_off_until_its_dump_is_whole(world: World) {
    let org = world.database.org_id;
    let cancel = async |id| backups::cancel(&world.store, &world.system, org, id, None).await;
    for step in 0..3 {
        let job = world.queue(&world.database, 3).await;
        let mut expected = vec!["backup.queued"];
        if step > 0 {
            let (_, lease) = world.claim("worker").await.expect("a job waits");
            expected.push("backup.claimed");
            if step > 1 {
                world.start(lease).await;
                expected.push("backup.running");
            }
        }
        let cancelled = cancel(job.id).await.expect("cancels");
        assert_eq!((cancelled.state(), cancelled.lease_owner.as_deref()), (BackupState::Cancelled, None));
        assert!(cancelled.finished_at.is_some());
        expected.push("backup.cancelled");
        assert_eq!(cancel(job.id).await.expect("is so already"), cancelled);
        assert_eq!(world.kinds(&job.id.to_string()).await, expected);
        assert!(world.claim("another").await.is_none(), "a cancelled job was taken");
    }

    let job = world.queue(&world.database, 3).await;
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    world.start(lease).await;
    backups::finalize(&world.store, &world.system, lease, world.pending()).await.expect("finalizes");
    assert!(matches!(cancel(job.id).await, Err(StoreError::Transition(refused)) if refused.from == "finalizing"));
    backups::complete(&world.store, &world.system, lease, sealed()).await.expect("completes all the same");
    assert!(matches!(cancel(job.id).await, Err(StoreError::Transition(refused)) if refused.from == "completed"));
    // Handed back while it was being sealed, it waits in the queue; its objects may stand in the bucket already.
    let sealing = world.queue(&world.database, 3).await;
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    world.start(lease).await;
    backups::finalize(&world.store, &world.system, lease, world.pending()).await.expect("finalizes");
    backups::release(&world.store, &world.system, lease, HandedBack::WorkerShutdown).await.expect("hands back");
    assert!(matches!(cancel(sealing.id).await, Err(StoreError::Transition(refused)) if refused.from == "finalizing"));
    let stranger = walwarden_contract::OrgId::from_uuid(world.system.uuid());
    let theirs = backups::cancel(&world.store, &world.system, stranger, job.id, None).await;
    assert!(matches!(theirs, Err(StoreError::Missing(_))));
}

async fn a_worker_whose_job_was_called_off_changes_nothing(world: World) {
    let job = world.queue(&world.database, 3).await;
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    world.start(lease).await;
    let (store, system) = (&world.store, &world.system);
    assert!(store.holds_lease(job.id, lease.fence).await.expect("looks"));
    let cancelled = backups::cancel(store, system, world.database.org_id, job.id, None).await.expect("cancels");

    assert!(!store.holds_lease(job.id, lease.fence).await.expect("looks"), "the worker would not notice");
    assert!(matches!(store.extend_lease(job.id, lease.fence, system.now()).await, Err(StoreError::LeaseLost)));
    assert!(matches!(backups::record_upload(store, lease, "u").await, Err(StoreError::LeaseLost)));
    assert!(matches!(backups::finalize(store, system, lease, world.pending()).await, Err(StoreError::LeaseLost)));
    assert!(matches!(
        backups::release(store, system, lease, HandedBack::WorkerShutdown).await,
        Err(StoreError::LeaseLost)
    ));
    let failed = backups::fail(store, system, lease, RETRY, ErrorCode::DumpFailed, "late").await;
    assert!(matches!(failed, Err(StoreError::LeaseLost)));
    assert_eq!(store.backup(world.database.org_id, job.id).await.expect("reads"), cancelled);
    // The database is free for another.
    world.queue(&world.database, 3).await;
    world.complete_next().await;
}

async fn what_a_cancelled_backup_left_is_looked_after_once(mut world: World) {
    let job = world.queue(&world.database, 3).await;
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    world.start(lease).await;
    backups::record_upload(&world.store, lease, "upload").await.expect("records");
    backups::cancel(&world.store, &world.system, world.database.org_id, job.id, None).await.expect("cancels");
    let look = async |world: &World| {
        let found = watchdog::look(&world.store, &world.system, RETRY, 3_600_000).await.expect("looks");
        found.ended.into_iter().map(|job| (job.id, job.state(), job.upload_id)).collect::<Vec<_>>()
    };
    assert_eq!(look(&world).await, [], "its worker has the time of its lease");
    world.advance(LEASE_MILLIS);
    let left = (job.id, BackupState::Cancelled, Some("upload".to_owned()));
    assert_eq!(look(&world).await, [left]);
    assert_eq!(look(&world).await, []);
    assert_eq!(world.kinds(&job.id.to_string()).await.last(), Some(&"backup.cancelled"));

    // One that waits between two attempts has no worker that could.
    let waiting = world.queue(&world.database, 3).await;
    let (_, lease) = world.claim("leaving").await.expect("a job waits");
    world.start(lease).await;
    backups::release(&world.store, &world.system, lease, HandedBack::WorkerShutdown).await.expect("hands back");
    backups::cancel(&world.store, &world.system, world.database.org_id, waiting.id, None).await.expect("cancels");
    assert_eq!(look(&world).await, [(waiting.id, BackupState::Cancelled, None)]);
}

async fn cancelling_and_finishing_at_once_has_one_outcome(world: World) {
    let world = Arc::new(world);
    for _ in 0..8 {
        let job = world.queue(&world.database, 3).await;
        let (_, lease) = world.claim("worker").await.expect("a job waits");
        world.start(lease).await;
        let (one, other) = (Arc::clone(&world), Arc::clone(&world));
        let finishing = tokio::spawn(async move {
            backups::finalize(&one.store, &one.system, lease, one.pending()).await?;
            backups::complete(&one.store, &one.system, lease, sealed()).await
        });
        let org = world.database.org_id;
        let cancelling =
            tokio::spawn(async move { backups::cancel(&other.store, &other.system, org, job.id, None).await });
        let (finished, cancelled) = (finishing.await.expect("ends"), cancelling.await.expect("ends"));
        assert_ne!(finished.is_ok(), cancelled.is_ok(), "{finished:?} and {cancelled:?}");
        let now = world.store.backup(org, job.id).await.expect("reads");
        let expected = if finished.is_ok() { BackupState::Completed } else { BackupState::Cancelled };
        assert_eq!((now.state(), now.manifest.is_some()), (expected, finished.is_ok()));
        assert_eq!(
            world.kinds(&job.id.to_string()).await.last(),
            Some(&format!("backup.{}", expected.as_str()).as_str())
        );
    }
}

async fn only_a_lasting_failure_is_dismissed_and_once(mut world: World) {
    let org = world.database.org_id;
    let job = world.queue(&world.database, 1).await;
    let early = backups::dismiss(&world.store, &world.system, org, job.id, None).await;
    assert!(matches!(early, Err(StoreError::Transition(refused)) if refused.from == "queued"));
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    let code = ErrorCode::SourceAuthFailed;
    backups::fail(&world.store, &world.system, lease, RETRY, code, "wrong password").await.expect("fails");

    let dismissed = backups::dismiss(&world.store, &world.system, org, job.id, None).await.expect("dismisses");
    assert_eq!((dismissed.state(), dismissed.dismissed_at), (BackupState::FailedTerminal, Some(world.system.now())));
    world.advance(1000);
    assert_eq!(
        backups::dismiss(&world.store, &world.system, org, job.id, None).await.expect("is so already"),
        dismissed
    );
    assert_eq!(world.store.backup(org, job.id).await.expect("reads"), dismissed);
    assert_eq!(
        world.kinds(&job.id.to_string()).await,
        ["backup.queued", "backup.claimed", "backup.failed", "backup.dismissed"]
    );
}
