//! Keeps a lease alive while its job runs, and stops the job when the lease is lost.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Worker;
use crate::jobs::backups::Lease;
use crate::store::StoreError;

pub(super) struct Heartbeat {
    done: CancellationToken,
    task: JoinHandle<()>,
}

impl Heartbeat {
    /// Extends the lease at a third of its length; `stop` is cancelled when it is lost, or could not be extended in time.
    pub(super) fn start(worker: Worker, lease: Lease, stop: CancellationToken) -> Self {
        let done = CancellationToken::new();
        let ended = done.clone();
        let task = tokio::spawn(async move {
            let mut failures = 0;
            loop {
                tokio::select! {
                    () = ended.cancelled() => return,
                    () = tokio::time::sleep(worker.lease / 3) => {}
                }
                match worker.store.extend_lease(lease.id, lease.fence, worker.lease_end()).await {
                    Ok(()) => failures = 0,
                    Err(StoreError::LeaseLost) => {
                        stop.cancel();
                        return;
                    }
                    Err(error) => {
                        failures += 1;
                        tracing::warn!(%error, failures, "cannot extend the lease");
                        if failures >= 2 {
                            stop.cancel();
                            return;
                        }
                    }
                }
            }
        });
        Self { done, task }
    }

    pub(super) async fn stop(self) {
        self.done.cancel();
        let _ = self.task.await;
    }
}
