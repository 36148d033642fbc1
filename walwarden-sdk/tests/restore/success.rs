//! Restores that end well.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_sdk::postgres::Dsn;
use walwarden_sdk::restore::RestoreEvent;

use crate::api::Behaviour;
use crate::support::World;

const WHOLE_LIFE: [&str; 6] = ["downloading", "verifying", "manifest_verified", "restoring", "finalizing", "completed"];

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_holds_what_the_source_held() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("copy".to_owned());
    let outcome = world.restore(&api, &options).await.expect("restored");
    assert_eq!(world.digest("copy").await, world.digest("app").await);
    assert_eq!((outcome.database.as_str(), outcome.ignored_errors), ("copy", 0));
    assert_eq!(api.states(), WHOLE_LIFE);
    let statistics = world.sql("copy", "SELECT count(*) FROM pg_stats WHERE tablename = 'orders'").await;
    assert_eq!(statistics, [["2"]], "ANALYZE did not run");
    let completed = api.reports().pop().expect("reports").1;
    assert_eq!(completed.checksum_sha256, Some(outcome.checksum_sha256));
    assert_eq!(completed.size_bytes, Some(world.dump.len() as u64));

    // The name from the archive, once the source is out of the way.
    let before = world.digest("app").await;
    world.sql("postgres", "ALTER DATABASE app RENAME TO original").await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let options = world.options("postgres", RestoreMode::NewDatabase);
    assert_eq!(world.restore(&api, &options).await.expect("restored").database, "app");
    assert_eq!(world.digest("app").await, before);
    assert_eq!(api.states(), WHOLE_LIFE);

    // Nothing that was sent names the target or its password.
    let password = world.cluster.dsn("postgres").to_uri();
    let secret = secrecy::ExposeSecret::expose_secret(&password).to_owned();
    let secret = secret.split(['@', ':']).nth(2).expect("a password").to_owned();
    for request in api.requests().await {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!body.contains(&secret) && !body.contains("127.0.0.1"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_place_replaces_what_the_target_held() {
    let world = World::new().await;
    world.sql("postgres", "CREATE DATABASE live").await;
    world
        .sql("live", "CREATE TABLE orders (id bigint); INSERT INTO orders VALUES (1); CREATE TABLE kept (id int)")
        .await;
    let api = world.api(RestoreMode::InPlace, Behaviour::default()).await;
    let mut options = world.options("live", RestoreMode::InPlace);
    options.leave_out.analyze = true;
    let outcome = world.restore(&api, &options).await.expect("restored");
    assert_eq!(outcome.database, "live");
    assert_eq!(world.digest("live").await, world.digest("app").await);
    assert_eq!(world.sql("live", "SELECT count(*) FROM kept").await, [["0"]]);
    assert_eq!(api.states(), WHOLE_LIFE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_last_report_says_that_the_data_is_there() {
    let world = World::new().await;
    let refuses = Some((RestoreState::Completed, ErrorCode::ServiceUnavailable));
    let api = world.api(RestoreMode::NewDatabase, Behaviour { refuses, ..Behaviour::default() }).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("copy".to_owned());
    let error = world.restore(&api, &options).await.expect_err("unreported");
    assert_eq!(error.code(), ErrorCode::RestoreUnreported);
    assert!(!error.is_retryable() && error.body().next_action.contains("Do not restore again"), "{error:?}");
    assert!(error.to_string().contains("The data IS restored into \"copy\""), "{error}");
    assert_eq!(world.digest("copy").await, world.digest("app").await);
    assert_eq!(api.states().last(), Some(&"finalizing"), "a success was reported as something else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_lost_once_the_data_is_there_never_asks_for_a_second_restore() {
    let world = World::new().await;
    let refuses = Some((RestoreState::Finalizing, ErrorCode::ServiceUnavailable));
    let api = world.api(RestoreMode::NewDatabase, Behaviour { refuses, ..Behaviour::default() }).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("copy".to_owned());
    let error = world.restore(&api, &options).await.expect_err("unreported");
    assert!(error.code() == ErrorCode::RestoreUnreported && !error.is_retryable(), "{error:?}");
    assert_eq!(world.digest("copy").await, world.digest("app").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_may_come_from_the_environment() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    let whole = secrecy::ExposeSecret::expose_secret(&options.target.to_uri()).to_owned();
    let (head, rest) = whole.split_once('@').expect("credentials");
    let (user, password) = head.rsplit_once(':').expect("a password");
    options.target = Dsn::parse(&format!("{user}@{rest}")).expect("a DSN");
    options.ambient.pgpassword = Some(password.to_owned().into());
    options.created_database = Some("copy".to_owned());
    world.restore(&api, &options).await.expect("restored");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_told_in_order_with_what_is_known_of_it() {
    let world = World::new().await;
    let api = world.api(RestoreMode::NewDatabase, Behaviour::default()).await;
    let mut options = world.options("postgres", RestoreMode::NewDatabase);
    options.created_database = Some("copy".to_owned());
    options.jobs = std::num::NonZeroUsize::new(2);
    let size = world.dump.len() as u64;
    let told: Vec<String> = world.events(&api, &options).await.iter().map(|event| told(event, size)).collect();
    let checksum = api.reports().pop().and_then(|(_, payload)| payload.checksum_sha256).expect("a checksum");
    let verified = format!("verified {checksum}");
    let expected = [
        "triggered",
        "claimed",
        "downloading",
        "all bytes",
        "verifying",
        "verifying all bytes",
        &verified,
        "manifest_verified",
        "restoring",
        // Two tables and a sequence, whose value is no data block.
        "pg_restore into copy: all bytes, Some(2) entries, 2 jobs",
        "finalizing",
        "analyzing copy",
    ];
    assert_eq!(told, expected);
}

fn told(event: &RestoreEvent, size: u64) -> String {
    match event {
        RestoreEvent::State { state, at, .. } if at.as_millis() == 0 => state.as_str().to_owned(),
        RestoreEvent::Downloaded { bytes, total } if (*bytes, *total) == (size, size) => "all bytes".to_owned(),
        RestoreEvent::Verifying { bytes } if *bytes == size => "verifying all bytes".to_owned(),
        RestoreEvent::Verified { checksum_sha256 } => format!("verified {checksum_sha256}"),
        RestoreEvent::Restoring { database, bytes, entries, jobs } if *bytes == size => {
            format!("pg_restore into {database}: all bytes, {entries:?} entries, {jobs} jobs")
        }
        RestoreEvent::Analyzing { database } => format!("analyzing {database}"),
        other => panic!("{other:?}"),
    }
}
