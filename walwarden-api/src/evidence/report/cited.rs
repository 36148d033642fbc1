//! How a line of a report names the events that it rests on, and lists that say how much they leave out.

use serde::Serialize;
use walwarden_contract::Timestamp;
use walwarden_contract::audit::{AuditEvent, EventKind, event_hash};

/// An audit event, by its hash and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cited {
    /// When it happened.
    pub at: Timestamp,
    /// Its hash.
    pub hash: String,
    /// Its kind.
    pub kind: EventKind,
    /// Its number in its chain.
    pub seq: u64,
    /// Whose chain it is in.
    pub stream: String,
}

impl From<&AuditEvent> for Cited {
    fn from(event: &AuditEvent) -> Self {
        Self { at: event.at, hash: event.hash.clone(), kind: event.kind, seq: event.seq, stream: event.job_id.clone() }
    }
}

/// Whether an event's hash is the hash of its content.
#[must_use]
pub(super) fn is_unaltered(event: &AuditEvent) -> bool {
    let hash = event_hash(&event.prev_hash, event.at, &event.job_id, event.kind, &event.payload);
    hash.ok().as_deref() == Some(event.hash.as_str())
}

/// The first of many, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub listed: Vec<T>,
    #[serde(skip)]
    most: usize,
}

impl<T> Default for Listed<T> {
    /// The first few.
    fn default() -> Self {
        Self::of_at_most(3)
    }
}

impl<T> Listed<T> {
    /// An empty list that shows at most so many.
    #[must_use]
    pub const fn of_at_most(most: usize) -> Self {
        Self { total: 0, listed: Vec::new(), most }
    }

    /// Adds one; it is counted in any case.
    pub fn add(&mut self, item: T) {
        self.total += 1;
        if self.listed.len() < self.most {
            self.listed.push(item);
        }
    }

    /// Leaves an empty list behind.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let most = self.most;
        std::mem::replace(self, Self::of_at_most(most))
    }

    /// How many are counted and not shown.
    #[must_use]
    pub fn unlisted(&self) -> u64 {
        self.total.saturating_sub(self.listed.len() as u64)
    }
}

/// Numbers in the document stay exact in every reader of JSON.
#[must_use]
pub(super) fn exact(number: u64) -> u64 {
    number.min((1 << 53) - 1)
}
