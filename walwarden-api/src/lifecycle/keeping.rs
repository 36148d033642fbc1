//! What looks after completed backups, beside the worker. Each kind of look has a task of its own: a bucket that does not
//! answer keeps nothing else waiting.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::vital::Vital;
use crate::config::Settings;
use crate::jobs::checkpoints::{Copier, Sequencer};
use crate::jobs::retention::{self, Keeper};
use crate::jobs::{integrity, inventory};
use crate::store::StoreError;
use crate::store::looks::LookKind;
use crate::system::after;
use crate::telemetry;

/// How often it is asked whether something is due; what is not due costs one look into an index.
const TICK: Duration = Duration::from_secs(1);

/// Starts them.
pub(super) fn start(vital: &mut Vital, keeper: &Keeper, settings: &Settings, shutdown: &CancellationToken) {
    let sequencer = Sequencer::new(keeper.clone());
    let look = move || {
        let sequencer = sequencer.clone();
        async move { sequencer.look().await }
    };
    vital.spawn("checkpoints", until_shutdown(shutdown.clone(), "events that are to be logged", look));
    vital.spawn("checkpoint_copies", Copier { keeper: keeper.clone() }.run(shutdown.clone()));
    let (checking, every) = (keeper.clone(), i64::from(settings.audit_check_seconds) * 1000);
    let begun = AtomicBool::new(false);
    let look = move || {
        let (keeper, first) = (checking.clone(), !begun.swap(true, Ordering::Relaxed));
        async move { check_chains(&keeper, every, first).await }
    };
    vital.spawn("audit_chains", until_shutdown(shutdown.clone(), "audit chains", look));
    let (comparing, every) = (keeper.clone(), i64::from(settings.inventory_check_seconds) * 1000);
    let begun = AtomicBool::new(false);
    let look = move || {
        let (keeper, first) = (comparing.clone(), !begun.swap(true, Ordering::Relaxed));
        async move { compare_inventory(&keeper, every, first).await }
    };
    vital.spawn("inventory", until_shutdown(shutdown.clone(), "the inventory", look));
    let expiring = keeper.clone();
    let look = move || {
        let keeper = expiring.clone();
        async move { expire(&keeper).await }
    };
    vital.spawn("retention", until_shutdown(shutdown.clone(), "backups that are due to be deleted", look));
}

async fn check_chains(keeper: &Keeper, every_millis: i64, first: bool) -> Result<(), StoreError> {
    if first {
        // Another process, or this one before, may have been told to look more rarely.
        keeper.store.bring_looks_forward(LookKind::Audit, after(keeper.system.now(), every_millis)).await?;
    }
    integrity::look(keeper, every_millis).await.map(drop)
}

async fn compare_inventory(keeper: &Keeper, every_millis: i64, first: bool) -> Result<(), StoreError> {
    if first {
        keeper.store.bring_looks_forward(LookKind::Inventory, after(keeper.system.now(), every_millis)).await?;
    }
    inventory::look(keeper, every_millis).await.map(drop)
}

async fn expire(keeper: &Keeper) -> Result<(), StoreError> {
    let looked = retention::look(keeper).await?;
    for (result, backups) in [("deleted", looked.deleted), ("waiting", looked.waiting), ("refused", looked.refused)] {
        if backups > 0 {
            telemetry::retention_looked(result, backups);
        }
    }
    Ok(())
}

/// Looks again and again. What a shutdown interrupts is due again later, and safe to repeat.
pub(super) async fn until_shutdown<F>(shutdown: CancellationToken, at: &'static str, look: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    let stop = shutdown.clone();
    let interrupted = move || {
        let (stop, look) = (stop.clone(), look());
        async move {
            tokio::select! {
                () = stop.cancelled() => Ok(()),
                looked = look => looked,
            }
        }
    };
    again_and_again(shutdown, at, interrupted).await;
}

/// Looks again and again. A look that has begun is not interrupted: it heeds a shutdown by itself, where nothing is left half told.
pub(super) async fn again_and_again<F>(shutdown: CancellationToken, at: &'static str, look: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    while !shutdown.is_cancelled() {
        if let Err(error) = look().await {
            tracing::error!(%error, "cannot look at {at}");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
