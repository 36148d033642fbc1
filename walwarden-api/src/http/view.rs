//! How records are shown: rows of the store as models of the contract.

use std::str::FromStr;

use walwarden_contract::model::{
    Addressing, Backup, BackupArtifact, ChecksumMode, Database, Destination, LockMode, Provider, Restore,
};
use walwarden_contract::{ErrorBody, Timestamp};

use crate::store::StoreError;
use crate::store::backups::BackupJob;
use crate::store::databases::{self, LastBackup};
use crate::store::destinations;
use crate::store::restores::RestoreJob;

const MINUTE_MILLIS: u64 = 60_000;

/// How old data is that was read at `started_at`, in minutes, rounded up.
#[must_use]
pub fn rpo_minutes(started_at: Timestamp, now: Timestamp) -> u64 {
    let millis = now.as_millis().saturating_sub(started_at.as_millis());
    u64::try_from(millis).unwrap_or_default().div_ceil(MINUTE_MILLIS)
}

/// A database as it is shown.
#[must_use]
pub fn database_view(database: &databases::Database, last: Option<LastBackup>, now: Timestamp) -> Database {
    Database {
        id: database.id,
        name: database.name.clone(),
        database_name: database.database_name.clone(),
        source_redacted_dsn: database.redacted_dsn.clone(),
        destination_id: database.destination_id,
        schedule: database.schedule.clone(),
        next_run_at: database.next_run_at,
        codec: database.codec.clone(),
        last_backup_job_id: last.map(|last| last.id),
        last_backup_started_at: last.map(|last| last.started_at),
        rpo_minutes: last.map(|last| rpo_minutes(last.started_at, now)),
        source_check: database.source_check.clone(),
        created_at: database.created_at,
    }
}

/// A destination as it is shown: without its credentials.
///
/// # Errors
/// [`StoreError::Corrupt`] when the row holds a choice that this version does not know.
pub fn destination_view(destination: &destinations::Destination) -> Result<Destination, StoreError> {
    fn choice<T: FromStr>(text: &str, what: &'static str) -> Result<T, StoreError> {
        text.parse().map_err(|_| StoreError::Corrupt(what))
    }
    let lock_mode: LockMode = choice(&destination.lock_mode, "lock mode")?;
    Ok(Destination {
        id: destination.id,
        name: destination.name.clone(),
        provider: choice::<Provider>(&destination.provider, "provider")?.into(),
        endpoint: destination.endpoint.clone(),
        region: destination.region.clone(),
        bucket: destination.bucket.clone(),
        addressing: choice::<Addressing>(&destination.addressing, "addressing")?.into(),
        checksum_mode: choice::<ChecksumMode>(&destination.checksum_mode, "checksum mode")?.into(),
        lock_mode: lock_mode.into(),
        retention_floor_days: if lock_mode == LockMode::None { 0 } else { destination.retention_days },
        state: destination.verification.state.into(),
        verified_at: destination.verification.verified_at,
        preflight: destination.verification.preflight.clone(),
        created_at: destination.created_at,
        updated_at: destination.updated_at,
    })
}

/// A backup job as it is shown.
#[must_use]
pub fn backup_view(job: &BackupJob) -> Backup {
    let artifact = match (&job.artifact, &job.object_key, &job.manifest_hash) {
        (Some(artifact), Some(key), Some(manifest_hash)) => Some(BackupArtifact {
            key: key.clone(),
            size_bytes: artifact.size_bytes,
            checksum_sha256: artifact.checksum_sha256.clone(),
            compression: artifact.compression.clone(),
            manifest_hash: manifest_hash.clone(),
        }),
        _ => None,
    };
    Backup {
        id: job.id,
        database_id: job.database_id,
        destination_id: job.destination_id,
        trigger: job.trigger.into(),
        state: job.state().into(),
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        dismissed_at: job.dismissed_at,
        artifact,
        error: job.error.as_ref().map(|(code, message)| ErrorBody::new(*code, message.clone())),
    }
}

/// A restore job as it is shown.
#[must_use]
pub fn restore_view(job: &RestoreJob) -> Restore {
    Restore {
        id: job.id,
        database_id: job.database_id,
        backup_job_id: job.backup_job_id,
        mode: job.mode.into(),
        target_redacted_dsn: job.target_redacted_dsn.clone(),
        created_database: job.created_database.clone(),
        state: job.state().into(),
        manifest_hash: job.manifest_hash.clone(),
        created_at: job.created_at,
        finished_at: job.finished_at,
        error: job.error_code.map(|code| ErrorBody::new(code, code.meaning())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_data_is_rounded_up_and_never_negative() {
        let at = |millis: i64| Timestamp::from_millis(1_769_824_800_000 + millis).expect("in range");
        let cases = [(0, 0), (1, 1), (60_000, 1), (60_001, 2), (3_600_000, 60), (-5, 0)];
        for (age, minutes) in cases {
            assert_eq!(rpo_minutes(at(0), at(age)), minutes, "{age} ms");
        }
    }
}
