//! What `restore execute --dry-run` writes: what the restore would do, and what of it can be pinned.

use super::{BackupJobId, DatabaseId, Deserialize, JsonSchema, RestoreExecuteData, RestoreMode, Serialize, Timestamp};

/// `restore execute`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RestoreExecuteOutput {
    /// With `--dry-run`: nothing was done.
    Planned(RestorePlanData),
    /// The restore is done.
    Executed(RestoreExecuteData),
}

/// `restore execute --dry-run`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestorePlanData {
    /// What `--plan` takes: SHA-256 of the RFC 8785 JSON of `plan.pinned`, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub plan_digest: String,
    /// What the restore would do.
    pub plan: RestorePlan,
}

/// What a restore would do. Nothing was opened, used or written to find it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestorePlan {
    /// The backup that would be restored.
    pub backup: PlannedBackup,
    /// How the target would be treated.
    pub mode: RestoreMode,
    /// Where it would go.
    pub target: PlannedTarget,
    /// What would be created; null for `in_place`.
    pub creates: Option<PlannedCreation>,
    /// What would be overwritten; null for `new_database`.
    pub overwrites: Option<PlannedOverwrite>,
    /// How `pg_restore` would be run.
    pub options: PlannedOptions,
    /// The Postgres tools of this machine.
    pub tools: PlannedTools,
    /// Room for the artifact on this machine.
    pub disk: PlannedDisk,
    /// What deserves attention.
    pub warnings: Vec<String>,
    /// What the digest is taken of.
    pub pinned: PinnedPlan,
}

/// The backup that a plan is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedBackup {
    /// The backup job.
    pub backup_job_id: BackupJobId,
    /// The database that was backed up.
    pub database_id: DatabaseId,
    /// When it was completed.
    pub finished_at: Option<Timestamp>,
    /// The manifest that the artifact must match.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// The artifact's length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the artifact, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
    /// The compression inside of the archive.
    pub compression: String,
}

/// Where a restore would go, as it was named and as the server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTarget {
    /// The target as the API learns it: no password, no parameter.
    pub redacted_dsn: String,
    /// The host as it was named, the first of several; null when none was, which means a socket of this machine.
    pub host: Option<String>,
    /// The port, the first of several.
    pub port: u16,
    /// The database connected to: the one to overwrite, or for `new_database` the one to connect to first.
    pub database: String,
    /// The role connected as.
    pub user: String,
    /// The server's version, as it spells it.
    pub server_version: String,
    /// What tells this cluster from every other; null when the role may not read it.
    pub system_identifier: Option<String>,
    /// What tells the database connected to from every other of this cluster.
    pub database_oid: u32,
}

/// What `new_database` would create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedCreation {
    /// The database's name; null when the backup's manifest names it, which is read once the session is open.
    pub database: Option<String>,
}

/// What `in_place` would overwrite, as of now. What the backup does not hold stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedOverwrite {
    /// The database.
    pub database: String,
    /// How many tables it has.
    pub tables: u64,
    /// Its size on the server's disk, in bytes.
    pub size_bytes: u64,
    /// How many other sessions are connected to it.
    pub other_sessions: u64,
}

/// How `pg_restore` would be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct PlannedOptions {
    /// Parallel jobs.
    pub jobs: usize,
    /// Whether everything would be owned by the restoring role.
    pub no_owner: bool,
    /// Whether privileges would be left out.
    pub no_acl: bool,
    /// Whether `ANALYZE` would be left out.
    pub no_analyze: bool,
    /// Whether only one public key is accepted, instead of the one that the API names.
    pub public_key_pinned: bool,
}

/// The versions of the Postgres tools of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTools {
    /// `pg_restore`
    pub pg_restore: String,
    /// `psql`
    pub psql: String,
}

/// Room for the artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedDisk {
    /// Where the artifact would be kept meanwhile.
    pub directory: String,
    /// How many bytes are needed there.
    pub needed_bytes: u64,
    /// How many bytes are free there.
    pub free_bytes: u64,
}

/// What a plan's digest is taken of: what must be the same when the plan is carried out, and nothing that changes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedPlan {
    /// `walwarden.plan.v1`
    pub schema: String,
    /// Where the restore goes.
    pub target: PinnedTarget,
    /// The manifest that the artifact must match.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// How it is done.
    pub mode: PinnedMode,
}

/// Where a restore goes, as far as it is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedTarget {
    /// The target without password and parameters.
    pub redacted_dsn: String,
    /// SHA-256 of the target with its parameters, sorted by name, and without its password; lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub connection_sha256: String,
    /// The role connected as.
    pub user: String,
    /// The role that the session acts as, which a parameter may set.
    pub current_user: String,
    /// The database connected to.
    pub database: String,
    /// That database's object identifier.
    pub database_oid: u32,
    /// The cluster's identifier; null when the role may not read it.
    pub system_identifier: Option<String>,
    /// The database to create, when it is named.
    pub created_database: Option<String>,
}

/// How a restore is done, as far as it changes the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedMode {
    /// How the target is treated.
    pub mode: RestoreMode,
    /// Whether everything is owned by the restoring role.
    pub no_owner: bool,
    /// Whether privileges are left out.
    pub no_acl: bool,
    /// Whether `ANALYZE` is left out.
    pub no_analyze: bool,
}
