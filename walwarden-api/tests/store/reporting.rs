//! Reports on a period: what they count is what happened, whatever the store.

use walwarden_api::evidence::report::{Document, Framework, Period, Request, make};
use walwarden_api::jobs::backups;
use walwarden_api::jobs::restores::{self, NewRestore};
use walwarden_api::jobs::retention::{Deleted, Held, Refusal, finish, mark, refuse};
use walwarden_api::jobs::scheduler;
use walwarden_api::jobs::{Reply, Submitted};
use walwarden_api::registry::database::{self, DatabaseChange};
use walwarden_api::store::StoreError;
use walwarden_api::store::backups::BackupJob;
use walwarden_api::store::databases::Database;
use walwarden_api::store::idempotency::IdempotencyScope;
use walwarden_api::store::restores::RestoreJob;
use walwarden_contract::model::{BackupState, RestoreMode, RestoreReportPayload, RestoreState};
use walwarden_contract::{DatabaseId, ErrorCode, RestoreJobId};

use crate::log::checkpoint;
use crate::schedules::POLICY;
use crate::world::{RETRY, Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_report_counts_what_became_of_every_run,
    a_report_of_more_jobs_than_a_page_counts_each_once,
    a_restore_belongs_to_the_period_in_which_it_was_opened,
    a_deletion_of_an_old_backup_is_in_the_report_of_its_time_alone,
    a_report_names_the_checkpoints_of_its_time,
    a_report_is_about_one_organization_and_one_database,
];

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn report(world: &World, period: &str, database: Option<DatabaseId>) -> Document {
    let request = Request {
        org_id: world.database.org_id,
        framework: Framework::Iso27001,
        period: period.parse::<Period>().expect("a period"),
        database,
    };
    make(&world.store, world.system.now(), request).await.expect("makes the report")
}

async fn change(world: &World, change: DatabaseChange) {
    let (org, id) = (world.database.org_id, world.database.id);
    database::update(&world.store, &world.system, org, id, change, None).await.expect("changes");
}

async fn schedule(world: &World, cron: &str) {
    change(world, DatabaseChange { schedule: Some(cron.to_owned()), ..DatabaseChange::default() }).await;
}

async fn tick(world: &World) -> usize {
    scheduler::tick(&world.store, &world.system, POLICY).await.expect("ticks")
}

async fn fail_next(world: &World, code: ErrorCode) -> BackupJob {
    let (_, lease) = world.claim("worker").await.expect("a job waits");
    world.start(lease).await;
    backups::fail(&world.store, &world.system, lease, RETRY, code, "it failed").await.expect("fails")
}

fn codes(document: &Document, database: &Database) -> Vec<&'static str> {
    let of_it = document.findings.listed.iter().filter(|finding| finding.database_id == Some(database.id));
    of_it.map(|finding| finding.code).collect()
}

/// The world begins at 02:00 on the 31st of January 2026.
async fn a_report_counts_what_became_of_every_run(mut world: World) {
    let second = world.another_database("second").await;
    schedule(&world, "0 * * * *").await;
    world.advance(HOUR);
    assert_eq!(tick(&world).await, 1, "03:00");
    world.complete_next().await;
    world.advance(HOUR);
    assert_eq!(tick(&world).await, 1, "04:00");
    world.advance(HOUR);
    assert_eq!(tick(&world).await, 0, "05:00 is left out");
    assert_eq!(fail_next(&world, ErrorCode::SourceAuthFailed).await.state(), BackupState::FailedTerminal);
    // Nobody looks at 06:00, 07:00 and 08:00: one run makes up for them.
    world.advance(3 * HOUR + 600_000);
    assert_eq!(tick(&world).await, 1, "06:00, at 08:10");
    assert_eq!(fail_next(&world, ErrorCode::UploadFailed).await.state(), BackupState::Queued);
    world.advance(60_000);
    let made_up = world.complete_next().await;
    schedule(&world, "30 9 * * *").await;
    // And nobody at 09:30.
    world.advance(3 * HOUR);

    let document = report(&world, "2026-01-31", None).await;
    let runs = document.summary.runs;
    assert_eq!((runs.expected, runs.completed, runs.completed_after_retry), (7, 2, 1));
    assert_eq!((runs.failed, runs.skipped, runs.missed, runs.late, runs.open), (1, 1, 3, 1, 0));
    let missed: Vec<_> =
        document.facts.missed_runs.listed.iter().map(|run| (run.scheduled_for.to_string(), run.made_up_by)).collect();
    let expected = [("07:00", Some(made_up.id)), ("08:00", Some(made_up.id)), ("09:30", None)];
    assert_eq!(missed, expected.map(|(time, by)| (format!("2026-01-31T{time}:00.000Z"), by)));
    let chain =
        world.store.audit_chain(world.database.org_id, &world.database.org_id.to_string()).await.expect("reads");
    let cited = &document.facts.missed_runs.listed[2].event;
    let event = chain.iter().find(|event| event.hash == cited.hash).expect("the event is there");
    assert_eq!((event.seq, event.payload["schedule"].as_str()), (cited.seq, Some("30 9 * * *")));
    assert_eq!(document.facts.failed_backups.listed[0].error_code.as_deref(), Some("source_auth_failed"));
    assert_eq!((document.records.organization_break.as_deref(), document.records.altered_events), (None, 0));
    assert_eq!((document.records.unreadable_chains, document.records.disagreeing_jobs), (0, 0));
    assert_eq!(document.records.organization_events, chain.len() as u64);
    let of_first = codes(&document, &world.database);
    for code in ["runs_missed", "runs_skipped", "backups_failed", "no_restore_in_period"] {
        assert!(of_first.contains(&code), "{code} of {of_first:?}");
    }
    assert!(!of_first.contains(&"no_schedule"));
    let of_second = codes(&document, &second);
    for code in ["no_schedule", "no_backup_in_period", "no_restore_in_period"] {
        assert!(of_second.contains(&code), "{code} of {of_second:?}");
    }

    let document = report(&world, "2026-01-30", None).await;
    assert_eq!((document.summary.databases, document.summary.runs.expected), (0, 0));
}

async fn a_report_of_more_jobs_than_a_page_counts_each_once(mut world: World) {
    for _ in 0..60 {
        world.queue(&world.database, 1).await;
        world.complete_next().await;
        world.advance(1000);
    }
    let document = report(&world, "2026-01", None).await;
    assert_eq!((document.summary.backups.completed, document.summary.backups.completed_on_demand), (60, 60));
    assert_eq!((document.facts.backups.total, document.facts.backups.listed.len()), (60, 60));
    assert_eq!(document.summary.backups.size_bytes, 600);
    assert_eq!(document.records.job_chains, 60);
    // The fixture's manifest is not the one that its event names: nothing is said about a lock.
    assert_eq!(document.summary.backups.lock_unknown, 60);
}

async fn open(world: &World, backup: &BackupJob) -> RestoreJobId {
    let scope = IdempotencyScope {
        principal: "key_x".to_owned(),
        operation: "createRestore".to_owned(),
        key: world.system.uuid().to_string(),
        body_hash: "a".to_owned(),
    };
    let new = NewRestore {
        backup,
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://app@127.0.0.1/postgres",
        created_database: None,
    };
    let reply = Reply { scope: &scope, status: 202, body: &|job: &RestoreJob| job.id.to_string() };
    match restores::open(&world.store, &world.system, new, reply).await {
        Ok(Submitted::New(job)) => job.id,
        other => panic!("not opened: {other:?}"),
    }
}

async fn trigger(world: &World, id: RestoreJobId) {
    let scope = IdempotencyScope {
        principal: id.to_string(),
        operation: "triggerRestore".to_owned(),
        key: id.to_string(),
        body_hash: "a".to_owned(),
    };
    let reply = Reply { scope: &scope, status: 200, body: &|job: &RestoreJob| job.id.to_string() };
    restores::trigger(&world.store, &world.system, world.database.org_id, id, reply).await.expect("triggers");
}

async fn reach(world: &World, id: RestoreJobId, state: RestoreState) {
    let payload = RestoreReportPayload::default();
    restores::report(&world.store, &world.system, world.database.org_id, id, state, &payload).await.expect("reports");
}

async fn a_restore_belongs_to_the_period_in_which_it_was_opened(mut world: World) {
    world.queue(&world.database, 1).await;
    let backup = world.complete_next().await;
    world.advance(20 * HOUR);
    let id = open(&world, &backup).await;
    let unused = open(&world, &backup).await;
    world.advance(60_000);
    trigger(&world, id).await;
    reach(&world, id, RestoreState::Claimed).await;
    reach(&world, id, RestoreState::Downloading).await;
    reach(&world, id, RestoreState::Verifying).await;
    reach(&world, id, RestoreState::ManifestVerified).await;
    reach(&world, id, RestoreState::Restoring).await;
    world.advance(3 * HOUR);
    reach(&world, id, RestoreState::Finalizing).await;
    reach(&world, id, RestoreState::Completed).await;

    let document = report(&world, "2026-01", None).await;
    let restores = document.summary.restores;
    assert_eq!((restores.opened, restores.completed, restores.drills, restores.in_progress), (2, 1, 1, 1));
    assert_eq!(restores.longest_drill_seconds, Some(3 * 3600));
    let shown = document.facts.restores.listed.iter().find(|restore| restore.restore_job_id == id).expect("is listed");
    assert_eq!((shown.outcome, shown.events.len()), ("completed", 3));
    let other =
        document.facts.restores.listed.iter().find(|restore| restore.restore_job_id == unused).expect("is listed");
    assert!(!other.drill && other.ended_at.is_none());
    assert!(!codes(&document, &world.database).contains(&"no_restore_in_period"));

    let document = report(&world, "2026-02", None).await;
    assert_eq!(document.summary.restores.opened, 0);
    assert!(codes(&document, &world.database).contains(&"no_restore_in_period"));
}

async fn a_deletion_of_an_old_backup_is_in_the_report_of_its_time_alone(mut world: World) {
    world.queue(&world.database, 1).await;
    let old = world.complete_next().await;
    world.advance(1);
    world.queue(&world.database, 1).await;
    let new = world.complete_next().await;
    change(&world, DatabaseChange { retention_days: Some(1), ..DatabaseChange::default() }).await;
    world.advance(40 * DAY);
    let org = world.database.org_id;
    let held = async |world: &World| Held::of(&world.store.backup(org, old.id).await.expect("reads"));
    mark(&world.store, &world.system, held(&world).await, Some(new.id)).await.expect("marks");
    let refusal = Refusal::new(ErrorCode::DestinationAccessDenied, "no");
    refuse(&world.store, &world.system, held(&world).await, &refusal, true).await.expect("records");
    mark(&world.store, &world.system, held(&world).await, Some(new.id)).await.expect("marks");
    let object =
        |key: &str, size_bytes| Deleted { key: key.to_owned(), size_bytes, version_ids: Vec::new(), was_gone: false };
    let objects = [object("artifact", 10), object("manifest", 5)];
    finish(&world.store, &world.system, held(&world).await, &objects).await.expect("finishes");

    let document = report(&world, "2026-03", None).await;
    assert_eq!((document.facts.deletions.total, document.facts.refusals.total), (1, 1));
    let deletion = &document.facts.deletions.listed[0];
    assert_eq!((deletion.backup_job_id.as_str(), deletion.size_bytes), (old.id.to_string().as_str(), Some(15)));
    assert_eq!(document.facts.refusals.listed[0].error_code.as_deref(), Some("destination_access_denied"));
    assert_eq!(document.summary.backups.completed, 0);
    let document = report(&world, "2026-01", None).await;
    assert_eq!((document.facts.deletions.total, document.summary.backups.completed), (0, 2));
    let other = world.another_database("other").await;
    let document = report(&world, "2026-03", Some(other.id)).await;
    assert_eq!((document.facts.deletions.total, document.facts.refusals.total), (0, 0));
}

async fn a_report_names_the_checkpoints_of_its_time(mut world: World) {
    let document = report(&world, "2026-01", None).await;
    assert_eq!((document.records.checkpoints.signed, document.records.checkpoints.newest.is_some()), (0, false));
    assert!(document.findings.listed.iter().any(|finding| finding.code == "no_checkpoint_in_period"));
    let keeper = world.keeper();
    let first = checkpoint(&world, &keeper).await;
    world.advance(DAY);
    world.another_database("second").await;
    let second = checkpoint(&world, &keeper).await;
    for (period, checkpoint) in [("2026-01", first), ("2026-02", second)] {
        let document = report(&world, period, None).await;
        let checkpoints = &document.records.checkpoints;
        // The destination is verified and has no copy yet.
        assert_eq!((checkpoints.signed, checkpoints.copies, checkpoints.copies_written), (1, 1, 0), "{period}");
        let newest = checkpoints.newest.as_ref().expect("there is one");
        assert_eq!((newest.size, newest.signed_at), (checkpoint.size, checkpoint.signed_at), "{period}");
        assert!(document.findings.listed.iter().any(|finding| finding.code == "checkpoints_not_copied"));
    }
}

async fn a_report_is_about_one_organization_and_one_database(world: World) {
    let second = world.another_database("second").await;
    for database in [&world.database, &second] {
        world.queue(database, 1).await;
        world.complete_next().await;
    }
    let document = report(&world, "2026-01", Some(second.id)).await;
    assert_eq!((document.summary.databases, document.summary.backups.completed), (1, 1));
    assert_eq!(document.facts.databases.listed[0].database_id, second.id);

    let request = |org_id, database| Request {
        org_id,
        framework: Framework::Soc2,
        period: "2026-01".parse().expect("a period"),
        database,
    };
    let nobody = walwarden_contract::OrgId::from_uuid(world.system.uuid());
    let made = make(&world.store, world.system.now(), request(nobody, None)).await;
    assert!(matches!(made, Err(StoreError::Missing(_))), "{made:?}");
    let unknown = DatabaseId::from_uuid(world.system.uuid());
    let made = make(&world.store, world.system.now(), request(world.database.org_id, Some(unknown))).await;
    assert!(matches!(made, Err(StoreError::Missing(_))), "{made:?}");
}
