//! How records are shown: rows of the store as models of the contract.

use std::str::FromStr;

use walwarden_contract::model::{
    Addressing, Backup, BackupArtifact, BackupAttempt, ChecksumMode, Database, Destination, Encryption, Freshness,
    LockMode, Provider, Restore,
};
use walwarden_contract::{ErrorBody, ErrorCode, Timestamp};

use crate::jobs::schedule;
use crate::store::StoreError;
use crate::store::backups::{Attempt, BackupJob};
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

/// How the newest backup of a database compares with its schedule, and when it is, or was, older than that promises.
#[must_use]
pub fn freshness(schedule: Option<&str>, last: Option<LastBackup>, now: Timestamp) -> (Freshness, Option<Timestamp>) {
    let Some(last) = last else { return (Freshness::NoBackup, None) };
    let took = last.finished_at.as_millis().saturating_sub(last.started_at.as_millis());
    match schedule.and_then(|cron| schedule::stale_at(cron, last.started_at, took).ok()) {
        None => (Freshness::Unscheduled, None),
        Some(stale_at) if stale_at <= now => (Freshness::Stale, Some(stale_at)),
        Some(stale_at) => (Freshness::Fresh, Some(stale_at)),
    }
}

/// A database as it is shown.
#[must_use]
pub fn database_view(database: &databases::Database, last: Option<LastBackup>, now: Timestamp) -> Database {
    let (freshness, stale_at) = freshness(database.schedule.as_deref(), last, now);
    Database {
        id: database.id,
        name: database.name.clone(),
        database_name: database.database_name.clone(),
        source_redacted_dsn: database.redacted_dsn.clone(),
        destination_id: database.destination_id,
        schedule: database.schedule.clone(),
        next_run_at: database.next_run_at,
        codec: database.codec.clone(),
        retention_days: database.retention_days,
        last_backup_job_id: last.map(|last| last.id),
        last_backup_started_at: last.map(|last| last.started_at),
        rpo_minutes: last.map(|last| rpo_minutes(last.started_at, now)),
        freshness: freshness.into(),
        stale_at,
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
        encryption: choice::<Encryption>(&destination.encryption, "encryption")?.into(),
        kms_key_id: destination.kms_key_id.clone(),
        role_arn: destination.role.as_ref().map(|role| role.arn.clone()),
        external_id: destination.role.as_ref().map(|role| role.external_id.clone()),
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
        scheduled_for: job.scheduled_for,
        state: job.state().into(),
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        attempt_history: job.attempts.as_slice().iter().map(attempt_view).collect(),
        not_before: job.not_before,
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        dismissed_at: job.dismissed_at,
        artifact,
        error: job.error.as_ref().map(|(code, message)| ErrorBody::new(*code, message.clone())),
        expiring_at: job.expiry.expiring_at,
        expired_at: job.expiry.expired_at,
        expiry_error: job.expiry.error.as_ref().map(|(code, message)| ErrorBody::new(*code, message.clone())),
    }
}

fn attempt_view(attempt: &Attempt) -> BackupAttempt {
    let message = |code: ErrorCode| attempt.message.clone().unwrap_or_else(|| code.meaning().to_owned());
    BackupAttempt {
        attempt: attempt.attempt,
        worker: attempt.worker.clone(),
        claimed_at: attempt.claimed_at,
        ended_at: attempt.ended_at,
        outcome: attempt.outcome.map(Into::into),
        error: attempt.error_code.map(|code| ErrorBody::new(code, message(code))),
        retry_at: attempt.retry_at,
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
    fn a_backup_is_stale_once_the_run_after_it_should_have_become_one() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let id = "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3".parse().expect("an id");
        let (began, ended) = (at("2026-01-31T02:00:00Z"), at("2026-01-31T02:01:00Z"));
        let last = Some(LastBackup { id, started_at: began, finished_at: ended });
        let is = |cron, last, now| freshness(cron, last, at(now)).0;
        assert_eq!(is(Some("0 * * * *"), last, "2026-01-31T03:05:59Z"), Freshness::Fresh);
        assert_eq!(is(Some("0 * * * *"), last, "2026-01-31T03:06:00Z"), Freshness::Stale);
        assert_eq!(is(Some("0 2 * * *"), last, "2026-02-01T02:30:00Z"), Freshness::Fresh);
        assert_eq!(is(None, last, "2027-01-31T03:06:00Z"), Freshness::Unscheduled);
        assert_eq!(is(Some("0 * * * *"), None, "2026-01-31T03:06:00Z"), Freshness::NoBackup);
    }

    #[test]
    fn the_age_of_data_is_rounded_up_and_never_negative() {
        let at = |millis: i64| Timestamp::from_millis(1_769_824_800_000 + millis).expect("in range");
        let cases = [(0, 0), (1, 1), (60_000, 1), (60_001, 2), (3_600_000, 60), (-5, 0)];
        for (age, minutes) in cases {
            assert_eq!(rpo_minutes(at(0), at(age)), minutes, "{age} ms");
        }
    }
}
