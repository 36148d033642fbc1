//! `verifyAuditStream`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::audit::{AuditEvent, ChainError, FIRST_PREV_HASH, event_hash};
use walwarden_contract::model::{AuditVerification, ProofStatus};
use walwarden_contract::{OrgId, StreamId};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::state::AppState;
use crate::store::{Store, StoreError};
use crate::telemetry::integrity_failed;

/// How many events are in memory at once.
const CHUNK: u32 = 500;

/// How far a chain was checked.
struct Walk {
    events: u64,
    head: String,
}

/// Why a walk ended early.
enum Stop {
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

impl Walk {
    /// Goes on by one event, as [`walwarden_contract::audit::verify_chain`] does with a chain that is in memory.
    fn step(&mut self, event: AuditEvent) -> Result<(), ChainError> {
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
    async fn run(&mut self, store: &Store, org_id: OrgId, id: StreamId) -> Result<(), Stop> {
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

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<StreamId>,
) -> Result<Json<AuditVerification>> {
    let mut walk = Walk { events: 0, head: FIRST_PREV_HASH.to_owned() };
    let failure = match walk.run(&state.store, caller.org_id(), id).await {
        Ok(()) => None,
        Err(Stop::Broken(failure)) => Some(failure),
        Err(Stop::Store(error)) => return Err(error.into()),
    };
    if let Some(failure) = &failure {
        integrity_failed("audit_chain");
        tracing::error!(stream_id = %id, %failure, "an audit chain does not hold");
    }
    Ok(Json(AuditVerification {
        stream_id: id,
        result: if failure.is_none() { ProofStatus::Passed } else { ProofStatus::Failed }.into(),
        events: walk.events,
        head: walk.head,
        verified_at: state.system.now(),
        failure,
    }))
}
