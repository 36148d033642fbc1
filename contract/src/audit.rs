//! Audit events: their kinds, the hash that chains them, and the check of a chain.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::time::Timestamp;

/// What the first event of a chain names as its predecessor.
pub const FIRST_PREV_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

macro_rules! event_kinds {
    ($($variant:ident = $text:literal, $meaning:literal;)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum EventKind {
            $(
                #[doc = $meaning]
                #[serde(rename = $text)]
                $variant,
            )*
        }

        impl EventKind {
            /// Every kind, in the order of a job's life.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The kind as it stands in JSON and in the hash.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

event_kinds! {
    BackupQueued = "backup.queued", "The job waits for a worker.";
    BackupClaimed = "backup.claimed", "A worker took the job under a lease.";
    BackupRunning = "backup.running", "`pg_dump` was started.";
    BackupFinalizing = "backup.finalizing", "`pg_dump` exited 0 and its archive is whole; the object is being sealed and read back.";
    BackupCompleted = "backup.completed", "Artifact and signed manifest were read back and match.";
    BackupFailed = "backup.failed", "The attempt failed; the payload says why and whether another follows.";
    BackupCancelled = "backup.cancelled", "The job was cancelled.";
    BackupDismissed = "backup.dismissed", "Somebody took note that the job failed for good.";
    RetentionExpiring = "retention.expiring", "The backup is older than its database keeps backups; its deletion from the bucket begins.";
    RetentionRefused = "retention.refused", "The bucket refused the deletion; the payload says why, and it is tried again later.";
    RetentionDeleted = "retention.deleted", "Artifact and manifest are deleted from the bucket; this record stays.";
    RestoreTokenIssued = "restore.token_issued", "A restore session was opened and its token issued.";
    RestoreTriggered = "restore.triggered", "The restore machine used the token.";
    RestoreClaimed = "restore.claimed", "The restore machine took the job.";
    RestoreDownloading = "restore.downloading", "The download from the bucket began.";
    RestoreVerifying = "restore.verifying", "The artifact is whole on the restore machine and is being verified.";
    RestoreManifestVerified = "restore.manifest_verified", "Artifact hash, manifest hash and signature match.";
    RestoreRestoring = "restore.restoring", "`pg_restore` was started.";
    RestoreFinalizing = "restore.finalizing", "`pg_restore` ended well; the restore machine cleans up.";
    RestoreCompleted = "restore.completed", "The restore is done.";
    RestoreFailed = "restore.failed", "The restore failed; the payload says why and whether a retry may help.";
    RestoreCancelled = "restore.cancelled", "The restore was interrupted on the restore machine.";
    RestoreTimedOut = "restore.timed_out", "The restore machine fell silent and the job was sealed.";
    RestoreTokenRejected = "restore.token_rejected", "A token was presented and refused.";
    OrganizationCreated = "organization.created", "The organization was created.";
    ApiKeyIssued = "api_key.issued", "An API key was issued.";
    ApiKeyRevoked = "api_key.revoked", "An API key was revoked.";
    DestinationCreated = "destination.created", "A destination was added.";
    DestinationUpdated = "destination.updated", "A destination was changed.";
    DestinationVerified = "destination.verified", "Preflight passed: the destination takes backups.";
    DestinationPreflightFailed = "destination.preflight_failed", "Preflight failed: the destination takes no backups.";
    DestinationDeleted = "destination.deleted", "A destination was removed.";
    DatabaseCreated = "database.created", "A protected database was added.";
    DatabaseUpdated = "database.updated", "A protected database was changed.";
    DatabaseDeleted = "database.deleted", "A protected database was removed; its backups stay in the bucket.";
    ScheduleRunSkipped = "schedule.run_skipped", "A scheduled run was not queued, because the backup before it was still under way.";
    DestinationUploadsAborted = "destination.uploads_aborted", "Unfinished uploads that no backup needs any more were given up in the bucket.";
    AuditAnomalyDetected = "audit.anomaly_detected", "An audit chain of the organization does not hold; the payload says which, and where.";
    InventoryFindingDetected = "inventory.finding_detected", "Schedule, chains, manifests and bucket do not agree; the payload says in what.";
    SecretsResealed = "secrets.resealed", "Stored secrets were sealed again, with the newest sealing key.";
    SigningKeyRotated = "signing_key.rotated", "One signing key follows another; both signed the statement.";
    SigningKeyRevoked = "signing_key.revoked", "A signing key is to be trusted no longer; the payload is the signed statement.";
    EvidenceExported = "evidence.exported", "The evidence of a backup was downloaded as one archive.";
}

/// STUB
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub enum StreamKind {
    Backup,
    Restore,
    Organization,
}
/// STUB
#[allow(missing_docs)]
pub mod lifecycle {
    /// # Errors
    /// STUB
    pub fn possible(_: super::StreamKind, _: impl IntoIterator<Item = super::EventKind>) -> Result<(), String> {
        Ok(())
    }
}
/// One link of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    /// What there is to know about it. Never data content, never a secret.
    #[schemars(with = "serde_json::Map<String, Value>")]
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
