//! The inventory: whether schedules, audit chains, signed manifests and buckets agree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BackupJobId, DatabaseId, DestinationId};
use crate::open::Open;
use crate::time::Timestamp;

/// What was found to disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InventoryFindingCode {
    /// The schedule asked for a backup, and there is neither a job nor a failure.
    MissingRun,
    /// A completed backup's artifact is not in the bucket.
    MissingArtifact,
    /// The artifact in the bucket is not the one that the manifest commits to.
    AlteredArtifact,
    /// A completed backup's manifest is not in the bucket.
    MissingManifest,
    /// The manifest in the bucket is not the one that was signed and recorded.
    AlteredManifest,
    /// An object stands among the backups that none of them accounts for.
    StrangerObject,
    /// A backup in the bucket, validly signed, has no record: the store may have been restored from an older copy.
    UnknownBackup,
    /// An object is left of a backup that failed, was cancelled, or was deleted.
    LeftoverObject,
    /// A multipart upload is left that no running backup owns.
    LeftoverUpload,
    /// The manifest says that the object is locked, and it is not.
    LockMissing,
    /// The lock ends before the manifest says, or is of another mode.
    LockShorter,
    /// A job's record, its audit chain and its stored manifest do not agree.
    RecordDisagrees,
    /// The bucket could not be read, so that nothing is known about what is in it.
    BucketUnreadable,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InventorySeverity {
    /// Data or proof is lost, or was tampered with.
    Critical,
    /// Something deserves attention; no completed backup is affected.
    Warning,
}

impl InventoryFindingCode {
    /// Every code.
    pub const ALL: [Self; 13] = [
        Self::MissingRun,
        Self::MissingArtifact,
        Self::AlteredArtifact,
        Self::MissingManifest,
        Self::AlteredManifest,
        Self::StrangerObject,
        Self::UnknownBackup,
        Self::LeftoverObject,
        Self::LeftoverUpload,
        Self::LockMissing,
        Self::LockShorter,
        Self::RecordDisagrees,
        Self::BucketUnreadable,
    ];

    /// The code as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingRun => "missing_run",
            Self::MissingArtifact => "missing_artifact",
            Self::AlteredArtifact => "altered_artifact",
            Self::MissingManifest => "missing_manifest",
            Self::AlteredManifest => "altered_manifest",
            Self::StrangerObject => "stranger_object",
            Self::UnknownBackup => "unknown_backup",
            Self::LeftoverObject => "leftover_object",
            Self::LeftoverUpload => "leftover_upload",
            Self::LockMissing => "lock_missing",
            Self::LockShorter => "lock_shorter",
            Self::RecordDisagrees => "record_disagrees",
            Self::BucketUnreadable => "bucket_unreadable",
        }
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> InventorySeverity {
        match self {
            Self::MissingArtifact
            | Self::AlteredArtifact
            | Self::MissingManifest
            | Self::AlteredManifest
            | Self::LockMissing
            | Self::LockShorter
            | Self::RecordDisagrees => InventorySeverity::Critical,
            Self::MissingRun
            | Self::StrangerObject
            | Self::UnknownBackup
            | Self::LeftoverObject
            | Self::LeftoverUpload
            | Self::BucketUnreadable => InventorySeverity::Warning,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::MissingRun => {
                "Find out whether a worker ran at that time; back the database up now if it has no newer backup."
            }
            Self::MissingArtifact | Self::MissingManifest => {
                "Do not rely on this backup. Look for older versions of the object in the bucket, and for who deleted it; make a new backup."
            }
            Self::AlteredArtifact | Self::AlteredManifest => {
                "Do not restore this backup. Look for the version that was signed among the object's versions, and for who wrote to the bucket; make a new backup."
            }
            Self::StrangerObject => {
                "Find out what wrote it: nothing but this installation should write below this prefix."
            }
            Self::UnknownBackup => {
                "Compare the store with the time of its last restore: the backup is whole and signed, and only its record is missing here."
            }
            Self::LeftoverObject => "It belongs to no backup that can be restored: delete it once its lock has ended.",
            Self::LeftoverUpload => "Abort it, or let a lifecycle rule of the bucket do so after a week.",
            Self::LockMissing | Self::LockShorter => {
                "Find out who changed the lock; set it again by hand, and check who may bypass or shorten retention."
            }
            Self::RecordDisagrees => {
                "Do not rely on this record: compare the chain with evidence that was exported earlier, and the store with its backups."
            }
            Self::BucketUnreadable => {
                "Check the destination with `walwarden-api admin destination preflight`, then reconcile again."
            }
        }
    }
}

/// How a reconciliation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReconciliationResult {
    /// Everything agrees.
    Clean,
    /// No completed backup is affected, and something deserves attention.
    Attention,
    /// Data or proof is lost, or was tampered with.
    Failed,
    /// A bucket could not be read; what was read agrees, or deserves attention only. Or the comparison that was to follow this one
    /// did not end in time: nothing is known since `finishedAt`.
    Incomplete,
}

/// Something that disagrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryFinding {
    /// What it is.
    pub code: Open<InventoryFindingCode>,
    /// How bad it is.
    pub severity: Open<InventorySeverity>,
    /// The database that it is about.
    pub database_id: Option<DatabaseId>,
    /// The destination where it was found.
    pub destination_id: Option<DestinationId>,
    /// The backup that it is about.
    pub backup_job_id: Option<BackupJobId>,
    /// The object that it is about.
    pub key: Option<String>,
    /// What was observed.
    pub evidence: String,
    /// What to do about it.
    pub remedy: String,
}

/// What was compared, and what disagreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconciliationReport {
    /// How it ended.
    pub result: Open<ReconciliationResult>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Whether every artifact was read and hashed, and not only those that looked changed.
    pub deep: bool,
    /// How many schedules were compared with their runs.
    pub schedules: u64,
    /// How many backup jobs were compared.
    pub backups: u64,
    /// How many objects were seen.
    pub objects: u64,
    /// How many findings there are, those included that are not listed.
    pub finding_count: u64,
    /// How many of them are critical.
    pub critical_count: u64,
    /// The findings, at most 200.
    pub findings: Vec<InventoryFinding>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_spelt_as_in_json_and_says_what_to_do() {
        for code in InventoryFindingCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("is text"), code.as_str());
            assert!(code.remedy().ends_with('.'), "{}", code.as_str());
        }
    }
}
