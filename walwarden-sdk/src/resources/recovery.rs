//! What could be recovered, to when, and what proves it.

use walwarden_contract::model::{RecoveryCandidate, RecoveryCandidateQuery, RecoverySummary, RecoveryWindowProof};
use walwarden_contract::{DatabaseId, Timestamp, WindowId};

use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::Call;

impl WalwardenClient {
    /// Reads what could be recovered of a database, and in whose custody it is.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn get_recovery_summary(&self, id: DatabaseId) -> Result<RecoverySummary, Error> {
        self.transport.send(Call::new("getRecoverySummary").on(&id)).await
    }

    /// Finds the backup to restore after an incident: the newest verified one whose dump was whole before that time.
    /// What happened between its snapshot and the incident is lost.
    ///
    /// # Errors
    /// `no_recovery_candidate`, `not_found`, `forbidden`, and see [`Error`].
    pub async fn get_recovery_candidate(
        &self,
        id: DatabaseId,
        incident_time: Timestamp,
    ) -> Result<RecoveryCandidate, Error> {
        let query = RecoveryCandidateQuery { incident_time };
        self.transport.send(Call::new("getRecoveryCandidate").on(&id).query(&query)).await
    }

    /// Reads what proves that a recovery window can be recovered.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn get_recovery_window_proof(&self, id: WindowId) -> Result<RecoveryWindowProof, Error> {
        self.transport.send(Call::new("getRecoveryWindowProof").on(&id)).await
    }
}
