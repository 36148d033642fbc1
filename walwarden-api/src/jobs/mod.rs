//! Jobs: their state machines, and the transactions in which a state changes together with its audit event.

pub mod backups;
pub mod checkpoints;
pub mod integrity;
pub mod inventory;
pub mod preflights;
pub mod restores;
pub mod retention;
pub mod rewinding;
pub mod schedule;
pub mod scheduler;
pub mod state;
pub mod verifier;
pub mod watchdog;
pub mod worker;

use crate::store::idempotency::{IdempotencyScope, StoredResponse, keep};
use crate::store::{Result, Tx};
use crate::system::System;

/// What came of a request that carries an Idempotency-Key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted<T> {
    /// It was done now.
    New(T),
    /// It, or another under the same key, was done before. Nothing was changed.
    Replayed(StoredResponse),
}

/// The response to keep for a request, written in the transaction that does what it asks.
#[derive(Clone, Copy)]
pub struct Reply<'a, T> {
    /// Which request.
    pub scope: &'a IdempotencyScope,
    /// The HTTP status.
    pub status: u16,
    /// Makes the body.
    pub body: &'a (dyn Fn(&T) -> String + Sync),
}

/// Keeps the reply, or says what was replied before.
pub(crate) async fn answer<T>(
    tx: &mut Tx,
    system: &System,
    reply: Option<Reply<'_, T>>,
    result: &T,
) -> Result<Option<StoredResponse>> {
    match reply {
        Some(Reply { scope, status, body }) => keep(tx, scope, status, &body(result), system.now()).await,
        None => Ok(None),
    }
}
