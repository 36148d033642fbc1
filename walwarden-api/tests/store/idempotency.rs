//! Equal requests at once are done once.

use std::sync::Arc;

use walwarden_api::jobs::{Reply, Submitted, backups};
use walwarden_api::store::backups::BackupJob;
use walwarden_api::store::idempotency::IdempotencyScope;
use walwarden_contract::model::BackupTrigger;

use crate::world::{Scenario, World, scenarios};

pub(crate) const SCENARIOS: &[Scenario] = scenarios![a_hundred_equal_requests_at_once_are_one_job];

async fn a_hundred_equal_requests_at_once_are_one_job(world: World) {
    let world = Arc::new(world);
    let requests = (0..100).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let scope = IdempotencyScope {
                principal: "key_x".to_owned(),
                operation: "triggerBackup".to_owned(),
                key: "once".to_owned(),
                body_hash: "a".to_owned(),
            };
            let body = |job: &BackupJob| job.id.to_string();
            let reply = Reply { scope: &scope, status: 202, body: &body };
            let World { store, system, database, .. } = &*world;
            match backups::queue(store, system, database, BackupTrigger::Adhoc, 3, Some(reply)).await {
                Ok(Submitted::New(job)) => (true, job.id.to_string()),
                Ok(Submitted::Replayed(stored)) => (false, stored.body),
                Err(error) => panic!("{error}"),
            }
        })
    });
    let mut answers = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        answers.push(request.await.expect("answers"));
    }
    assert_eq!(answers.iter().filter(|(new, _)| *new).count(), 1);
    assert!(answers.iter().all(|(_, body)| *body == answers[0].1));
    let all = world.store.backups(world.database.org_id, world.database.id, None, 10).await.expect("lists");
    assert_eq!(all.len(), 1);
}
