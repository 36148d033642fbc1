//! What was found at the source of a protected database.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::id::DatabaseId;
use crate::open::Open;
use crate::time::Timestamp;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceCheckId {
    /// Who runs the server.
    Provider,
    /// No transaction pooler stands between: through one, `pg_dump` cannot work.
    Pooler,
    /// The Postgres client tools of the machine that looked.
    ClientTools,
    /// A server answers.
    Reachability,
    /// The session is encrypted, and with whom is verified.
    Tls,
    /// The server lets the role in.
    Authentication,
    /// The database is there, and the role may connect to it.
    Database,
    /// `pg_dump` is no older than the server.
    ServerVersion,
    /// The role may use every schema that holds something to dump.
    Schemas,
    /// It may read every table.
    Tables,
    /// It may read every sequence.
    Sequences,
    /// No table hides rows from it.
    RowLevelSecurity,
    /// It may read every large object.
    LargeObjects,
    /// Tables whose data does not survive a crash of the source.
    UnloggedTables,
    /// Extensions, which the target of a restore has to have.
    Extensions,
    /// How large the database is, and what part size and memory follow from it.
    Size,
    /// Roles, which are not in the dump.
    Roles,
    /// Tablespaces, which are not in the dump.
    Tablespaces,
    /// The server does not end sessions that are idle.
    IdleSessionTimeout,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceCheckStatus {
    /// It is as a backup needs it.
    Passed,
    /// Backups work, and somebody should know of it.
    Warning,
    /// Backups cannot work.
    Failed,
    /// It could not be looked at.
    Skipped,
}

impl SourceCheckStatus {
    /// The status as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Who runs a source server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceProvider {
    /// Neon.
    Neon,
    /// Supabase.
    Supabase,
    /// Amazon RDS.
    Rds,
    /// Amazon Aurora.
    Aurora,
    /// Nobody that can be told.
    Postgres,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceCheck {
    /// What was looked at.
    pub id: Open<SourceCheckId>,
    /// How it ended.
    pub status: Open<SourceCheckStatus>,
    /// Why it failed.
    pub code: Option<Open<ErrorCode>>,
    /// What was observed: no data, no credential, and of long lists only the beginning.
    pub evidence: String,
    /// What to do about it, with the exact SQL or command.
    pub remediation: Option<String>,
}

/// What was found at a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceCheckReport {
    /// The database; null when it is not added yet.
    pub database_id: Option<DatabaseId>,
    /// Who runs the server, by its name and by what it says of itself.
    pub provider: Open<SourceProvider>,
    /// `failed` when any check failed; `skipped` when no client tool was there to look with; otherwise `warning` when
    /// there is one, or `passed`.
    pub result: Open<SourceCheckStatus>,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// Every check, always all of them and in the same order.
    pub checks: Vec<SourceCheck>,
}

impl SourceCheckReport {
    /// What is kept of it with the database.
    #[must_use]
    pub fn summary(&self) -> SourceCheckSummary {
        let with = |status: SourceCheckStatus| {
            let found = self.checks.iter().filter(|check| check.status == status);
            found.map(|check| check.id.clone()).collect()
        };
        SourceCheckSummary {
            result: self.result.clone(),
            checked_at: self.checked_at,
            failed: with(SourceCheckStatus::Failed),
            warnings: with(SourceCheckStatus::Warning),
        }
    }
}

/// How a source was when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceCheckSummary {
    /// The report's result.
    pub result: Open<SourceCheckStatus>,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// The checks that failed.
    pub failed: Vec<Open<SourceCheckId>>,
    /// The checks with a warning.
    pub warnings: Vec<Open<SourceCheckId>>,
}

/// Whether a source is looked at before it is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceCheckMode {
    /// It is, and refused when a check fails.
    #[default]
    Required,
    /// It is not: for servers that only the workers reach.
    Skip,
}
