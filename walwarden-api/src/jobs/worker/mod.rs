//! The worker: claims backups under a lease, runs them, and hands them back when it must stop.

mod attempt;
mod heartbeat;
mod presence;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::BackupState;
use walwarden_contract::telemetry::spans;
use walwarden_sdk::postgres::Tools;

use self::attempt::{Failure, attempt, clear_uploads};
pub use self::presence::Presence;
pub use self::sweep::SweepPolicy;
use super::backups::{self, HandedBack, Lease, RetryPolicy};
use crate::engine::backup::{BackupError, Limits};
use crate::failpoint::{Failpoint, reach};
use crate::secrets::Keyring;
use crate::store::backups::BackupJob;
use crate::store::{Store, StoreError};
use crate::system::{System, after};
use crate::telemetry;
use crate::telemetry::traces::Traced;

/// How long an idle worker waits before it looks again, when nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);

/// What a worker works with and how much it may use.
#[derive(Clone)]
pub struct Worker {
    /// The store.
    pub store: Store,
    /// Clock and randomness.
    pub system: System,
    /// The keys that open sealed secrets and sign manifests.
    pub keyring: Arc<Keyring>,
    /// Where the Postgres tools are.
    pub tools: Tools,
    /// Woken when a backup is queued in this process.
    pub wake: Arc<Notify>,
    /// How this worker is called in leases and audit events.
    pub name: String,
    /// How many backups it runs at once.
    pub concurrency: usize,
    /// What one backup may use.
    pub limits: Limits,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How failed attempts are followed up.
    pub retry: RetryPolicy,
}

impl Worker {
    /// Works until `shutdown`, then hands back what it holds.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut running = JoinSet::new();
        loop {
            while let Some(ended) = running.try_join_next() {
                report_panic(ended);
            }
            if shutdown.is_cancelled() {
                break;
            }
            if running.len() < self.concurrency {
                match self.claim().await {
                    Ok(Some(job)) => {
                        let (worker, shutdown) = (self.clone(), shutdown.clone());
                        running.spawn(Box::pin(worker.process(job, shutdown)));
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(%error, "cannot look for work"),
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
                Some(ended) = running.join_next(), if !running.is_empty() => report_panic(ended),
            }
        }
        while let Some(ended) = running.join_next().await {
            report_panic(ended);
        }
    }

    async fn claim(&self) -> Result<Option<BackupJob>, StoreError> {
        backups::claim(&self.store, &self.system, &self.name, self.lease_end()).await
    }

    fn lease_end(&self) -> walwarden_contract::Timestamp {
        after(self.system.now(), i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX))
    }

    async fn process(self, job: BackupJob, shutdown: CancellationToken) {
        let traced = Traced::root(&spans::BACKUP);
        traced.show(spans::BACKUP_JOB_ID, &job.id);
        traced.show(spans::DATABASE_ID, &job.database_id);
        traced.show(spans::ORGANIZATION_ID, &job.org_id);
        traced.count(spans::ATTEMPT, job.attempt.into());
        traced.around(self.work_on(job, shutdown)).await;
    }

    #[tracing::instrument(name = "backup", skip_all, fields(backup_job_id = %job.id, attempt = job.attempt))]
    async fn work_on(self, job: BackupJob, shutdown: CancellationToken) {
        let lease = Lease { id: job.id, fence: job.fence };
        let stop = shutdown.child_token();
        let heartbeat = heartbeat::Heartbeat::start(self.clone(), lease, stop.clone());
        let started = std::time::Instant::now();
        telemetry::attempt_began();
        reach(Failpoint::AfterClaim);
        let outcome = Box::pin(attempt(&self, &job, lease, &stop)).await;
        heartbeat.stop().await;
        let ended = match outcome {
            Ok(completed) => {
                let size_bytes = completed.artifact.as_ref().map_or(0, |artifact| artifact.size_bytes);
                telemetry::backup_completed(started.elapsed(), size_bytes);
                tracing::info!(size_bytes, "completed");
                Ok(completed)
            }
            Err(Failure::Store(StoreError::LeaseLost)) => return self.let_go(&job).await,
            Err(Failure::Store(error)) => {
                tracing::error!(%error, "the store failed during the backup");
                let error =
                    BackupError { code: ErrorCode::ServiceUnavailable, message: "The store failed.".to_owned() };
                self.fail(lease, error).await
            }
            Err(Failure::Backup(_)) if shutdown.is_cancelled() => {
                tracing::info!("handing the job back: the worker shuts down");
                backups::release(&self.store, &self.system, lease, HandedBack::WorkerShutdown).await
            }
            Err(Failure::Unverified(until)) => {
                tracing::info!("handing the job back: its destination was changed and is looked at first");
                backups::release(&self.store, &self.system, lease, HandedBack::DestinationUnverified(until)).await
            }
            Err(Failure::Backup(_)) if stop.is_cancelled() => return self.let_go(&job).await,
            Err(Failure::Backup(error)) => self.fail(lease, error).await,
        };
        match ended {
            Ok(job) => {
                telemetry::attempt_ended(&job);
                if job.state() == BackupState::FailedTerminal {
                    self.clear_away(&job).await;
                }
            }
            Err(StoreError::LeaseLost) => self.let_go(&job).await,
            // The lease runs out and the job is taken over: nothing is lost.
            Err(error) => {
                Traced::current().fail(ErrorCode::ServiceUnavailable);
                tracing::error!(%error, "cannot record how the backup ended");
            }
        }
    }

    /// Ends an attempt whose lease is gone: the job was called off, or another worker has it or soon will.
    async fn let_go(&self, job: &BackupJob) {
        match self.store.backup(job.org_id, job.id).await {
            Ok(now) if now.state() == BackupState::Cancelled => {
                tracing::info!("stopped: the backup was called off");
                telemetry::backup_cancelled();
                self.clear_away(&now).await;
            }
            _ => {
                telemetry::lease_lost();
                tracing::warn!("stopped: the lease was lost, and the job is or will be taken over");
            }
        }
    }

    async fn fail(&self, lease: Lease, error: BackupError) -> Result<BackupJob, StoreError> {
        tracing::warn!(code = %error.code, "attempt failed: {}", error.message);
        backups::fail(&self.store, &self.system, lease, self.retry, error.code, &error.message).await
    }

    /// Aborts what uploads a job left that will not be tried again.
    pub async fn clear_away(&self, job: &BackupJob) {
        if let Err(error) = clear_uploads(self, job).await {
            tracing::warn!(backup_job_id = %job.id, %error, "cannot clear away the job's uploads");
        }
    }
}

fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a backup task ended abnormally; its lease will run out and the job be taken over");
    }
}
