//! Audit chains.

use walwarden_contract::StreamId;
use walwarden_contract::model::{AuditEventList, AuditStreamList, AuditVerification};
use walwarden_contract::page::PageQuery;

use crate::client::Client;
use crate::error::Error;
use crate::request::Call;

impl Client {
    /// Lists audit chains with their heads, one page.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn list_audit_streams(&self, page: &PageQuery) -> Result<AuditStreamList, Error> {
        self.transport.send(Call::new("listAuditStreams").query(page)).await
    }

    /// Lists the events of an audit chain, oldest first, one page. [`walwarden_contract::audit`] checks them.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn list_audit_events(&self, id: StreamId, page: &PageQuery) -> Result<AuditEventList, Error> {
        self.transport.send(Call::new("listAuditEvents").on(&id).query(page)).await
    }

    /// Has the server check an audit chain from its first event to its newest. A broken chain is an `Ok` too: look at the
    /// result.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn verify_audit_stream(&self, id: StreamId) -> Result<AuditVerification, Error> {
        self.transport.send(Call::new("verifyAuditStream").on(&id)).await
    }
}
