//! Backup jobs: trigger, read, and follow to the end.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use walwarden_contract::model::{Backup, TriggerBackupRequest, TriggeredBackup};
use walwarden_contract::{BackupJobId, DatabaseId, ErrorCode};

use crate::client::Client;
use crate::error::Error;
use crate::request::{Call, new_idempotency_key};

/// After this many answers in a row that are no answer, a job is no longer followed.
const MAX_FAILED_POLLS: u32 = 10;

/// How a backup job is followed.
#[derive(Debug, Clone)]
pub struct PollBackup {
    /// The time between two looks.
    pub interval: Duration,
    /// When to give up; `None` follows the job to its end.
    pub deadline: Option<Duration>,
    /// Ends the following at once. The job itself goes on.
    pub cancel: CancellationToken,
}

impl Default for PollBackup {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), deadline: None, cancel: CancellationToken::new() }
    }
}

impl Client {
    /// Queues a backup on demand.
    ///
    /// # Errors
    /// `backup_in_progress`, `destination_not_ready`, `not_found`, and see [`Error`].
    pub async fn trigger_backup(&self, id: DatabaseId, idempotency_key: &str) -> Result<TriggeredBackup, Error> {
        let call = Call::new("triggerBackup").on(&id).json(&TriggerBackupRequest::default());
        self.transport.send(call.idempotent(idempotency_key)).await
    }

    /// Reads a backup job.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn get_backup(&self, id: BackupJobId) -> Result<Backup, Error> {
        self.transport.send(Call::new("getBackup").on(&id)).await
    }

    /// Calls a backup job off that is not yet being sealed. One that was cancelled before is answered as it is.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`, `forbidden`, and see [`Error`].
    pub async fn cancel_backup(&self, id: BackupJobId) -> Result<Backup, Error> {
        self.transport.send(Call::new("cancelBackup").on(&id).idempotent(&new_idempotency_key())).await
    }

    /// Takes note of a backup job that failed for good. One that was dismissed before is answered as it is.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`, `forbidden`, and see [`Error`].
    pub async fn dismiss_backup(&self, id: BackupJobId) -> Result<Backup, Error> {
        self.transport.send(Call::new("dismissBackup").on(&id).idempotent(&new_idempotency_key())).await
    }

    /// Follows a backup job until nothing follows; `on_change` sees the first answer and every change of state or
    /// attempt. A job that ended badly is an `Ok` too: look at its state.
    ///
    /// # Errors
    /// `timeout` at the deadline, `cancelled`, or what [`Client::get_backup`] fails with for good.
    pub async fn poll_backup(
        &self,
        id: BackupJobId,
        poll: &PollBackup,
        mut on_change: impl FnMut(&Backup),
    ) -> Result<Backup, Error> {
        let deadline = poll.deadline.map(|deadline| Instant::now() + deadline);
        let expired = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let follow = async {
            let mut seen = None;
            let mut failed = 0;
            loop {
                match self.get_backup(id).await {
                    Ok(backup) => {
                        failed = 0;
                        if seen.replace((backup.state, backup.attempt)) != Some((backup.state, backup.attempt)) {
                            on_change(&backup);
                        }
                        if backup.state.is_terminal() {
                            return Ok(backup);
                        }
                    }
                    Err(error) => {
                        failed += 1;
                        if !error.body().retryable || failed >= MAX_FAILED_POLLS {
                            return Err(error);
                        }
                    }
                }
                tokio::time::sleep(poll.interval).await;
            }
        };
        tokio::select! {
            biased;
            () = poll.cancel.cancelled() => Err(Error::cancelled()),
            outcome = follow => outcome,
            () = expired => Err(Error::new(
                ErrorCode::Timeout,
                format!("Backup {id} had not ended when the time for waiting ran out. It goes on."),
            )),
        }
    }
}
