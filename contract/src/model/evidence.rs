//! Evidence of backups: the signed manifest, what was verified, the audit chain, and whether a restore proved it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bundle::RecoverabilityState;
use crate::id::{BackupJobId, DatabaseId, RestoreJobId};
use crate::manifest::ManifestEncryption;
use crate::open::Open;
use crate::time::Timestamp;

/// What there is to show for one completed backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// The hash of the manifest.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// The signed manifest, byte for byte what the bucket holds.
    #[schemars(with = "crate::manifest::Manifest")]
    pub manifest: Value,
    /// The key that signed it.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
    /// How far the backup is proven: `completed`, `verified` or `drilled`. Only the last says that it was restored.
    pub recoverability: Open<RecoverabilityState>,
    /// What was checked before the backup was called completed, and is checked again whenever it is shown.
    pub integrity_verification: IntegrityVerification,
    /// The age of the data in this backup, in minutes, rounded up.
    pub rpo_minutes: u64,
    /// The lock on the artifact.
    pub lock: LockProof,
    /// How the bucket encrypts the artifact, as read back when the backup was completed; null where the destination did not ask
    /// for it, or the stored manifest does not hold.
    pub encryption: Option<ManifestEncryption>,
    /// Whether a restore of this backup was completed.
    pub drill: DrillProof,
    /// When the backup was deleted from the bucket, because its database keeps backups no longer.
    pub expired_at: Option<Timestamp>,
    /// The job's audit chain, oldest event first.
    #[schemars(with = "Vec<crate::audit::AuditEvent>")]
    pub audit_events: Vec<Value>,
}

/// Evidence of one completed backup, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSummary {
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The database.
    pub database_id: DatabaseId,
    /// When the backup was completed.
    pub completed_at: Timestamp,
    /// What was dumped.
    pub artifact: EvidenceArtifact,
    /// What wrote it; null when the stored manifest cannot be read.
    pub source: Option<EvidenceSource>,
    /// The hash of the manifest.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// The key that signed it.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
    /// How far the backup is proven: `completed`, `verified` or `drilled`. Only the last says that it was restored.
    pub recoverability: Open<RecoverabilityState>,
    /// What was checked before the backup was called completed; manifest hash and signature are checked again here.
    pub integrity_verification: IntegrityVerification,
    /// The age of the data in this backup, in minutes, rounded up.
    pub rpo_minutes: u64,
    /// The lock on the artifact.
    pub lock: LockProof,
    /// How the bucket encrypts the artifact, as read back when the backup was completed; null where the destination did not ask
    /// for it, or the stored manifest does not hold.
    pub encryption: Option<ManifestEncryption>,
    /// Whether a restore of this backup was completed.
    pub drill: DrillProof,
}

/// The artifact that evidence speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceArtifact {
    /// Its length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
}

/// The versions that wrote an artifact, as its signed manifest names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSource {
    /// The source server's version.
    pub postgres_version: String,
    /// The version of the `pg_dump` that wrote it: no older `pg_restore` is sure to read it.
    pub pg_dump_version: String,
}

/// A page of evidence, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceList {
    /// The page.
    pub evidence: Vec<EvidenceSummary>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}

/// Which page of evidence, and of which database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceQuery {
    /// Only evidence of this database's backups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_id: Option<DatabaseId>,
    /// At most this many items, 1 to 200; 50 when absent.
    #[schemars(range(min = 1, max = 200), extend("default" = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `nextCursor` of the page before.
    #[schemars(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// As of which checkpoint evidence is exported. The same backup as of the same checkpoint is the same bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportEvidenceQuery {
    /// The size of the checkpoint that the archive is as of; the newest when absent.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// The size of a checkpoint that somebody kept: the archive proves that its log begins with that one. From the sixteen
    /// checkpoints before its own it is proven without being asked.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<u64>,
}

/// A check of an artifact against its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntegrityVerification {
    /// How it ended.
    pub result: Open<IntegrityResult>,
    /// What was checked.
    pub checks: Vec<String>,
    /// When the artifact and the manifest were read back.
    pub verified_at: Timestamp,
    /// The program that read them back, with its version; null in older records.
    pub verified_by: Option<String>,
    /// What does not hold, when the result is `failed`.
    pub failure: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegrityResult {
    /// Everything matched.
    Passed,
    /// Something that matched when the backup was completed does not match now.
    Failed,
    /// Nothing contradicts it, and this server lacks the key to check the signature.
    NotVerifiable,
}

/// The lock on an artifact, as read back from the bucket when the backup was completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockProof {
    /// Whether the lock holds now.
    pub status: Open<LockStatus>,
    /// `none`, `governance` or `compliance`.
    #[schemars(with = "super::LockMode")]
    pub mode: String,
    /// Until when the object cannot be deleted; null without a lock.
    pub retain_until: Option<Timestamp>,
}

/// Whether a lock holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LockStatus {
    /// It does.
    Locked,
    /// It did, until its date.
    Expired,
    /// There never was one.
    NotLocked,
}

/// Whether a restore of a backup was completed. A completed restore is the only proof of recoverability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrillProof {
    /// What is known.
    pub status: Open<DrillStatus>,
    /// The restore that was completed last.
    pub restore_job_id: Option<RestoreJobId>,
    /// When it was completed.
    pub finished_at: Option<Timestamp>,
}

/// Whether a backup was ever restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DrillStatus {
    /// A restore of this backup was completed.
    Drilled,
    /// No restore of this backup was completed.
    NotDrilled,
}
