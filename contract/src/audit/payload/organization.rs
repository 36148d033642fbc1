//! What the events of an organization say about its databases, its destinations, its chains and its evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Actor;
use crate::audit::schema::as_stored;
use crate::id::{ApiKeyId, BackupJobId, DatabaseId, DestinationId, StreamId};
use crate::model::{DestinationState, FailedCheck, InventoryFindingCode};
use crate::open::Open;
use crate::time::Timestamp;

/// Says what the organization is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "OrganizationCreatedPayload", transform = as_stored)]
pub struct OrganizationCreated {
    /// Its name.
    pub name: String,
}

/// Says how the destination is set from now on. Its credentials are in no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DestinationSettingsPayload", transform = as_stored)]
pub struct DestinationSettings {
    /// The destination.
    pub destination_id: DestinationId,
    /// Its name.
    pub name: String,
    /// Who runs the bucket.
    pub provider: String,
    /// Where the bucket answers; null for the provider's own address.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// How artifacts are locked.
    pub lock_mode: String,
    /// For how many days.
    pub retention_days: u32,
    /// The role that is assumed for it.
    pub role_arn: Option<String>,
    /// How artifacts are encrypted at rest.
    pub encryption: Option<String>,
    /// The key that they are encrypted with.
    pub kms_key_id: Option<String>,
    /// Whether it takes backups.
    pub state: Option<DestinationState>,
    /// The API key that asked for it; null when it was done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}

/// Says what a look at the destination found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DestinationLookPayload", transform = as_stored)]
pub struct DestinationLook {
    /// The destination.
    pub destination_id: DestinationId,
    /// The state that it was in.
    pub from: DestinationState,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// The checks that failed.
    pub failed: Vec<FailedCheck>,
    /// The API key that asked for it; null when it was due, or done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}

/// Says who removed the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DestinationDeletedPayload", transform = as_stored)]
pub struct DestinationDeleted {
    /// The destination.
    pub destination_id: DestinationId,
    /// The API key that asked for it; null when it was done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}

/// Says how the database is set from now on. Its DSN is in no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DatabaseSettingsPayload", transform = as_stored)]
pub struct DatabaseSettings {
    /// The database.
    pub database_id: DatabaseId,
    /// Its name.
    pub name: String,
    /// Where it is, without any credential.
    pub source_redacted_dsn: String,
    /// Where its backups go.
    pub destination_id: DestinationId,
    /// When it is backed up by itself; null when it is not.
    pub schedule: Option<String>,
    /// The compression that is asked for.
    pub codec: String,
    /// For how many days its backups are kept; null for as long as the bucket keeps them.
    pub retention_days: Option<u32>,
    /// The API key that asked for it; null when it was done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}

/// Says who removed the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DatabaseDeletedPayload", transform = as_stored)]
pub struct DatabaseDeleted {
    /// The database.
    pub database_id: DatabaseId,
    /// The API key that asked for it; null when it was done beside the store.
    pub api_key_id: Option<ApiKeyId>,
}

/// Says which run was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ScheduleRunSkippedPayload", transform = as_stored)]
pub struct ScheduleRunSkipped {
    /// The database.
    pub database_id: DatabaseId,
    /// When the run was due.
    pub scheduled_for: Timestamp,
    /// The backup that was under way; null when it had ended meanwhile.
    pub backup_job_id: Option<BackupJobId>,
}

/// Says which uploads were given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "UploadsAbortedPayload", transform = as_stored)]
pub struct UploadsAborted {
    /// The destination.
    pub destination_id: DestinationId,
    /// How many.
    pub uploads: u64,
    /// The keys of the first of them.
    pub keys: Vec<String>,
}

/// Says which chain, or which log, does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AuditAnomalyPayload", transform = as_stored)]
pub struct AuditAnomaly {
    /// Whose chain it is; the organization's own, where it is its log, or a copy of the log's checkpoints.
    pub stream_id: StreamId,
    /// The destination that holds the copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_id: Option<DestinationId>,
    /// Where it breaks.
    pub failure: String,
}

/// Says what was found that was not known before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "InventoryFindingsPayload", transform = as_stored)]
pub struct InventoryFindings {
    /// How many findings are new.
    pub new_findings: u64,
    /// How many there are.
    pub finding_count: u64,
    /// How many of them no report lists.
    pub unlisted_findings: Option<u64>,
    /// The first of the new ones.
    pub findings: Vec<NewFinding>,
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = as_stored)]
pub struct NewFinding {
    /// What it is.
    pub code: Open<InventoryFindingCode>,
    /// The backup that it is about.
    pub backup_job_id: Option<BackupJobId>,
    /// The object that it is about.
    pub key: Option<String>,
}

/// Says what was taken away, and by whom: an API key, or the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EvidenceExportedPayload", transform = as_stored)]
pub struct EvidenceExported {
    /// The backup, of the evidence of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_job_id: Option<BackupJobId>,
    /// The database, of the evidence of a period; left out when it is of the whole organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_id: Option<DatabaseId>,
    /// Where the period begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Where the period ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// How many events the log had at the checkpoint that the evidence is as of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_size: Option<u64>,
    /// SHA-256 of the archive.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_sha256: Option<String>,
    /// The API key that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<ApiKeyId>,
    /// Who asked for it without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}
