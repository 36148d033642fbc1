//! Evidence of completed backups.

use walwarden_contract::BackupJobId;
use walwarden_contract::model::Evidence;

use crate::client::Client;
use crate::error::Error;
use crate::request::Call;

impl Client {
    /// Reads the signed manifest, the verification and the audit chain of a completed backup.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn get_evidence(&self, id: BackupJobId) -> Result<Evidence, Error> {
        self.transport.send(Call::new("getEvidence").on(&id)).await
    }
}
