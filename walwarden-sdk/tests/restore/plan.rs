//! Plans: what they say of a real target, that they write nothing, and that what they pin stays pinned.

use uuid::Uuid;
use walwarden_contract::model::{Backup, BackupArtifact, BackupState, BackupTrigger, RestoreMode};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, ErrorCode, Timestamp};
use walwarden_sdk::postgres::Dsn;
use walwarden_sdk::restore::{Executor, RestoreOptions, RestorePlan, check_plan, plan_digest};

use crate::api::{Api, Behaviour};
use crate::support::World;

fn backup(world: &World, manifest_hash: &str) -> Backup {
    let at = Timestamp::from_millis(1_769_824_800_000).expect("in range");
    let artifact = BackupArtifact {
        key: "x.dump".to_owned(),
        size_bytes: world.dump.len() as u64,
        checksum_sha256: "ab".repeat(32),
        compression: "gzip:1".to_owned(),
        manifest_hash: manifest_hash.to_owned(),
    };
    Backup {
        id: BackupJobId::from_uuid(Uuid::from_u128(1)),
        database_id: DatabaseId::from_uuid(Uuid::from_u128(3)),
        destination_id: DestinationId::from_uuid(Uuid::from_u128(4)),
        trigger: BackupTrigger::Adhoc.into(),
        scheduled_for: None,
        state: BackupState::Completed.into(),
        attempt: 1,
        max_attempts: 3,
        attempt_history: Vec::new(),
        not_before: at,
        created_at: at,
        started_at: Some(at),
        finished_at: Some(at),
        dismissed_at: None,
        artifact: Some(artifact),
        error: None,
        expiring_at: None,
        expired_at: None,
        expiry_error: None,
    }
}

async fn plan(world: &World, api: &Api, options: &RestoreOptions) -> RestorePlan {
    let backup = backup(world, &api.manifest_hash);
    let plan = Executor::new(options.clone()).plan(&backup).await.expect("a plan");
    assert_eq!(std::fs::read_dir(world.work.path()).expect("readable").count(), 0, "a plan has written something");
    assert!(api.requests().await.is_empty(), "a plan has called the API");
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_would_be_overwritten_and_overwrites_nothing() {
    let world = World::new().await;
    world.sql("postgres", "CREATE DATABASE live").await;
    world
        .sql("live", "CREATE TABLE orders (id bigint); CREATE TABLE kept AS SELECT 1; CREATE VIEW v AS SELECT 1")
        .await;
    let before = world.sql("live", "SELECT xmin, oid FROM pg_class WHERE relname = 'kept'").await;
    let api = world.api(RestoreMode::InPlace, Behaviour::default()).await;
    let mut options = world.options("live", RestoreMode::InPlace);
    options.confirm_destructive = false;
    // psql has gone a moment before its session has.
    let alone = "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'live')";
    world.until("postgres", alone).await;
    let planned = plan(&world, &api, &options).await;
    let overwrites = planned.overwrites.as_ref().expect("in place");
    assert_eq!((overwrites.database.as_str(), overwrites.tables, overwrites.other_sessions), ("live", 2, 0));
    assert!(overwrites.size_bytes > 1_000_000 && planned.creates.is_none(), "{planned:?}");
    let target = &planned.target;
    assert_eq!(target.redacted_dsn, format!("postgresql://postgres@127.0.0.1:{}/live", world.cluster.port()));
    assert_eq!((target.host.as_deref(), target.port), (Some("127.0.0.1"), world.cluster.port()));
    assert_eq!((target.user.as_str(), target.database.as_str()), ("postgres", "live"));
    let identifier = world.sql("postgres", "SELECT system_identifier FROM pg_control_system()").await;
    assert_eq!(target.system_identifier, Some(identifier[0][0].clone()));
    assert!(planned.disk.needed_bytes > world.dump.len() as u64 && planned.disk.free_bytes > 0);
    assert_eq!(world.sql("live", "SELECT xmin, oid FROM pg_class WHERE relname = 'kept'").await, before);
    let survey = Executor::new(options).survey().await.expect("surveyed");
    assert_eq!(survey.overwrites, planned.overwrites);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_holds_while_nothing_changes_and_no_longer() {
    let world = World::new().await;
    world.sql("postgres", "CREATE DATABASE live").await;
    let api = world.api(RestoreMode::InPlace, Behaviour::default()).await;
    let options = world.options("live", RestoreMode::InPlace);
    let first = plan(&world, &api, &options).await;
    // What changes by itself is not pinned.
    world.sql("live", "CREATE TABLE grown AS SELECT n FROM generate_series(1, 9999) n").await;
    let second = plan(&world, &api, &options).await;
    assert_ne!(first.overwrites, second.overwrites);
    let digest = plan_digest(&first.pinned);
    assert_eq!(plan_digest(&second.pinned), digest);
    // Another database under the same name is another target.
    world.sql("postgres", "DROP DATABASE live").await;
    world.sql("postgres", "CREATE DATABASE live").await;
    let third = plan(&world, &api, &options).await;
    let error = check_plan(&digest, &third.pinned, &[]).expect_err("changed");
    assert!(error.code() == ErrorCode::PlanChanged && error.to_string().contains("the target"), "{error}");

    let pinned = Executor::new(options.clone()).pinned_to(&digest);
    let error = pinned.run(&api.session(), &api.manifest_hash).await.expect_err("refused");
    assert_eq!(error.code(), ErrorCode::PlanChanged);
    assert!(api.requests().await.is_empty(), "the token was used");
    let pinned = Executor::new(options).pinned_to(plan_digest(&third.pinned));
    pinned.run(&api.session(), &api.manifest_hash).await.expect("restored");
    assert_eq!(world.digest("live").await, world.digest("app").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_read_the_clusters_identifier_can_plan() {
    let world = World::new().await;
    world.sql("postgres", "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC").await;
    world.sql("postgres", "CREATE ROLE maker LOGIN CREATEDB PASSWORD 'maker'").await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    let target = format!("postgresql://maker:maker@127.0.0.1:{}/postgres", world.cluster.port());
    options.target = Dsn::parse(&target).expect("a DSN");
    options.created_database = Some("copy".to_owned());
    let planned = plan(&world, &api, &options).await;
    assert_eq!((planned.target.system_identifier, planned.target.user.as_str()), (None, "maker"));
    let oid = world.sql("postgres", "SELECT oid FROM pg_database WHERE datname = 'postgres'").await;
    assert_eq!(planned.target.database_oid.to_string(), oid[0][0]);
    let creates = planned.creates.expect("a database");
    assert!(creates.database.as_deref() == Some("copy") && planned.overwrites.is_none());
    assert_eq!(world.databases().await, ["app", "postgres"]);
    // A parameter may set the role that acts: it is pinned beside the one that connects.
    world.sql("postgres", "CREATE ROLE acting CREATEDB").await;
    world.sql("postgres", "GRANT acting TO maker").await;
    options.target = Dsn::parse(&format!("{target}?options=-c%20role%3Dacting")).expect("a DSN");
    let acting = plan(&world, &api, &options).await.pinned.target;
    assert_eq!((acting.user.as_str(), acting.current_user.as_str()), ("maker", "acting"));
    assert_ne!(acting.connection_sha256, planned.pinned.target.connection_sha256);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_fails_where_the_restore_would() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("app".to_owned());
    let completed = backup(&world, &api.manifest_hash);
    let refused = async |options: &RestoreOptions, backup: &Backup| {
        Executor::new(options.clone()).plan(backup).await.expect_err("refused").code()
    };
    assert_eq!(refused(&options, &completed).await, ErrorCode::TargetDatabaseExists);
    // The source's own name is checked where it is known, and otherwise said to be unchecked.
    options.created_database = None;
    let named = Executor::new(options.clone()).source_database("app").plan(&completed).await.expect_err("taken");
    assert_eq!(named.code(), ErrorCode::TargetDatabaseExists);
    let says_unchecked = |plan: &RestorePlan| plan.warnings.iter().any(|warning| warning.contains("was not checked"));
    let free = Executor::new(options.clone()).source_database("free").plan(&completed).await.expect("free");
    let unnamed = Executor::new(options.clone()).plan(&completed).await.expect("planned");
    assert_eq!((says_unchecked(&free), says_unchecked(&unnamed)), (false, true));
    options.created_database = Some("copy".to_owned());
    let running = Backup { state: BackupState::Running.into(), artifact: None, ..completed.clone() };
    assert_eq!(refused(&options, &running).await, ErrorCode::BackupNotRestorable);
    let bare = format!("postgresql://postgres@127.0.0.1:{}/postgres", world.cluster.port());
    options.target = Dsn::parse(&bare).expect("a DSN");
    assert!(Executor::new(options.clone()).lacks_password().await.expect("asked"));
    let error = Executor::new(options.clone()).plan(&completed).await.expect_err("no password");
    assert_eq!(error.code(), ErrorCode::TargetAuthFailed);
    for way in ["PGPASSWORD", "PGPASSFILE", "--target-file", "WALWARDEN_TARGET_DSN"] {
        assert!(error.to_string().contains(way), "{error}");
    }
    options.ambient.pgpassword = Some("wrong".to_owned().into());
    assert!(!Executor::new(options.clone()).lacks_password().await.expect("asked"), "a wrong one is not a missing one");
    options.work_dir = "/nonexistent/walwarden".into();
    assert_eq!(refused(&options, &completed).await, ErrorCode::ConfigInvalid);
}
