//! Restore jobs, as the holder of an API key sees them.

use walwarden_contract::model::{CreateRestoreRequest, Restore, RestoreSession, RestoreState};
use walwarden_contract::{Open, RestoreJobId};

use super::poll::{Job, Poll, follow};
use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::Call;

impl Job for Restore {
    type Standing = Open<RestoreState>;

    fn standing(&self) -> Self::Standing {
        self.state.clone()
    }

    fn has_ended(&self) -> bool {
        // A state that is not known yet is an end when the job says when it ended.
        self.state.known().map_or(self.finished_at.is_some(), RestoreState::is_terminal)
    }
}

impl WalwardenClient {
    /// Opens a restore session; the answer holds the single-use token. The request must name the target without any
    /// credential ([`crate::postgres::Dsn::redacted`]).
    ///
    /// # Errors
    /// `backup_not_restorable`, `confirmation_required`, `target_invalid`, `not_found`, and see [`Error`].
    pub async fn create_restore(
        &self,
        request: &CreateRestoreRequest,
        idempotency_key: &str,
    ) -> Result<RestoreSession, Error> {
        self.transport.send(Call::new("createRestore").json(request).idempotent(idempotency_key)).await
    }

    /// Reads a restore job.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn get_restore(&self, id: RestoreJobId) -> Result<Restore, Error> {
        self.transport.send(Call::new("getRestore").on(&id)).await
    }

    /// Follows a restore job until nothing follows, wherever it runs; `on_change` sees the first answer and every change
    /// of state. A job that ended badly is an `Ok` too: look at its state.
    ///
    /// # Errors
    /// `timeout` at the deadline, `cancelled`, or what [`WalwardenClient::get_restore`] fails with for good.
    pub async fn poll_restore(
        &self,
        id: RestoreJobId,
        poll: &Poll,
        on_change: impl FnMut(&Restore),
    ) -> Result<Restore, Error> {
        follow(poll, &format!("Restore {id}"), async || self.get_restore(id).await, on_change).await
    }
}
