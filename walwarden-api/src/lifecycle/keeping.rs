//! What looks after completed backups, beside the worker. Each kind of look has a task of its own: a bucket that does not
//! answer keeps nothing else waiting.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::jobs::retention::{self, Keeper};
use crate::store::StoreError;
use crate::telemetry;

/// How often it is asked whether something is due; what is not due costs one look into an index.
const TICK: Duration = Duration::from_secs(1);

/// Starts them.
pub(super) fn start(tasks: &mut JoinSet<()>, keeper: &Keeper, shutdown: &CancellationToken) {
    let expiring = keeper.clone();
    tasks.spawn(until_shutdown(shutdown.clone(), "backups that are due to be deleted", move || {
        let keeper = expiring.clone();
        async move { expire(&keeper).await }
    }));
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
async fn until_shutdown<F>(shutdown: CancellationToken, at: &'static str, look: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    loop {
        let looked = tokio::select! {
            () = shutdown.cancelled() => return,
            looked = look() => looked,
        };
        if let Err(error) = looked {
            tracing::error!(%error, "cannot look at {at}");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
