//! Evidence of completed backups.

use walwarden_contract::BackupJobId;
use walwarden_contract::model::{Evidence, EvidenceList, EvidenceQuery};

use crate::client::Client;
use crate::error::Error;
use crate::request::Call;

impl Client {
    /// Lists the evidence of completed backups, newest first, one page. A database that does not exist has none.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn list_evidence(&self, query: &EvidenceQuery) -> Result<EvidenceList, Error> {
        self.transport.send(Call::new("listEvidence").query(query)).await
    }

    /// Reads the signed manifest, the verification and the audit chain of a completed backup.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn get_evidence(&self, id: BackupJobId) -> Result<Evidence, Error> {
        self.transport.send(Call::new("getEvidence").on(&id)).await
    }

    /// Downloads the evidence of a completed backup as one archive, a gzip-compressed tar of at most 64 MiB. The server
    /// records the export in the organization's audit chain, each time it is asked: an answer that was lost and asked for
    /// again is recorded twice.
    ///
    /// # Errors
    /// `not_found`, `human_confirmation_required`, `forbidden`, `unexpected_response` when the archive is larger, and see
    /// [`Error`].
    pub async fn export_evidence(&self, id: BackupJobId) -> Result<Vec<u8>, Error> {
        self.transport.send_for_archive(Call::new("exportEvidence").on(&id)).await
    }
}
