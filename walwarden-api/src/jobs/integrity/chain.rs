//! Walks an audit chain from its first event to its recorded head, a page at a time.

use walwarden_contract::audit::{AuditEvent, ChainError, FIRST_PREV_HASH, event_hash};
use walwarden_contract::{OrgId, StreamId};

use crate::store::{Store, StoreError};

/// How many events are in memory at once.
const CHUNK: u32 = 500;

/// How far a chain was checked.
pub struct Walk {
    /// How many events hold.
    pub events: u64,
    /// The hash of the newest of them.
    pub head: String,
}

/// Why a walk ended early.
pub enum Stop {
    /// The chain does not hold, for this reason.
    Broken(String),
    /// The store could not be read.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(what) => Self::Broken(format!("The chain holds an unreadable {what}.")),
            other => Self::Store(other),
        }
    }
}

impl Default for Walk {
    /// Before the first event.
    fn default() -> Self {
        Self { events: 0, head: FIRST_PREV_HASH.to_owned() }
    }
}

impl Walk {
    /// Goes on by one event, as [`walwarden_contract::audit::verify_chain`] does with a chain that is in memory.
    pub(crate) fn step(&mut self, event: AuditEvent) -> Result<(), ChainError> {
        let (seq, expected) = (event.seq, self.events + 1);
        if seq != expected {
            return Err(ChainError::Gap { expected, found: seq });
        }
        if event.prev_hash != self.head {
            return Err(ChainError::BrokenLink { seq });
        }
        let hash = event_hash(&self.head, event.at, &event.job_id, event.kind, &event.payload);
        if hash.ok().as_deref() != Some(event.hash.as_str()) {
            return Err(ChainError::Altered { seq });
        }
        (self.events, self.head) = (seq, event.hash);
        Ok(())
    }

    /// Checks every event, and that the newest is the recorded head.
    ///
    /// # Errors
    /// Where the chain breaks, or that the store cannot be read.
    pub async fn run(&mut self, store: &Store, org_id: OrgId, id: StreamId) -> Result<(), Stop> {
        let broken = |text: String| Err(Stop::Broken(text));
        let mut recorded = match store.audit_stream(org_id, id).await {
            Err(StoreError::Missing(_)) if !store.audit_events(org_id, id, 0, 1).await?.is_empty() => {
                return broken("The head of the chain is not recorded.".to_owned());
            }
            read => read?,
        };
        loop {
            while self.events < recorded.events {
                let events = store.audit_events(org_id, id, self.events, CHUNK).await?;
                if events.is_empty() {
                    return broken(format!("Event {} and what follows it are missing.", self.events + 1));
                }
                for event in events {
                    if self.events == recorded.events {
                        break;
                    }
                    self.step(event).or_else(|error| broken(format!("The chain breaks: {error}.")))?;
                }
            }
            if self.head != recorded.head {
                return broken("The newest event is not the recorded head.".to_owned());
            }
            if store.audit_events(org_id, id, self.events, 1).await?.is_empty() {
                return Ok(());
            }
            // More was appended meanwhile, and moved the head in the same transaction. Or else it is not of this chain.
            let before = recorded.events;
            recorded = store.audit_stream(org_id, id).await?;
            if recorded.events <= before {
                return broken(format!("Event {} stands behind the recorded head.", before + 1));
            }
        }
    }
}
