//! The kinds of audit events: whose chain they stand in, and the type of what each of them says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payload;
use crate::id::StreamId;

/// Whose chain an event stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// One backup job's.
    Backup,
    /// One restore job's.
    Restore,
    /// An organization's own.
    Organization,
}

impl StreamKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Backup, Self::Restore, Self::Organization];

    /// The kind as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Organization => "organization",
        }
    }
}

impl From<StreamId> for StreamKind {
    fn from(id: StreamId) -> Self {
        match id {
            StreamId::Backup(_) => Self::Backup,
            StreamId::Restore(_) => Self::Restore,
            StreamId::Organization(_) => Self::Organization,
        }
    }
}

macro_rules! event_kinds {
    ($($stream:ident: { $($variant:ident($payload:ident) = $text:literal, $meaning:literal;)* })*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum EventKind {
            $($(
                #[doc = $meaning]
                #[serde(rename = $text)]
                $variant,
            )*)*
        }

        impl EventKind {
            /// Every kind, in the order of a job's life.
            pub const ALL: &'static [Self] = &[$($(Self::$variant),*),*];

            /// The kind as it stands in JSON and in the hash.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $text),*),* }
            }

            /// What it means that one stands in a chain.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $($(Self::$variant => $meaning),*),* }
            }

            /// Whose chain it stands in.
            #[must_use]
            pub const fn stream(self) -> StreamKind {
                match self { $($(Self::$variant => StreamKind::$stream),*),* }
            }

            /// The schema of what it says.
            pub(crate) fn payload_schema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $($(Self::$variant => generator.subschema_for::<payload::$payload>()),*),* }
            }
        }

        /// What happened, and what there is to say about it: no event is written that is not one of these.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload {
            $($(
                #[doc = $meaning]
                $variant(payload::$payload),
            )*)*
        }

        impl Payload {
            /// The kind of the event.
            #[must_use]
            pub const fn kind(&self) -> EventKind {
                match self { $($(Self::$variant(_) => EventKind::$variant),*),* }
            }

            /// What it says, as it stands in the event.
            ///
            /// # Errors
            /// Never, for the types there are.
            pub fn to_value(&self) -> Result<Value, serde_json::Error> {
                match self { $($(Self::$variant(payload) => serde_json::to_value(payload)),*),* }
            }

            /// Reads what an event of this kind says, and nothing that its type does not know.
            ///
            /// # Errors
            /// When it is not what an event of this kind says.
            pub fn read(kind: EventKind, value: &Value) -> Result<Self, serde_json::Error> {
                match kind {
                    $($(EventKind::$variant => payload::$payload::deserialize(value).map(Self::$variant)),*),*
                }
            }
        }
    };
}

event_kinds! {
    Backup: {
        BackupQueued(BackupQueued) = "backup.queued", "The job waits for a worker.";
        BackupClaimed(BackupClaimed) = "backup.claimed", "A worker took the job under a lease.";
        BackupRunning(BackupRunning) = "backup.running", "`pg_dump` was started.";
        BackupFinalizing(BackupFinalizing) = "backup.finalizing", "`pg_dump` exited 0 and its archive is whole; the object is being sealed and read back.";
        BackupCompleted(BackupCompleted) = "backup.completed", "Artifact and signed manifest were read back and match.";
        BackupFailed(BackupFailed) = "backup.failed", "The attempt failed; the payload says why and whether another follows.";
        BackupCancelled(BackupCancelled) = "backup.cancelled", "The job was cancelled.";
        BackupDismissed(BackupDismissed) = "backup.dismissed", "Somebody took note that the job failed for good.";
        RetentionExpiring(RetentionExpiring) = "retention.expiring", "The backup is older than its database keeps backups; its deletion from the bucket begins.";
        RetentionRefused(RetentionRefused) = "retention.refused", "The bucket refused the deletion; the payload says why, and it is tried again later.";
        RetentionDeleted(RetentionDeleted) = "retention.deleted", "Artifact and manifest are deleted from the bucket; this record stays.";
    }
    Restore: {
        RestoreTokenIssued(RestoreTokenIssued) = "restore.token_issued", "A restore session was opened and its token issued.";
        RestoreTriggered(RestoreStep) = "restore.triggered", "The restore machine used the token.";
        RestoreClaimed(RestoreStep) = "restore.claimed", "The restore machine took the job.";
        RestoreDownloading(RestoreStep) = "restore.downloading", "The download from the bucket began.";
        RestoreVerifying(RestoreStep) = "restore.verifying", "The artifact is whole on the restore machine and is being verified.";
        RestoreManifestVerified(RestoreStep) = "restore.manifest_verified", "Artifact hash, manifest hash and signature match.";
        RestoreRestoring(RestoreStep) = "restore.restoring", "`pg_restore` was started.";
        RestoreFinalizing(RestoreStep) = "restore.finalizing", "`pg_restore` ended well; the restore machine cleans up.";
        RestoreCompleted(RestoreStep) = "restore.completed", "The restore is done.";
        RestoreFailed(RestoreStep) = "restore.failed", "The restore failed; the payload says why and whether a retry may help.";
        RestoreCancelled(RestoreStep) = "restore.cancelled", "The restore was interrupted on the restore machine.";
        RestoreTimedOut(RestoreTimedOut) = "restore.timed_out", "The restore machine fell silent and the job was sealed.";
        RestoreTokenRejected(RestoreTokenRejected) = "restore.token_rejected", "A token was presented and refused.";
    }
    Organization: {
        OrganizationCreated(OrganizationCreated) = "organization.created", "The organization was created.";
        ApiKeyIssued(ApiKeyIssued) = "api_key.issued", "An API key was issued.";
        ApiKeyRevoked(ApiKeyRevoked) = "api_key.revoked", "An API key was revoked.";
        DestinationCreated(DestinationSettings) = "destination.created", "A destination was added.";
        DestinationUpdated(DestinationSettings) = "destination.updated", "A destination was changed.";
        DestinationVerified(DestinationLook) = "destination.verified", "Preflight passed: the destination takes backups.";
        DestinationPreflightFailed(DestinationLook) = "destination.preflight_failed", "Preflight failed: the destination takes no backups.";
        DestinationDeleted(DestinationDeleted) = "destination.deleted", "A destination was removed.";
        DatabaseCreated(DatabaseSettings) = "database.created", "A protected database was added.";
        DatabaseUpdated(DatabaseSettings) = "database.updated", "A protected database was changed: its source, destination, schedule or retention.";
        DatabaseDeleted(DatabaseDeleted) = "database.deleted", "A protected database was removed; its backups stay in the bucket.";
        ScheduleRunSkipped(ScheduleRunSkipped) = "schedule.run_skipped", "A scheduled run was not queued, because the backup before it was still under way.";
        DestinationUploadsAborted(UploadsAborted) = "destination.uploads_aborted", "Unfinished uploads that no backup needs any more were given up in the bucket.";
        AuditAnomalyDetected(AuditAnomaly) = "audit.anomaly_detected", "An audit chain of the organization does not hold; the payload says which, and where.";
        InventoryFindingDetected(InventoryFindings) = "inventory.finding_detected", "Schedule, chains, manifests and bucket do not agree; the payload says in what.";
        SecretsResealed(SecretsResealed) = "secrets.resealed", "Stored secrets were sealed again, with the newest sealing key.";
        EvidenceExported(EvidenceExported) = "evidence.exported", "Evidence was taken away as one archive: of a backup, or of a period.";
        SigningKeyRotated(SigningKeyRotated) = "signing_key.rotated", "Another key signs from now on; the payload is a statement that both keys have signed.";
        SigningKeyRevoked(SigningKeyRevoked) = "signing_key.revoked", "A signing key does not count any more from here on; the payload is a statement that the current key has signed.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_spelt_in_json_as_in_the_hash() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok().as_ref().and_then(Value::as_str), Some(kind.as_str()));
            assert!(kind.meaning().ends_with('.'), "{}", kind.as_str());
        }
    }
}
