//! One link of an audit chain, the hash that binds it to the one before, and the check of a whole chain.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::kind::{EventKind, Payload};
use crate::time::Timestamp;

/// What the first event of a chain names as its predecessor.
pub const FIRST_PREV_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One link of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = super::schema::by_kind)]
pub struct AuditEvent {
    /// What happened.
    pub kind: EventKind,
    /// Its place in the chain, from 1, without gaps.
    #[schemars(range(min = 1))]
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The job that the chain belongs to; the organization's id for organization events.
    #[schemars(regex(pattern = crate::pattern::STREAM_ID))]
    pub job_id: String,
    /// What there is to know about it, by its kind. Never data content, never a secret.
    #[schemars(schema_with = "super::schema::payload")]
    pub payload: Value,
    /// The hash of the event before, or [`FIRST_PREV_HASH`].
    #[schemars(
        description = "The hash of the event before; 64 zeros in the first.",
        regex(pattern = crate::pattern::SHA256)
    )]
    pub prev_hash: String,
    /// The hash of this event.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub hash: String,
}

impl AuditEvent {
    /// What the event says, as this version writes it. An event of an older version may say less; of a newer one, it may say more
    /// and is refused here: whoever only needs one member reads that of [`payload`](Self::payload).
    ///
    /// # Errors
    /// When the payload is not one of this kind.
    pub fn typed(&self) -> Result<Payload, serde_json::Error> {
        Payload::read(self.kind, &self.payload)
    }
}

/// The hash of an event: SHA-256 of the previous hash's text and the canonical JSON of the event's content, in hex.
///
/// # Errors
/// When the payload has no RFC 8785 form (a number that is not finite).
pub fn event_hash(
    prev_hash: &str,
    at: Timestamp,
    job_id: &str,
    kind: EventKind,
    payload: &Value,
) -> Result<String, serde_json::Error> {
    let content = json!({ "at": at, "jobId": job_id, "kind": kind, "payload": payload });
    let mut hasher = Sha256::new();
    hasher.update(prev_hash.as_bytes());
    hasher.update(serde_json_canonicalizer::to_vec(&content)?);
    Ok(hex::encode(hasher.finalize()))
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A sequence number is missing, repeated or out of order.
    #[error("event {expected} is missing or out of order: found {found}")]
    Gap {
        /// The number that should stand here.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// An event does not name the one before it.
    #[error("event {seq} does not follow from the event before it")]
    BrokenLink {
        /// The event.
        seq: u64,
    },
    /// An event's hash is not the hash of its content.
    #[error("event {seq} was changed after it was written")]
    Altered {
        /// The event.
        seq: u64,
    },
    /// An event belongs to another chain.
    #[error("event {seq} belongs to another chain")]
    Foreign {
        /// The event.
        seq: u64,
    },
}

/// Checks that the events are one whole chain from its beginning.
///
/// # Errors
/// The first break that is found.
pub fn verify_chain(events: &[AuditEvent]) -> Result<(), ChainError> {
    let mut prev_hash = FIRST_PREV_HASH;
    for (expected, event) in (1..).zip(events) {
        let seq = event.seq;
        if seq != expected {
            return Err(ChainError::Gap { expected, found: seq });
        }
        if event.job_id != events[0].job_id {
            return Err(ChainError::Foreign { seq });
        }
        if event.prev_hash != prev_hash {
            return Err(ChainError::BrokenLink { seq });
        }
        let hash = event_hash(prev_hash, event.at, &event.job_id, event.kind, &event.payload);
        if hash.ok().as_deref() != Some(event.hash.as_str()) {
            return Err(ChainError::Altered { seq });
        }
        prev_hash = &event.hash;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(length: u32) -> Vec<AuditEvent> {
        let mut events: Vec<AuditEvent> = Vec::new();
        for seq in 1..=u64::from(length) {
            let prev_hash = events.last().map_or(FIRST_PREV_HASH, |event| &event.hash).to_owned();
            let at = Timestamp::from_millis(1_769_824_800_000 + seq.cast_signed()).expect("in range");
            let payload = json!({ "attempt": seq });
            let kind = EventKind::ALL[usize::try_from(seq).expect("small") % EventKind::ALL.len()];
            let hash = event_hash(&prev_hash, at, "bkp_x", kind, &payload).expect("canonical");
            events.push(AuditEvent { kind, seq, at, job_id: "bkp_x".to_owned(), payload, prev_hash, hash });
        }
        events
    }

    #[test]
    fn the_hash_is_the_published_formula() {
        let at = "2026-01-31T02:00:00.000Z".parse().expect("a time");
        let hash = event_hash(FIRST_PREV_HASH, at, "bkp_x", EventKind::BackupQueued, &json!({"b": 1, "a": "ü"}));
        let written_out = format!(
            "{FIRST_PREV_HASH}{}",
            r#"{"at":"2026-01-31T02:00:00.000Z","jobId":"bkp_x","kind":"backup.queued","payload":{"a":"ü","b":1}}"#
        );
        assert_eq!(hash.ok(), Some(hex::encode(Sha256::digest(written_out))));
    }

    proptest! {
        #[test]
        fn an_edited_deleted_or_swapped_event_breaks_the_chain(length in 3_u32..12, pick in 0_usize..100) {
            let whole = chain(length);
            prop_assert_eq!(verify_chain(&whole), Ok(()));
            let index = pick % (whole.len() - 1);

            let mut edited = whole.clone();
            edited[index].payload = json!({ "attempt": 999 });
            prop_assert!(verify_chain(&edited).is_err());

            let mut deleted = whole.clone();
            deleted.remove(index);
            prop_assert!(verify_chain(&deleted).is_err());

            let mut swapped = whole;
            swapped.swap(index, index + 1);
            prop_assert!(verify_chain(&swapped).is_err());
        }
    }
}
