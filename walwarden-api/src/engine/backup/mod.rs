//! The backup pipeline: look at the source, dump it into parts, seal the object, prove it.

mod codec;
mod dump;
mod seal;
mod source;
mod stored;

use std::io;

use walwarden_contract::{ErrorCode, OrgId, Timestamp};
use walwarden_sdk::postgres::{FailureClass, QueryError, SpawnError, ToolError};

pub use self::codec::{Codec, UnknownCodec};
pub use self::dump::{Dumped, dump};
pub use self::seal::{MAX_MANIFEST_BYTES, PartsGone, seal};
pub(super) use self::source::part_plan;
pub use self::source::{Limits, PartRules, Prepared, prepare};
pub(crate) use self::stored::{check_record, check_signature, stored_manifest};
use super::storage::StorageError;
use crate::store::backups::BackupJob;
use crate::telemetry::traces::Coded;

/// What a worker has found out for itself before a backup is completed: [`dump`] the first two, [`seal`] the others.
pub const CHECKS: [&str; 4] = [
    "pg_dump exited with status 0",
    "the archive was read to its end",
    "the artifact was read back from the bucket and has this SHA-256",
    "the manifest was read back from the bucket and is byte for byte what was signed",
];

/// The program that finds it out, with its version.
pub const VERIFIED_BY: &str = concat!("walwarden-api ", env!("CARGO_PKG_VERSION"));

/// Why an attempt at a backup failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct BackupError {
    /// The catalog's code.
    pub code: ErrorCode,
    /// What happened, without any credential.
    pub message: String,
}

impl BackupError {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The attempt was called off: by a shutdown, or because the lease was lost.
    #[must_use]
    pub fn stopped() -> Self {
        Self::new(ErrorCode::Cancelled, "the attempt was called off")
    }
}

impl Coded for BackupError {
    fn code(&self) -> ErrorCode {
        self.code
    }
}

impl From<StorageError> for BackupError {
    fn from(error: StorageError) -> Self {
        Self::new(error.code(), error.message)
    }
}

impl From<SpawnError> for BackupError {
    fn from(error: SpawnError) -> Self {
        let code = match error {
            SpawnError::DeadlineExceeded { .. } => ErrorCode::Timeout,
            SpawnError::Io { ref source, .. } => code_of_start(source.kind()),
            _ => ErrorCode::ToolMissing,
        };
        Self::new(code, error.to_string())
    }
}

/// A program that is not there stays away; what this machine is short of for a moment comes back.
const fn code_of_start(kind: io::ErrorKind) -> ErrorCode {
    match kind {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => {
            ErrorCode::ToolMissing
        }
        _ => ErrorCode::InternalError,
    }
}

impl From<ToolError> for BackupError {
    fn from(error: ToolError) -> Self {
        match error {
            ToolError::Failed(error) => error.into(),
            error => Self::new(ErrorCode::ToolMissing, error.to_string()),
        }
    }
}

impl From<QueryError> for BackupError {
    fn from(error: QueryError) -> Self {
        Self::from_source(&error)
    }
}

impl BackupError {
    /// What it means that a source gave no answer.
    pub(super) fn from_source(error: &QueryError) -> Self {
        let code = match error {
            QueryError::Unreachable { .. } | QueryError::DeadlineExceeded { .. } => ErrorCode::SourceUnreachable,
            QueryError::TlsFailed { .. } => ErrorCode::SourceTlsFailed,
            QueryError::AuthFailed { .. } => ErrorCode::SourceAuthFailed,
            QueryError::DatabaseMissing { .. } => ErrorCode::SourceDatabaseMissing,
            QueryError::PermissionDenied { .. } => ErrorCode::SourcePermissionDenied,
            QueryError::ToolMissing(_) => ErrorCode::ToolMissing,
            QueryError::Other { class, .. } => code_of(*class),
            _ => ErrorCode::DumpFailed,
        };
        Self::new(code, error.to_string())
    }
}

/// The code for what a tool's stderr says about the source.
const fn code_of(class: FailureClass) -> ErrorCode {
    match class {
        FailureClass::Unreachable => ErrorCode::SourceUnreachable,
        FailureClass::TlsFailed => ErrorCode::SourceTlsFailed,
        FailureClass::DiskFull => ErrorCode::SourceDiskFull,
        FailureClass::DataCorrupted => ErrorCode::SourceDataCorrupted,
        FailureClass::AuthFailed => ErrorCode::SourceAuthFailed,
        FailureClass::PermissionDenied => ErrorCode::SourcePermissionDenied,
        FailureClass::DatabaseMissing => ErrorCode::SourceDatabaseMissing,
        FailureClass::VersionMismatch => ErrorCode::SourceVersionUnsupported,
        FailureClass::ConnectionLost => ErrorCode::SourceConnectionLost,
        FailureClass::LockTimeout => ErrorCode::SourceLockTimeout,
        FailureClass::Changed => ErrorCode::SourceChanged,
        _ => ErrorCode::DumpFailed,
    }
}

/// Where a job's artifact goes. The date is the job's, so that every attempt names the same key.
#[must_use]
pub fn artifact_key(job: &BackupJob) -> String {
    key(job.org_id, &job.database_id.to_string(), job.created_at, &job.id.to_string())
}

fn key(org_id: OrgId, database_id: &str, at: Timestamp, job_id: &str) -> String {
    let day = at.as_jiff().strftime("%Y/%m/%d");
    format!("org/{org_id}/db/{database_id}/backup/{day}/{job_id}.dump")
}

/// Where the manifest of an artifact stands: beside it.
#[must_use]
pub fn manifest_key(artifact_key: &str) -> String {
    let stem = artifact_key.strip_suffix(".dump").unwrap_or(artifact_key);
    format!("{stem}.manifest.json")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn keys_name_owner_database_day_and_job() {
        let at = Timestamp::from_millis(1_769_824_800_000).expect("in range");
        let org = OrgId::from_uuid(Uuid::from_u128(1));
        let key = key(org, "db_x", at, "bkp_y");
        assert_eq!(key, format!("org/{org}/db/db_x/backup/2026/01/31/bkp_y.dump"));
        assert_eq!(manifest_key(&key), format!("org/{org}/db/db_x/backup/2026/01/31/bkp_y.manifest.json"));
    }
}
