//! Stored secrets, sealed again under a new key a batch at a time.

use walwarden_api::registry::resealing::{ResealError, Resealed, reseal_all};
use walwarden_api::secrets::Sealer;

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![
    every_secret_is_sealed_again_once_and_nothing_else_changes,
    a_secret_that_cannot_be_opened_stops_the_rest
];

async fn seal_all(world: &World, sealer: &Sealer, databases: usize) -> Vec<walwarden_api::store::databases::Database> {
    let (org, id) = (world.database.org_id, world.database.destination_id);
    let mut destination = world.store.destination(org, id).await.expect("reads");
    destination.sealed_credentials = sealer.seal(&world.system, &id.to_string(), b"key");
    world.store.update_destination(&destination).await.expect("writes");
    let mut all = vec![world.database.clone()];
    for number in 1..databases {
        all.push(world.another_database(&format!("database {number}")).await);
    }
    for database in &mut all {
        database.sealed_dsn = sealer.seal(&world.system, &database.id.to_string(), b"dsn");
        world.store.update_database(database).await.expect("writes");
    }
    all
}

async fn every_secret_is_sealed_again_once_and_nothing_else_changes(mut world: World) {
    let (old, new) = (Sealer::new(&[1; 32]), Sealer::new(&[2; 32]).and_opens_with(&[1; 32]));
    let (store, org) = (world.store.clone(), world.database.org_id);
    // More than one transaction takes on.
    let all = seal_all(&world, &old, 103).await;
    let before = store.destination(org, world.database.destination_id).await.expect("reads");
    world.advance(1000);
    let done = reseal_all(&store, &world.system, &new, org).await.expect("seals");
    assert_eq!(done, Resealed { destinations: 1, databases: 103 });
    for database in all {
        let (mut now, _) = store.database(org, database.id).await.expect("reads");
        assert_eq!(new.open(&now.id.to_string(), &now.sealed_dsn).expect("opens").as_slice(), b"dsn");
        assert!(old.open(&now.id.to_string(), &now.sealed_dsn).is_err());
        now.sealed_dsn.clone_from(&database.sealed_dsn);
        assert_eq!(now, database);
    }
    let mut now = store.destination(org, before.id).await.expect("reads");
    assert!(now.sealed_credentials.starts_with(&new.prefix()));
    now.sealed_credentials.clone_from(&before.sealed_credentials);
    assert_eq!(now, before, "the same secret needs no new preflight");
    let again = reseal_all(&store, &world.system, &new, org).await.expect("has nothing to do");
    assert_eq!(again, Resealed::default());
    let kinds = world.kinds(&org.to_string()).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == "secrets.resealed").count(), 3, "one for each batch: {kinds:?}");
}

async fn a_secret_that_cannot_be_opened_stops_the_rest(world: World) {
    let (store, org) = (world.store.clone(), world.database.org_id);
    seal_all(&world, &Sealer::new(&[1; 32]), 3).await;
    let stranger = Sealer::new(&[9; 32]);
    let refused = reseal_all(&store, &world.system, &stranger, org).await;
    let id = world.database.destination_id.to_string();
    assert!(matches!(&refused, Err(ResealError::Sealed { id: named, .. }) if *named == id), "{refused:?}");
    assert!(!world.kinds(&org.to_string()).await.contains(&"secrets.resealed"));
    let knowing = stranger.and_opens_with(&[1; 32]);
    let done = reseal_all(&store, &world.system, &knowing, org).await.expect("is taken up");
    assert_eq!(done, Resealed { destinations: 1, databases: 3 });
}
