//! Restore jobs: a token starts one restore, states follow one another, silence is noticed.

use std::sync::Arc;

use walwarden_api::jobs::restores::{self, NewRestore, TOKEN_LIFETIME_MILLIS};
use walwarden_api::jobs::{Reply, Submitted};
use walwarden_api::store::StoreError;
use walwarden_api::store::idempotency::IdempotencyScope;
use walwarden_api::store::restores::RestoreJob;
use walwarden_contract::audit::payload::TokenRefusal;
use walwarden_contract::model::{RestoreMode, RestoreReportPayload, RestoreState};
use walwarden_contract::{ErrorCode, RestoreJobId};

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_token_starts_one_restore_even_when_presented_at_once,
    states_follow_one_another_and_are_chained,
    a_silent_restore_is_sealed,
    an_unused_token_is_sealed_when_it_expires,
    a_refused_token_is_recorded,
];

const SILENCE_MILLIS: i64 = 300_000;

fn scope(operation: &str, key: &str) -> IdempotencyScope {
    IdempotencyScope {
        principal: "key_x".to_owned(),
        operation: operation.to_owned(),
        key: key.to_owned(),
        body_hash: "a".to_owned(),
    }
}

fn body(job: &RestoreJob) -> String {
    job.id.to_string()
}

async fn open(world: &World) -> RestoreJob {
    world.queue(&world.database, 3).await;
    let backup = world.complete_next().await;
    let new = NewRestore {
        backup: &backup,
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://app@127.0.0.1/postgres",
        created_database: None,
    };
    let scope = scope("createRestore", "k");
    let reply = Reply { scope: &scope, status: 202, body: &body };
    match restores::open(&world.store, &world.system, new, reply).await {
        Ok(Submitted::New(job)) => job,
        other => panic!("not opened: {other:?}"),
    }
}

async fn trigger(world: &World, id: RestoreJobId, key: &str) -> Result<Submitted<RestoreJob>, StoreError> {
    let scope = scope("triggerRestore", key);
    let reply = Reply { scope: &scope, status: 200, body: &body };
    restores::trigger(&world.store, &world.system, world.database.org_id, id, reply).await
}

async fn report(world: &World, id: RestoreJobId, state: RestoreState) -> Result<RestoreJob, StoreError> {
    let payload = RestoreReportPayload::default();
    restores::report(&world.store, &world.system, world.database.org_id, id, state, &payload).await
}

async fn a_token_starts_one_restore_even_when_presented_at_once(world: World) {
    let id = open(&world).await.id;
    let world = Arc::new(world);
    let presented: Vec<_> = (0..8)
        .map(|number| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { trigger(&world, id, &format!("k{number}")).await })
        })
        .collect();
    let (mut started, mut refused) = (0, 0);
    for outcome in presented {
        match outcome.await.expect("no task fails") {
            Ok(Submitted::New(_)) => started += 1,
            Err(StoreError::Transition(_)) => refused += 1,
            other => panic!("neither started nor refused: {other:?}"),
        }
    }
    assert_eq!((started, refused), (1, 7));
    let kinds = world.kinds(&id.to_string()).await;
    assert_eq!(kinds, ["restore.token_issued", "restore.triggered"]);
}

async fn states_follow_one_another_and_are_chained(world: World) {
    use RestoreState as S;
    let id = open(&world).await.id;
    assert!(matches!(report(&world, id, S::Claimed).await, Err(StoreError::Transition(_))), "claimed untriggered");
    trigger(&world, id, "k").await.expect("triggers");
    assert!(matches!(report(&world, id, S::Restoring).await, Err(StoreError::Transition(_))), "restored unverified");
    let order =
        [S::Claimed, S::Downloading, S::Verifying, S::ManifestVerified, S::Restoring, S::Finalizing, S::Completed];
    for state in order {
        assert_eq!(report(&world, id, state).await.expect("follows").state(), state);
        // Saying it again is a sign of life, not an event.
        report(&world, id, state).await.expect("is heard");
    }
    assert!(matches!(report(&world, id, S::FailedTerminal).await, Err(StoreError::Transition(_))), "failed when done");
    assert_eq!(world.kinds(&id.to_string()).await.len(), 2 + order.len());
}

async fn a_silent_restore_is_sealed(mut world: World) {
    let id = open(&world).await.id;
    trigger(&world, id, "k").await.expect("triggers");
    report(&world, id, RestoreState::Claimed).await.expect("claims");
    world.advance(SILENCE_MILLIS - 1);
    let look = async |world: &World| {
        restores::time_out(&world.store, &world.system, SILENCE_MILLIS).await.expect("looks").map(|job| job.id)
    };
    assert_eq!(look(&world).await, None);
    report(&world, id, RestoreState::Claimed).await.expect("is heard");
    world.advance(1);
    assert_eq!(look(&world).await, None, "a sign of life did not count");
    world.advance(SILENCE_MILLIS);
    assert_eq!(look(&world).await, Some(id));
    assert_eq!(look(&world).await, None);
    assert!(matches!(report(&world, id, RestoreState::Downloading).await, Err(StoreError::Transition(_))));
    let job = world.store.restore(world.database.org_id, id).await.expect("reads");
    assert_eq!((job.state(), job.error_code), (RestoreState::TimedOut, Some(ErrorCode::RestoreTimedOut)));
    assert_eq!(world.kinds(&id.to_string()).await.last(), Some(&"restore.timed_out"));
}

async fn an_unused_token_is_sealed_when_it_expires(mut world: World) {
    let id = open(&world).await.id;
    world.advance(TOKEN_LIFETIME_MILLIS - 1);
    assert_eq!(restores::time_out(&world.store, &world.system, SILENCE_MILLIS).await.expect("looks"), None);
    world.advance(1);
    let sealed = restores::time_out(&world.store, &world.system, SILENCE_MILLIS).await.expect("looks");
    assert_eq!(sealed.map(|job| (job.id, job.state())), Some((id, RestoreState::TimedOut)));
}

async fn a_refused_token_is_recorded(world: World) {
    let id = open(&world).await.id;
    restores::reject_token(&world.store, &world.system, world.database.org_id, id, TokenRefusal::Expired)
        .await
        .expect("records");
    assert_eq!(world.kinds(&id.to_string()).await, ["restore.token_issued", "restore.token_rejected"]);
}
