//! The client of the restore machine: one restore token, one job.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use walwarden_contract::model::{ArtifactUrl, Restore, RestoreClaim, RestoreReport, TriggerRestoreRequest};
use walwarden_contract::token::{self, TokenPayload};
use walwarden_contract::{ErrorCode, RestoreJobId};

use crate::error::Error;
use crate::request::{Call, Settings, Transport, new_idempotency_key};

/// A client of one restore job, authenticated by its restore token. Cheap to clone.
///
/// Every call carries an `Idempotency-Key` of its own, which stays the same while that call is repeated.
#[derive(Clone)]
pub struct RestoreSessionClient {
    transport: Transport,
    payload: TokenPayload,
}

impl RestoreSessionClient {
    /// A client for the job that `token` names, at the API that `transport` speaks to.
    pub(crate) fn new(transport: &Transport, token: SecretString) -> Result<Self, Error> {
        let payload = read(&token)?;
        Ok(Self { transport: transport.with_secret(token)?, payload })
    }

    pub(crate) fn from_settings(settings: Settings, token: SecretString) -> Result<Self, Error> {
        let payload = read(&token)?;
        Ok(Self { transport: Transport::new(settings, token)?, payload })
    }

    /// What the token says. It is not proven: only the server can check its HMAC.
    #[must_use]
    pub fn payload(&self) -> &TokenPayload {
        &self.payload
    }

    /// The restore job.
    #[must_use]
    pub fn restore_job_id(&self) -> RestoreJobId {
        self.payload.job_intent_id
    }

    /// Whether secrets may travel in clear to other machines, presigned URLs included.
    #[must_use]
    pub fn allow_insecure_http(&self) -> bool {
        self.transport.allows_insecure_http()
    }

    /// Uses the token, once.
    ///
    /// # Errors
    /// `token_invalid`, `token_expired`, `token_used`, `manifest_hash_mismatch`, and see [`Error`].
    pub async fn trigger_restore(&self, request: &TriggerRestoreRequest) -> Result<Restore, Error> {
        let key = new_idempotency_key();
        self.transport.send(self.call("triggerRestore", &key).json(request)).await
    }

    /// Takes the job: manifest, public key and presigned URL.
    ///
    /// # Errors
    /// `invalid_transition`, `restore_timed_out`, and see [`Error`].
    pub async fn claim_restore(&self) -> Result<RestoreClaim, Error> {
        let key = new_idempotency_key();
        self.transport.send(self.call("claimRestore", &key)).await
    }

    /// Has the artifact's URL presigned again.
    ///
    /// # Errors
    /// As [`RestoreSessionClient::claim_restore`].
    pub async fn refresh_artifact_url(&self) -> Result<ArtifactUrl, Error> {
        let key = new_idempotency_key();
        self.transport.send(self.call("refreshArtifactUrl", &key)).await
    }

    /// Reports a state that this machine has reached; the current state again is a heartbeat.
    ///
    /// # Errors
    /// As [`RestoreSessionClient::claim_restore`].
    pub async fn report_restore(&self, report: &RestoreReport) -> Result<Restore, Error> {
        let key = new_idempotency_key();
        self.transport.send(self.call("reportRestore", &key).json(report)).await
    }

    /// Reports the current state again, in one attempt that is bounded in time: the next heartbeat follows anyway.
    ///
    /// # Errors
    /// As [`RestoreSessionClient::claim_restore`].
    pub async fn heartbeat(&self, report: &RestoreReport, timeout: Duration) -> Result<Restore, Error> {
        let key = new_idempotency_key();
        self.transport.send_once(self.call("reportRestore", &key).json(report).timeout(timeout)).await
    }

    fn call<'a>(&self, operation: &'static str, key: &'a str) -> Call<'a> {
        Call::new(operation).on(&self.payload.job_intent_id).idempotent(key)
    }
}

fn read(token: &SecretString) -> Result<TokenPayload, Error> {
    token::read_unverified(token.expose_secret()).map_err(|_| {
        Error::new(ErrorCode::TokenInvalid, "The restore token is malformed: copy it whole, beginning with wrt1.")
    })
}

impl std::fmt::Debug for RestoreSessionClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RestoreSessionClient")
            .field("job", &self.restore_job_id().to_string())
            .finish_non_exhaustive()
    }
}
