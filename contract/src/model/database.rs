//! Protected databases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BackupJobId, DatabaseId, DestinationId};
use crate::model::{SourceCheckMode, SourceCheckSummary};
use crate::open::Open;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A database that Walwarden backs up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Its identifier.
    pub id: DatabaseId,
    /// The name that the operator gave it.
    pub name: String,
    /// Its name on the source server.
    pub database_name: String,
    /// Where it is, without any credential.
    pub source_redacted_dsn: String,
    /// Where its backups go.
    pub destination_id: DestinationId,
    /// Five-field cron expression in UTC; null when it is backed up on demand only.
    pub schedule: Option<String>,
    /// When the schedule next starts a backup.
    pub next_run_at: Option<Timestamp>,
    /// The compression asked for: `auto`, `zstd:<level>`, `gzip:<level>` or `none`.
    #[schemars(regex(pattern = crate::pattern::CODEC))]
    pub codec: String,
    /// For how many days completed backups are kept before Walwarden deletes them from the bucket; null keeps every one.
    #[schemars(range(min = 1, max = 3650))]
    pub retention_days: Option<u32>,
    /// The newest completed backup.
    pub last_backup_job_id: Option<BackupJobId>,
    /// When that backup's dump began: what was written to the database since is not in it.
    pub last_backup_started_at: Option<Timestamp>,
    /// The age of the data in the newest completed backup, in minutes, rounded up; null without one.
    pub rpo_minutes: Option<u64>,
    /// How the age of the newest completed backup compares with the schedule. A failed run changes nothing about it.
    pub freshness: Open<Freshness>,
    /// When the newest completed backup is, or was, older than the schedule promises; null without a schedule or a backup.
    pub stale_at: Option<Timestamp>,
    /// How the source was when it was last looked at; null when it never was.
    pub source_check: Option<SourceCheckSummary>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// How the age of the newest completed backup compares with the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// It is as young as the schedule promises.
    Fresh,
    /// It is older: a run that was due since came to no backup.
    Stale,
    /// There is a backup, and no schedule to compare it with.
    Unscheduled,
    /// There is no completed backup.
    NoBackup,
}

/// A page of databases, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseList {
    /// The page.
    pub databases: Vec<Database>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}

/// The body of `createDatabase`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDatabaseRequest {
    /// A name that no other database has.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Where its backups go.
    pub destination_id: DestinationId,
    /// The source's connection string, naming a database. It is sealed at once, and never shown again.
    pub source_dsn: Secret,
    /// Whether the source is looked at before it is taken; it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_check: Option<SourceCheckMode>,
    /// When to back up: five-field cron expression in UTC.
    #[schemars(length(min = 9, max = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Compression: `auto`, `zstd:1` to `zstd:22`, `gzip:1` to `gzip:9`, `none`; `auto` when absent.
    #[schemars(regex(pattern = crate::pattern::CODEC))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// For how many days completed backups are kept, never fewer than the destination locks them for; every backup is kept
    /// when absent. The newest completed backup always stays.
    #[schemars(range(min = 1, max = 3650))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
}

/// The body of `updateDatabase`: what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateDatabaseRequest {
    /// A name that no other database has.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where its backups go from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_id: Option<DestinationId>,
    /// The source's new connection string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dsn: Option<Secret>,
    /// Whether the new source is looked at before it is taken; it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_check: Option<SourceCheckMode>,
    /// When to back up from now on; an empty text ends the schedule.
    #[schemars(length(max = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The compression from now on.
    #[schemars(regex(pattern = crate::pattern::CODEC))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// For how many days completed backups are kept from now on, those that are there included; 0 keeps every one.
    #[schemars(range(min = 0, max = 3650))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
}
