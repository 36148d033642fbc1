//! Keeps a lease alive while its job runs, and stops the job when the lease is lost.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Worker;
use crate::jobs::backups::Lease;
use crate::store::StoreError;

/// How often a worker looks whether the job is still its own, so that one that was called off ends soon.
const LOOK: Duration = Duration::from_secs(1);

/// Ends when it is dropped too: a job that panicked is not held on to.
pub(super) struct Heartbeat {
    done: DropGuard,
    task: JoinHandle<()>,
}

impl Heartbeat {
    /// Extends the lease at a third of its length, and looks in between whether it is still held; `stop` is cancelled when it
    /// is lost, or could not be extended in time.
    pub(super) fn start(worker: Worker, lease: Lease, stop: CancellationToken) -> Self {
        let done = CancellationToken::new();
        let ended = done.clone();
        let task = tokio::spawn(async move {
            if keep(&worker, lease, &ended).await == Kept::Lost {
                stop.cancel();
            }
        });
        Self { done: done.drop_guard(), task }
    }

    pub(super) async fn stop(self) {
        drop(self.done);
        let _ = self.task.await;
    }
}

#[derive(PartialEq, Eq)]
enum Kept {
    /// Until the work was done.
    ToTheEnd,
    Lost,
}

async fn keep(worker: &Worker, lease: Lease, done: &CancellationToken) -> Kept {
    let third = worker.lease / 3;
    // By its own clock the worker gives up before anybody else may take the job.
    let trusted = third * 5 / 2;
    let mut extended = Instant::now();
    loop {
        tokio::select! {
            () = done.cancelled() => return Kept::ToTheEnd,
            () = tokio::time::sleep(LOOK.min(third)) => {}
        }
        if extended.elapsed() < third {
            // What cannot be looked up now is looked up again, and by the next extension at the latest.
            if matches!(worker.store.holds_lease(lease.id, lease.fence).await, Ok(false)) {
                return Kept::Lost;
            }
            continue;
        }
        let asked = Instant::now();
        let extension = worker.store.extend_lease(lease.id, lease.fence, worker.lease_end());
        let left = trusted.saturating_sub(extended.elapsed());
        match tokio::time::timeout(left, extension).await {
            Ok(Ok(())) => extended = asked,
            Ok(Err(StoreError::LeaseLost)) => return Kept::Lost,
            // A store that is locked or away for a moment costs no backup as long as the lease lasts.
            Ok(Err(error)) => tracing::warn!(%error, "cannot extend the lease; trying again"),
            Err(_) => {
                tracing::warn!("the lease could not be extended in time");
                return Kept::Lost;
            }
        }
    }
}
