//! What could be recovered, to when, and what proves it. Windows follow from completed, verified backups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DrillProof, Freshness, IntegrityResult, LockProof};
use crate::id::{BackupJobId, DatabaseId, DestinationId, WindowId};
use crate::open::Open;
use crate::time::Timestamp;

/// The span of incident times for which one verified backup is the newest that can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryWindow {
    /// Its identifier.
    pub window_id: WindowId,
    /// The database.
    pub database_id: DatabaseId,
    /// The backup that covers it.
    pub backup_job_id: BackupJobId,
    /// The state of the database that a restore gives back: when the dump began.
    pub snapshot_at: Timestamp,
    /// When the dump was whole: from here on it covers what happens.
    pub opens_at: Timestamp,
    /// When the next verified backup took over; null while this one is the newest.
    pub closes_at: Option<Timestamp>,
}

/// How well a database is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recoverability {
    /// There is no verified backup.
    None,
    /// There is a backup whose signature this server cannot check, for want of the key.
    NotVerifiable,
    /// The newest backup is verified; no restore of it was completed.
    Verified,
    /// The newest backup is verified, and a restore of it was completed.
    Drilled,
}

/// What could be recovered of a database, and in whose custody it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoverySummary {
    /// The database.
    pub database_id: DatabaseId,
    /// When this was computed.
    pub evaluated_at: Timestamp,
    /// How well it is covered.
    pub recoverability: Open<Recoverability>,
    /// What would be lost now: the age of the data in the newest verified backup, in minutes, rounded up; null without
    /// one.
    pub rpo_minutes: Option<u64>,
    /// How the age of the newest verified backup compares with the schedule. A failed run changes nothing about it.
    pub freshness: Open<Freshness>,
    /// When the newest verified backup is, or was, older than the schedule promises; null without a schedule or a backup.
    pub stale_at: Option<Timestamp>,
    /// The window of the newest verified backup.
    pub latest_window: Option<RecoveryWindow>,
    /// How many completed backups there are. Checked for this summary were the newest and the oldest.
    pub completed_backups: u64,
    /// The oldest state that can be restored.
    pub oldest_snapshot_at: Option<Timestamp>,
    /// When the schedule next starts a backup.
    pub next_run_at: Option<Timestamp>,
    /// Who holds the newest backup.
    pub custody: Option<Custody>,
}

/// Who holds a backup, and what keeps it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Custody {
    /// The destination whose bucket holds it.
    pub destination_id: DestinationId,
    /// The lock on the artifact.
    pub lock: LockProof,
    /// Whether a restore of it was completed.
    pub drill: DrillProof,
}

/// When the incident happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryCandidateQuery {
    /// When the data was last good: RFC 3339, with a time zone.
    pub incident_time: Timestamp,
}

/// The backup to restore after an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCandidate {
    /// The database.
    pub database_id: DatabaseId,
    /// The incident's time, as asked.
    pub incident_time: Timestamp,
    /// When this was computed.
    pub evaluated_at: Timestamp,
    /// The backup to restore.
    pub backup_job_id: BackupJobId,
    /// The manifest that its artifact must match.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// Whether its manifest and signature hold now.
    pub integrity: Open<IntegrityResult>,
    /// The window that covers the incident's time.
    pub window: RecoveryWindow,
    /// What would be lost: from the snapshot to the incident, in minutes, rounded up.
    pub loss_minutes: u64,
    /// Whether a later backup may yet take over, because the incident's time has not come.
    pub provisional: bool,
    /// The lock on the artifact.
    pub lock: LockProof,
    /// Whether a restore of it was completed.
    pub drill: DrillProof,
}

/// How one part of a proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofStatus {
    /// It was checked and holds.
    Passed,
    /// It was checked and does not hold.
    Failed,
    /// It cannot be checked by this server, for want of a key.
    NotVerifiable,
}

/// What proves that a window can be recovered. Nothing in it tells how or where the artifact is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryWindowProof {
    /// The window.
    pub window: RecoveryWindow,
    /// When this was computed.
    pub evaluated_at: Timestamp,
    /// Whether the stored manifest has the hash that was signed and audited.
    pub manifest: ManifestProof,
    /// Whether the manifest's signature verifies.
    pub signature: SignatureProof,
    /// Whether artifact and manifest were read back from the bucket and matched.
    pub read_back: ReadBackProof,
    /// Whether the job's audit chain is whole.
    pub audit_chain: AuditChainProof,
    /// The lock on the artifact.
    pub lock: LockProof,
    /// Whether a restore of this backup was completed.
    pub drill: DrillProof,
}

/// The manifest's part of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestProof {
    /// How it stands.
    pub status: Open<ProofStatus>,
    /// The hash of the manifest.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
}

/// The signature's part of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignatureProof {
    /// How it stands.
    pub status: Open<ProofStatus>,
    /// The key that signed.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
}

/// The read-back's part of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadBackProof {
    /// How it stands.
    pub status: Open<ProofStatus>,
    /// When it was read back.
    pub verified_at: Timestamp,
}

/// The audit chain's part of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditChainProof {
    /// How it stands.
    pub status: Open<ProofStatus>,
    /// How many events the chain has.
    pub events: u64,
}
