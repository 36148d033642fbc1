//! Backup jobs: trigger, read, and follow to the end.

use walwarden_contract::model::{Backup, BackupState, TriggerBackupRequest, TriggeredBackup};
use walwarden_contract::{BackupJobId, DatabaseId, Open};

use super::poll::{Job, Poll, follow};
use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::{Call, new_idempotency_key};

impl Job for Backup {
    type Standing = (Open<BackupState>, u32);

    fn standing(&self) -> Self::Standing {
        (self.state.clone(), self.attempt)
    }

    fn has_ended(&self) -> bool {
        // A state that is not known yet is an end when the job says when it ended.
        self.state.known().map_or(self.finished_at.is_some(), BackupState::is_terminal)
    }
}

impl WalwardenClient {
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
    /// `timeout` at the deadline, `cancelled`, or what [`WalwardenClient::get_backup`] fails with for good.
    pub async fn poll_backup(
        &self,
        id: BackupJobId,
        poll: &Poll,
        on_change: impl FnMut(&Backup),
    ) -> Result<Backup, Error> {
        follow(poll, &format!("Backup {id}"), async || self.get_backup(id).await, on_change).await
    }
}
