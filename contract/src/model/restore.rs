//! Restore sessions, and what the restore machine and the API say to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorBody, ErrorCode};
use crate::id::{BackupJobId, DatabaseId, RestoreJobId};
use crate::open::Open;
use crate::time::Timestamp;

/// How a restore treats its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestoreMode {
    /// Creates a database and touches nothing that exists.
    NewDatabase,
    /// Drops from the target database what the backup holds too, then loads the backup into it. The rest stays.
    InPlace,
}

impl RestoreMode {
    /// The mode as it stands in JSON, flags and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewDatabase => "new_database",
            Self::InPlace => "in_place",
        }
    }
}

/// Where a restore job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestoreState {
    /// The session is open, its token unused.
    TokenIssued,
    /// The token was used.
    Triggered,
    /// The restore machine holds the job.
    Claimed,
    /// The artifact is on its way.
    Downloading,
    /// The artifact is whole and being verified.
    Verifying,
    /// Artifact hash, manifest hash and signature match.
    ManifestVerified,
    /// `pg_restore` runs.
    Restoring,
    /// `pg_restore` ended well; cleaning up.
    Finalizing,
    /// Done.
    Completed,
    /// Failed in a way that another session may overcome.
    FailedRetryable,
    /// Failed for good.
    FailedTerminal,
    /// Interrupted on the restore machine.
    Cancelled,
    /// The restore machine fell silent.
    TimedOut,
}

impl RestoreState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 13] = [
        Self::TokenIssued,
        Self::Triggered,
        Self::Claimed,
        Self::Downloading,
        Self::Verifying,
        Self::ManifestVerified,
        Self::Restoring,
        Self::Finalizing,
        Self::Completed,
        Self::FailedRetryable,
        Self::FailedTerminal,
        Self::Cancelled,
        Self::TimedOut,
    ];

    /// The state as it stands in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenIssued => "token_issued",
            Self::Triggered => "triggered",
            Self::Claimed => "claimed",
            Self::Downloading => "downloading",
            Self::Verifying => "verifying",
            Self::ManifestVerified => "manifest_verified",
            Self::Restoring => "restoring",
            Self::Finalizing => "finalizing",
            Self::Completed => "completed",
            Self::FailedRetryable => "failed_retryable",
            Self::FailedTerminal => "failed_terminal",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::FailedRetryable | Self::FailedTerminal | Self::Cancelled | Self::TimedOut
        )
    }
}

/// The body of `createRestore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRestoreRequest {
    /// The completed backup to restore from.
    pub backup_job_id: BackupJobId,
    /// How the restore treats its target.
    pub mode: RestoreMode,
    /// Where the restore goes, without any credential: the real DSN stays on the restore machine.
    #[schemars(length(min = 1, max = 512))]
    pub target_redacted_dsn: String,
    /// The database to create, when it is not the one named in the archive.
    #[schemars(length(min = 1, max = 63))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_database: Option<String>,
    /// Required for `in_place`.
    #[serde(default)]
    pub confirm_destructive: bool,
}

/// The answer of `createRestore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreSession {
    /// The restore job.
    pub restore_job_id: RestoreJobId,
    /// The single-use token, to be handed to `walwarden restore` in `WALWARDEN_TOKEN`.
    #[schemars(regex(pattern = crate::pattern::RESTORE_TOKEN))]
    pub token: String,
    /// When the token expires.
    pub token_expires_at: Timestamp,
    /// The manifest to name with `--manifest`.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// `token_issued`.
    pub state: Open<RestoreState>,
}

/// A restore job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// Its identifier.
    pub id: RestoreJobId,
    /// The database whose backup is restored.
    pub database_id: DatabaseId,
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// How the restore treats its target.
    pub mode: Open<RestoreMode>,
    /// Where the restore goes, without any credential.
    pub target_redacted_dsn: String,
    /// The database to create, when it is not the one named in the archive.
    pub created_database: Option<String>,
    /// Where it stands.
    pub state: Open<RestoreState>,
    /// The manifest that the artifact must match.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// When the session was opened.
    pub created_at: Timestamp,
    /// When the job ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<ErrorBody>,
}

/// The body of `triggerRestore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerRestoreRequest {
    /// The manifest that the operator named; it must be the token's.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub manifest_hash: String,
    /// The mode that the operator named; it must be the token's.
    pub mode: RestoreMode,
}

/// The answer of `claimRestore`: what the restore machine needs, and only that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreClaim {
    /// The job.
    pub restore: Restore,
    /// The signed manifest as it stands in the bucket.
    #[schemars(with = "crate::manifest::Manifest")]
    pub manifest: Value,
    /// The key that signed it, SPKI PEM.
    #[schemars(regex(pattern = crate::pattern::PUBLIC_KEY))]
    pub public_key_pem: String,
    /// Where the artifact is read.
    pub download: ArtifactUrl,
    /// Report at least this often, or the job is sealed as timed out. Seconds.
    pub heartbeat_seconds: u32,
}

/// A presigned URL. It is a secret: whoever has it can read the artifact until it expires.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactUrl {
    /// The URL.
    #[schemars(url)]
    pub url: String,
    /// When the bucket stops honouring it.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for ArtifactUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ArtifactUrl").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The body of `reportRestore`: a state that the restore machine has reached. Reporting the current state again is a
/// heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreReport {
    /// The state.
    pub state: RestoreState,
    /// What there is to say about it.
    #[serde(default)]
    pub payload: RestoreReportPayload,
}

/// Facts about a restore that go into the audit chain: no data content, no credential, no free text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreReportPayload {
    /// Bytes downloaded.
    #[schemars(range(max = 18_446_744_073_709_551_615_u64))]
    #[serde(default, deserialize_with = "crate::number::whole", skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// SHA-256 of the bytes as they stand on the restore machine, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_sha256: Option<String>,
    /// The version of `pg_restore`, for example `15.18`.
    #[schemars(regex(pattern = crate::pattern::VERSION))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pg_restore_version: Option<String>,
    /// Errors of `pg_restore` that are known to be harmless.
    #[schemars(range(max = 4_294_967_295_u32))]
    #[serde(default, deserialize_with = "crate::number::whole", skip_serializing_if = "Option::is_none")]
    pub ignored_errors: Option<u32>,
    /// Why the restore failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
}
