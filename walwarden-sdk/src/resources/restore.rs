//! Restore jobs, as the holder of an API key sees them.

use walwarden_contract::RestoreJobId;
use walwarden_contract::model::{CreateRestoreRequest, Restore, RestoreSession};

use crate::client::Client;
use crate::error::Error;
use crate::request::Call;

impl Client {
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
}
