//! The files of a bundle, and the shapes of those that are Walwarden's own.

use serde::{Deserialize, Serialize};

use super::Recoverability;
use crate::audit::AuditEvent;
use crate::id::{BackupJobId, DatabaseId, OrgId};
use crate::time::Timestamp;

/// The value of `schema` in the [`INDEX`] of a backup's bundle.
pub const SCHEMA: &str = "walwarden.bundle.v1";
/// The value of `schema` in the [`INDEX`] of a period's export.
pub const EXPORT_SCHEMA: &str = "walwarden.export.v1";
/// The value of `schema` in [`PROOF`].
pub const PROOF_SCHEMA: &str = "walwarden.proof.v1";

/// The signed manifest, byte for byte as it stands in the bucket.
pub const MANIFEST: &str = "manifest.json";
/// The job's audit chain, oldest event first.
pub const AUDIT_EVENTS: &str = "audit_events.json";
/// The chains of the restores of this backup, oldest restore first.
pub const RESTORE_EVENTS: &str = "restore_events.json";
/// The organization's events that speak of signing keys.
pub const KEY_EVENTS: &str = "key_events.json";
/// The organization's whole chain.
pub const ORGANIZATION_EVENTS: &str = "organization_events.json";
/// The signed head of the log that the bundle is as of.
pub const CHECKPOINT: &str = "checkpoint.txt";
/// What ties events and older checkpoints to that head.
pub const PROOF: &str = "proof.json";
/// What is in the bundle, signed.
pub const INDEX: &str = "bundle.json";
/// The dump, when it was asked for.
pub const ARTIFACT: &str = "artifact.dump";
/// Every leaf of the log, one on each line.
pub const LEAVES: &str = "leaves.jsonl";

/// Where the manifest of a backup stands in a period's export.
#[must_use]
pub fn backup_manifest_name(id: BackupJobId) -> String {
    format!("backups/{id}/{MANIFEST}")
}

/// Where the chain of a backup stands in a period's export.
#[must_use]
pub fn backup_events_name(id: BackupJobId) -> String {
    format!("backups/{id}/{AUDIT_EVENTS}")
}

/// Where the chain of a restore stands in a period's export.
#[must_use]
pub fn restore_name(stream: &str) -> String {
    format!("restores/{stream}.json")
}

/// What a bundle is called where it is saved.
#[must_use]
pub fn file_name(backup_job_id: BackupJobId) -> String {
    format!("walwarden-evidence-{backup_job_id}.tgz")
}

/// What a period's export is called where it is saved.
#[must_use]
pub fn export_file_name(scope: &ExportScope, org_id: OrgId) -> String {
    let of = scope.database_id.map_or_else(|| org_id.to_string(), |id| id.to_string());
    let day = |at: Timestamp| at.to_string()[..10].to_owned();
    format!("walwarden-evidence-{of}-{}-{}.tgz", day(scope.from), day(scope.to))
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    pub sha256: String,
}

/// The head of the log that a bundle is as of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogHead {
    /// How many leaves the log had.
    pub size: u64,
    /// The root of the tree over them, lowercase hex.
    pub root_hash: String,
}

/// Where a chain ended. It is signed, so that a chain whose tail is cut off is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamEnd {
    /// Whose chain it is.
    pub stream_id: String,
    /// How many events it had.
    pub events: u64,
    /// The hash of the last one.
    pub head: String,
}

impl StreamEnd {
    /// Where this chain ends; `None` of one without events.
    #[must_use]
    pub fn of(events: &[AuditEvent]) -> Option<Self> {
        let last = events.last()?;
        Some(Self { stream_id: last.job_id.clone(), events: events.len() as u64, head: last.hash.clone() })
    }
}

/// The content of [`INDEX`] in a backup's bundle, without its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleIndex {
    /// [`SCHEMA`].
    pub schema: String,
    /// The organization.
    pub org_id: OrgId,
    /// The database.
    pub database_id: DatabaseId,
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The hash of its manifest.
    pub manifest_hash: String,
    /// What the bundle is as of.
    pub checkpoint: LogHead,
    /// The chain of the backup, and of each restore of it.
    pub streams: Vec<StreamEnd>,
    /// What the evidence amounts to.
    pub recoverability: Recoverability,
    /// The other files, in the order in which they stand in the archive.
    pub files: Vec<BundleFile>,
    /// The key that signs this.
    pub key_id: String,
}

/// What a period's export is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportScope {
    /// The database; null for the whole organization.
    pub database_id: Option<DatabaseId>,
    /// Where the period begins.
    pub from: Timestamp,
    /// Where it ends; this instant is not in it.
    pub to: Timestamp,
}

/// One backup of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedBackup {
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// Its database.
    pub database_id: DatabaseId,
    /// The hash of its manifest.
    pub manifest_hash: String,
    /// What the evidence amounts to.
    pub recoverability: Recoverability,
}

/// The content of [`INDEX`] in a period's export, without its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportIndex {
    /// [`EXPORT_SCHEMA`].
    pub schema: String,
    /// The organization.
    pub org_id: OrgId,
    /// What it is about.
    pub scope: ExportScope,
    /// The backups that were completed in the period, oldest first.
    pub backups: Vec<ExportedBackup>,
    /// What the export is as of.
    pub checkpoint: LogHead,
    /// The chain of each backup, of each restore of one of them, and of the organization.
    pub streams: Vec<StreamEnd>,
    /// The other files, in the order in which they stand in the archive.
    pub files: Vec<BundleFile>,
    /// The key that signs this.
    pub key_id: String,
}

/// The content of [`PROOF`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// [`PROOF_SCHEMA`].
    pub schema: String,
    /// Which log.
    pub origin: String,
    /// How many leaves it had.
    pub size: u64,
    /// For each event of the bundle, in the order in which the events stand in it.
    pub inclusion: Vec<InclusionProof>,
    /// For older checkpoints, smallest first.
    pub consistency: Vec<ConsistencyProof>,
}

/// That an event stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    /// Whose chain the event is in.
    pub stream: String,
    /// Its number in it.
    pub seq: u64,
    /// Its place in the log, from 0.
    pub leaf: u64,
    /// The hashes of RFC 6962, lowercase hex.
    pub path: Vec<String>,
}

/// That the log began with an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    /// How many leaves the older one had.
    pub from: u64,
    /// The hashes of RFC 6962, lowercase hex.
    pub path: Vec<String>,
}
