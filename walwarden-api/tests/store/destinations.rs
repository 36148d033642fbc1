//! What preflight makes of destinations: recorded once, with its event, by whoever claimed the run.

use walwarden_api::engine::preflight::Look;
use walwarden_api::jobs::preflights::{self, RUN_MILLIS};
use walwarden_api::registry::destination::{self, Connection, DestinationChange};
use walwarden_api::store::destinations::{Destination, LeftProbe};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{
    CheckStatus, DestinationState as State, PreflightCheck, PreflightCheckId, PreflightReport,
};

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    a_due_destination_is_looked_at_by_one_process_at_a_time,
    the_outcome_of_a_look_becomes_an_event_only_when_it_changes,
    what_was_found_about_an_earlier_state_is_forgotten,
    a_bucket_that_cannot_be_asked_stays_verified,
];

const DAY: i64 = 86_400_000;

fn found(world: &World, destination: &Destination, codes: &[ErrorCode]) -> Look {
    let check = |code: &ErrorCode| PreflightCheck {
        id: PreflightCheckId::Bucket.into(),
        status: CheckStatus::Failed.into(),
        code: Some((*code).into()),
        evidence: "as observed".to_owned(),
        remediation: None,
    };
    let result = if codes.is_empty() { CheckStatus::Passed } else { CheckStatus::Failed };
    let report = PreflightReport {
        destination_id: destination.id,
        result: result.into(),
        checked_at: world.system.now(),
        checks: codes.iter().map(check).collect(),
    };
    Look { report, left: Vec::new() }
}

async fn destination(world: &World) -> Destination {
    world.store.destination(world.database.org_id, world.database.destination_id).await.expect("reads")
}

async fn record(world: &World, codes: &[ErrorCode]) -> Destination {
    let destination = destination(world).await;
    let look = found(world, &destination, codes);
    preflights::record(&world.store, &world.system, &destination, &look, None).await.expect("records")
}

async fn events(world: &World) -> Vec<&'static str> {
    let kinds = world.kinds(&world.database.org_id.to_string()).await;
    let of_preflight = |kind: &&str| matches!(*kind, "destination.verified" | "destination.preflight_failed");
    kinds.into_iter().filter(of_preflight).collect()
}

async fn a_due_destination_is_looked_at_by_one_process_at_a_time(mut world: World) {
    assert!(preflights::claim(&world.store, &world.system).await.expect("asks").is_none(), "nothing is due");
    world.advance(2 * DAY);
    let claims = (0..8).map(|_| {
        let (store, system) = (world.store.clone(), world.system.clone());
        tokio::spawn(async move { preflights::claim(&store, &system).await.expect("claims").is_some() })
    });
    let mut claimed = 0;
    for claim in claims.collect::<Vec<_>>() {
        claimed += usize::from(claim.await.expect("no panic"));
    }
    assert_eq!(claimed, 1);
    // A process that died with it does not keep it for ever.
    world.advance(RUN_MILLIS);
    assert!(preflights::claim(&world.store, &world.system).await.expect("asks").is_some());
    record(&world, &[]).await;
    world.advance(DAY * 3 / 4);
    assert!(preflights::claim(&world.store, &world.system).await.expect("asks").is_none(), "it passed today");
    world.advance(DAY / 4);
    assert!(preflights::claim(&world.store, &world.system).await.expect("asks").is_some(), "a day has passed");
}

async fn the_outcome_of_a_look_becomes_an_event_only_when_it_changes(mut world: World) {
    let mut expected = Vec::new();
    for (codes, event) in [
        (&[][..], None),
        (&[ErrorCode::DestinationAccessDenied], Some("destination.preflight_failed")),
        (&[ErrorCode::DestinationAccessDenied], None),
        (&[ErrorCode::DestinationBucketMissing], Some("destination.preflight_failed")),
        (&[], Some("destination.verified")),
        (&[], None),
    ] {
        world.advance(1000);
        let now = record(&world, codes).await;
        let state = if codes.is_empty() { State::Verified } else { State::Failed };
        assert_eq!((now.verification.state, &now), (state, &destination(&world).await), "{codes:?}");
        assert_eq!(preflights::refusal(&now).is_none(), codes.is_empty());
        expected.extend(event);
        assert_eq!(events(&world).await, expected, "{codes:?}");
    }
}

async fn what_was_found_about_an_earlier_state_is_forgotten(mut world: World) {
    let (store, system, org) = (world.store.clone(), world.system.clone(), world.database.org_id);
    let before = destination(&world).await;
    let until = system.now();
    let left = vec![LeftProbe { key: "probe".to_owned(), version: Some("1".to_owned()), until }];
    let look = Look { left: left.clone(), ..found(&world, &before, &[]) };
    assert_eq!(
        preflights::record(&store, &system, &before, &look, None).await.expect("records").verification.left,
        left
    );

    world.advance(1000);
    let connection = Connection { retention_days: Some(90), ..Connection::default() };
    let change = DestinationChange { connection, ..DestinationChange::default() };
    let changed = destination::update(&store, &system, org, before.id, change, None).await.expect("changes");
    assert_eq!((changed.verification.state, changed.verification.verified_at), (State::Unverified, None));
    assert_eq!((changed.verification.next_run_at, &changed.verification.left), (system.now(), &left), "due at once");

    let look = found(&world, &before, &[]);
    let recorded = preflights::record(&store, &system, &before, &look, None).await.expect("is no failure");
    assert_eq!((&recorded, &destination(&world).await), (&changed, &changed));
    assert_eq!(events(&world).await, Vec::<&str>::new());
    // Of two looks that overlap, the one that began later counts.
    let early = found(&world, &changed, &[ErrorCode::DestinationAccessDenied]);
    world.advance(1000);
    assert_eq!(record(&world, &[]).await.verification.state, State::Verified);
    preflights::record(&store, &system, &changed, &early, None).await.expect("is no failure");
    assert_eq!(destination(&world).await.verification.state, State::Verified);
}

async fn a_bucket_that_cannot_be_asked_stays_verified(mut world: World) {
    record(&world, &[]).await;
    for failures in 1..=3 {
        world.advance(1000);
        let now = record(&world, &[ErrorCode::DestinationUnreachable]).await.verification;
        assert_eq!((now.state, now.failures), (State::Verified, failures));
        assert!(now.next_run_at.as_millis() - world.system.now().as_millis() <= 240_000, "sooner than in a day");
        assert_eq!(now.preflight.expect("recorded").failed.len(), 1);
    }
    assert_eq!(events(&world).await, Vec::<&str>::new());
    world.advance(1000);
    let both = [ErrorCode::DestinationUnreachable, ErrorCode::DestinationAccessDenied];
    assert_eq!(record(&world, &both).await.verification.state, State::Failed);
}
