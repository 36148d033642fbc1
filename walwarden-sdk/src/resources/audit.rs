//! Audit chains, and the log over them.

use futures::Stream;
use serde_json::Value;
use walwarden_contract::StreamId;
use walwarden_contract::model::{
    AuditCheckpoint, AuditCheckpointList, AuditEventList, AuditStream, AuditStreamList, AuditVerification,
    ConsistencyProof, ConsistencyQuery, InclusionProof, InclusionQuery, ReconciliationReport,
};
use walwarden_contract::page::PageQuery;

use super::pages::{items, largest};
use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::Call;

impl WalwardenClient {
    /// Lists audit chains with their heads, one page.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn list_audit_streams(&self, page: &PageQuery) -> Result<AuditStreamList, Error> {
        self.transport.send(Call::new("listAuditStreams").query(page)).await
    }

    /// Every audit chain with its head, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_audit_streams`] fails with; the stream ends there.
    pub fn audit_streams(&self) -> impl Stream<Item = Result<AuditStream, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_audit_streams(&largest(cursor)).await?;
                Ok((page.streams, page.next_cursor))
            }
        })
    }

    /// Lists the events of an audit chain, oldest first, one page. [`walwarden_contract::audit`] checks them.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn list_audit_events(&self, id: StreamId, page: &PageQuery) -> Result<AuditEventList, Error> {
        self.transport.send(Call::new("listAuditEvents").on(&id).query(page)).await
    }

    /// Every event of an audit chain, oldest first, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_audit_events`] fails with; the stream ends there.
    pub fn audit_events(&self, id: StreamId) -> impl Stream<Item = Result<Value, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_audit_events(id, &largest(cursor)).await?;
                Ok((page.events, page.next_cursor))
            }
        })
    }

    /// Has the server check an audit chain from its first event to its newest. A broken chain is an `Ok` too: look at the
    /// result.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn verify_audit_stream(&self, id: StreamId) -> Result<AuditVerification, Error> {
        self.transport.send(Call::new("verifyAuditStream").on(&id)).await
    }

    /// Lists the signed checkpoints of the organization's log, newest first, one page.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn list_checkpoints(&self, page: &PageQuery) -> Result<AuditCheckpointList, Error> {
        self.transport.send(Call::new("listCheckpoints").query(page)).await
    }

    /// Every signed checkpoint of the organization's log, newest first, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_checkpoints`] fails with; the stream ends there.
    pub fn checkpoints(&self) -> impl Stream<Item = Result<AuditCheckpoint, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_checkpoints(&largest(cursor)).await?;
                Ok((page.checkpoints, page.next_cursor))
            }
        })
    }

    /// Reads what proves that an audit event stands in the log of a checkpoint, named by its size; of the newest without one.
    /// [`walwarden_contract::log::merkle::verify_inclusion`] checks it.
    ///
    /// # Errors
    /// `not_logged_yet`, `not_found`, `forbidden`, and see [`Error`].
    pub async fn get_inclusion_proof(
        &self,
        id: StreamId,
        seq: u64,
        checkpoint: Option<u64>,
    ) -> Result<InclusionProof, Error> {
        let query = InclusionQuery { checkpoint };
        self.transport.send(Call::new("getInclusionProof").on(&id).on(&seq).query(&query)).await
    }

    /// Reads what proves that the log of one checkpoint goes on from that of an earlier one, both named by their sizes.
    /// [`walwarden_contract::log::merkle::verify_consistency`] checks it.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn get_consistency_proof(&self, from: u64, to: u64) -> Result<ConsistencyProof, Error> {
        self.transport.send(Call::new("getConsistencyProof").query(&ConsistencyQuery { from, to })).await
    }

    /// Reads how schedules, audit chains, manifests and buckets last compared. Findings are an `Ok` too: look at the result.
    ///
    /// # Errors
    /// `not_found` before the first comparison, `forbidden`, and see [`Error`].
    pub async fn get_reconciliation(&self) -> Result<ReconciliationReport, Error> {
        self.transport.send(Call::new("getReconciliation")).await
    }
}
