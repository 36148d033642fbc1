//! Restores that must not happen, or not to the end, and what they leave behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_sdk::postgres::Tools;
use walwarden_sdk::restore::{Executor, RestoreEvent};

use crate::api::Behaviour;
use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_called_when_the_target_cannot_work() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let good = world.options("postgres", RestoreMode::NewDatabase);
    let mut cases = Vec::new();

    let mut options = good.clone();
    options.target = options.target.with_password(SecretString::from("wrong"));
    cases.push((options, ErrorCode::TargetAuthFailed));
    let mut options = good.clone();
    options.target = walwarden_sdk::postgres::Dsn::parse("postgresql://u:p@127.0.0.1:1/postgres").expect("a DSN");
    cases.push((options, ErrorCode::TargetUnreachable));
    let mut options = good.clone();
    options.target = options.target.with_database("nowhere");
    cases.push((options, ErrorCode::TargetDatabaseMissing));
    let mut options = good.clone();
    options.created_database = Some("app".to_owned());
    cases.push((options, ErrorCode::TargetDatabaseExists));
    let mut options = good.clone();
    options.tools = Tools::discover(None, Some("/nonexistent".as_ref()));
    cases.push((options, ErrorCode::ToolMissing));
    let mut options = good.clone();
    options.mode = RestoreMode::InPlace;
    options.confirm_destructive = true;
    cases.push((options, ErrorCode::UsageError));
    world.sql("postgres", "CREATE ROLE reader LOGIN PASSWORD 'reader'").await;
    let mut options = good.clone();
    let target = format!("postgresql://reader:reader@127.0.0.1:{}/postgres", world.cluster.port());
    options.target = walwarden_sdk::postgres::Dsn::parse(&target).expect("a DSN");
    cases.push((options, ErrorCode::TargetPermissionDenied));

    for (options, code) in cases {
        let error = world.restore(&api, &options).await.expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
    }
    assert!(api.requests().await.is_empty(), "a call was made although nothing could be restored");
    assert_eq!(world.databases().await, ["app", "postgres"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_never_reaches_the_target() {
    let world = World::new().await;
    let flipped_byte = Some(world.dump.len() / 2);
    let api = world.api(RestoreMode::NewDatabase, Behaviour { flipped_byte, ..Behaviour::default() }).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("copy".to_owned());
    let error = world.restore(&api, &options).await.expect_err("refused");
    assert_eq!(error.code(), ErrorCode::ArtifactChecksumMismatch);
    assert_eq!(api.states(), ["downloading", "verifying", "failed_terminal"]);
    let last = api.reports().pop().expect("reports");
    assert_eq!(last.1.error_code, Some(ErrorCode::ArtifactChecksumMismatch));
    assert_eq!(world.databases().await, ["app", "postgres"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archives_own_name_is_checked_before_the_download() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let options = world.options("postgres", RestoreMode::NewDatabase);
    let error = world.restore(&api, &options).await.expect_err("refused");
    assert_eq!(error.code(), ErrorCode::TargetDatabaseExists);
    assert_eq!(api.states(), ["failed_terminal"]);
    assert!(api.requests().await.iter().all(|request| request.url.path() != "/artifact"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_unless_the_server_has_taken_note() {
    let world = World::new().await;
    for state in [RestoreState::ManifestVerified, RestoreState::Restoring] {
        for code in [ErrorCode::RestoreTimedOut, ErrorCode::ServiceUnavailable] {
            let refuses = Some((state, code));
            let api = world.api(RestoreMode::NewDatabase, Behaviour { refuses, ..Behaviour::default() }).await;
            let mut options = world.options("postgres", RestoreMode::NewDatabase);
            options.created_database = Some("copy".to_owned());
            let error = world.restore(&api, &options).await.expect_err("refused");
            assert_eq!(error.code(), code);
            assert_eq!(world.databases().await, ["app", "postgres"], "written without the server's note");
        }
    }
}

/// Blocks `pg_restore --clean` for as long as the returned task lives.
async fn lock_orders(world: &World) -> tokio::task::JoinHandle<()> {
    world.sql("postgres", "CREATE DATABASE live").await;
    world.sql("live", "CREATE TABLE orders (id bigint)").await;
    let connection = world.cluster.dsn("live").libpq_env(None, &walwarden_sdk::postgres::Ambient::default());
    let connection = connection.expect("a passfile");
    let holder = tokio::spawn(async move {
        let sql = "BEGIN; LOCK TABLE orders; SELECT pg_sleep(120)";
        let _ =
            walwarden_sdk::postgres::query(&crate::support::tools(), &connection, sql, Duration::from_mins(2)).await;
    });
    world
        .until("live", "SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'orders'")
        .await;
    holder
}

const WAITING: &str = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%DROP%'";
const GONE: &str = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DROP%')";

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_ends_pg_restore_and_reports_it() {
    let world = World::new().await;
    let holder = lock_orders(&world).await;
    let api = world.api(RestoreMode::InPlace, Behaviour::default()).await;
    let options = world.options("live", RestoreMode::InPlace);
    let cancel = CancellationToken::new();
    let (outcome, ()) = tokio::join!(world.restore_until(&api, &options, cancel.clone()), async {
        world.until("live", WAITING).await;
        cancel.cancel();
    });
    assert_eq!(outcome.expect_err("cancelled").code(), ErrorCode::Cancelled);
    assert_eq!(api.states().last(), Some(&"cancelled"));
    world.until("live", GONE).await;
    holder.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_the_server_has_sealed_is_given_up() {
    let world = World::new().await;
    let holder = lock_orders(&world).await;
    let api = world.api(RestoreMode::InPlace, Behaviour { heartbeat_seconds: 1, ..Behaviour::default() }).await;
    let options = world.options("live", RestoreMode::InPlace);
    let (outcome, ()) = tokio::join!(world.restore(&api, &options), async {
        world.until("live", WAITING).await;
        let heartbeats = || api.reports().iter().filter(|(state, _)| *state == RestoreState::Restoring).count();
        while heartbeats() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        api.seal();
    });
    assert_eq!(outcome.expect_err("sealed").code(), ErrorCode::RestoreTimedOut);
    assert_eq!(api.states().last(), Some(&"restoring"));
    assert!(api.reports().iter().filter(|(state, _)| *state == RestoreState::Restoring).count() > 1, "no heartbeat");
    world.until("live", GONE).await;
    holder.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_be_used_up_is_told_and_its_job_ended() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour { loses_trigger: true, ..Behaviour::default() }).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("copy".to_owned());
    let doubts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&doubts);
    let executor = Executor::new(options).on_event(move |event| {
        if matches!(event, RestoreEvent::TokenInDoubt) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let error = executor.run(&api.session(), &api.manifest_hash).await.expect_err("no answer");
    assert_eq!(error.code(), ErrorCode::ServiceUnavailable);
    assert!(error.body().next_action.contains("Open a new restore session"), "{error:?}");
    assert_eq!((api.states(), doubts.load(Ordering::SeqCst)), (vec!["failed_retryable"], 1));
}
