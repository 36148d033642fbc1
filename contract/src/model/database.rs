//! Protected databases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BackupJobId, DatabaseId, DestinationId};
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
    pub codec: String,
    /// The newest completed backup.
    pub last_backup_job_id: Option<BackupJobId>,
    /// When that backup's dump began: what was written to the database since is not in it.
    pub last_backup_started_at: Option<Timestamp>,
    /// The age of the data in the newest completed backup, in minutes, rounded up; null without one.
    pub rpo_minutes: Option<u64>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A page of databases, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseList {
    /// The page.
    pub databases: Vec<Database>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}
