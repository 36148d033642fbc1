//! Evidence of completed backups.

use futures::Stream;
use walwarden_contract::model::{Evidence, EvidenceList, EvidenceQuery, EvidenceSummary, ExportEvidenceQuery};
use walwarden_contract::page::MAX_LIMIT;
use walwarden_contract::{BackupJobId, DatabaseId};

use super::pages::items;
use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::Call;

impl WalwardenClient {
    /// Lists the evidence of completed backups, newest first, one page. A database that does not exist has none.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn list_evidence(&self, query: &EvidenceQuery) -> Result<EvidenceList, Error> {
        self.transport.send(Call::new("listEvidence").query(query)).await
    }

    /// The evidence of every completed backup, of one database or of all, newest first, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_evidence`] fails with; the stream ends there.
    pub fn evidence(
        &self,
        database_id: Option<DatabaseId>,
    ) -> impl Stream<Item = Result<EvidenceSummary, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_evidence(&EvidenceQuery { database_id, limit: Some(MAX_LIMIT), cursor }).await?;
                Ok((page.evidence, page.next_cursor))
            }
        })
    }

    /// Reads the signed manifest, the verification and the audit chain of a completed backup.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn get_evidence(&self, id: BackupJobId) -> Result<Evidence, Error> {
        self.transport.send(Call::new("getEvidence").on(&id)).await
    }

    /// Downloads the evidence of a completed backup as one archive, a gzip-compressed tar of at most 64 MiB: as of the newest
    /// checkpoint of the organization's log, or as of the one that `query` names. `walwarden-verify` checks it offline. The server
    /// records the export in the organization's audit chain, each time it is asked: an answer that was lost and asked for
    /// again is recorded twice.
    ///
    /// # Errors
    /// `not_found`, `evidence_not_sealed`, `evidence_key_mismatch`, `human_confirmation_required`, `forbidden`, `unexpected_response` when the archive is larger, and see
    /// [`Error`].
    pub async fn export_evidence(&self, id: BackupJobId, query: &ExportEvidenceQuery) -> Result<Vec<u8>, Error> {
        self.transport.send_for_archive(Call::new("exportEvidence").on(&id).query(query)).await
    }
}
