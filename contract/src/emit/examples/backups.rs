//! Backup jobs.

use super::evidence::{MANIFEST, manifest_artifact};
use super::facts::{DAY, MINUTE, at, backup, database, destination, later_backup};
use crate::error::{ErrorBody, ErrorCode};
use crate::model::{
    AdhocTrigger, AttemptOutcome, Backup, BackupArtifact, BackupAttempt, BackupList, BackupState, BackupTrigger,
    TriggerBackupRequest, TriggeredBackup,
};

const NEXT_CURSOR: &str =
    "MWxpc3REYXRhYmFzZUJhY2t1cHMgZGJfMDE5MjhjM2U1ZjdhN2MzZThkMmI0YTZmOTBjMWUyZDM6MjAyNi0wMS0zMVQwMjow";

pub(super) fn trigger_request() -> TriggerBackupRequest {
    TriggerBackupRequest { trigger: AdhocTrigger::Adhoc }
}

pub(super) fn triggered() -> TriggeredBackup {
    TriggeredBackup { backup_job_id: backup(), database_id: database(), state: BackupState::Queued.into() }
}

fn queued() -> Backup {
    Backup {
        id: backup(),
        database_id: database(),
        destination_id: destination(),
        trigger: BackupTrigger::Adhoc.into(),
        scheduled_for: None,
        state: BackupState::Queued.into(),
        attempt: 0,
        max_attempts: 3,
        attempt_history: Vec::new(),
        not_before: at(0),
        created_at: at(0),
        started_at: None,
        finished_at: None,
        dismissed_at: None,
        artifact: None,
        error: None,
        expiring_at: None,
        expired_at: None,
        expiry_error: None,
    }
}

fn attempt(claimed_at: i64, ended_at: i64, outcome: AttemptOutcome) -> BackupAttempt {
    BackupAttempt {
        attempt: 1,
        worker: "worker-1:4711".to_owned(),
        claimed_at: at(claimed_at),
        ended_at: Some(at(ended_at)),
        outcome: Some(outcome.into()),
        error: None,
        retry_at: None,
    }
}

pub(super) fn completed() -> Backup {
    let artifact = manifest_artifact();
    Backup {
        state: BackupState::Completed.into(),
        attempt: 1,
        attempt_history: vec![attempt(1, 4 * MINUTE, AttemptOutcome::Completed)],
        started_at: Some(at(2)),
        finished_at: Some(at(4 * MINUTE)),
        artifact: Some(BackupArtifact {
            key: artifact.key,
            size_bytes: artifact.size_bytes,
            checksum_sha256: artifact.checksum_sha256,
            compression: artifact.compression,
            manifest_hash: MANIFEST.hash.clone(),
        }),
        ..queued()
    }
}

pub(super) fn expired() -> Backup {
    Backup { expiring_at: Some(at(30 * DAY)), expired_at: Some(at(30 * DAY + 2)), ..completed() }
}

pub(super) fn failed() -> Backup {
    let error =
        ErrorBody::new(ErrorCode::SourceUnreachable, "The source database at db.internal:5432 cannot be reached.");
    Backup {
        id: later_backup(),
        trigger: BackupTrigger::Scheduled.into(),
        state: BackupState::FailedRetryable.into(),
        scheduled_for: Some(at(DAY)),
        attempt: 1,
        attempt_history: vec![BackupAttempt {
            error: Some(error.clone()),
            retry_at: Some(at(DAY + 35)),
            ..attempt(DAY + 1, DAY + 5, AttemptOutcome::Failed)
        }],
        not_before: at(DAY + 35),
        created_at: at(DAY),
        started_at: Some(at(DAY + 2)),
        error: Some(error),
        ..queued()
    }
}

pub(super) fn cancelled() -> Backup {
    Backup {
        state: BackupState::Cancelled.into(),
        attempt: 1,
        attempt_history: vec![attempt(1, 30, AttemptOutcome::Cancelled)],
        started_at: Some(at(2)),
        finished_at: Some(at(30)),
        ..queued()
    }
}

pub(super) fn dismissed() -> Backup {
    let error = "The source database refused the user walwarden or its password.";
    let error = ErrorBody::new(ErrorCode::SourceAuthFailed, error);
    Backup {
        state: BackupState::FailedTerminal.into(),
        attempt_history: vec![BackupAttempt {
            error: Some(error.clone()),
            ..attempt(DAY + 1, DAY + 5, AttemptOutcome::Failed)
        }],
        not_before: at(DAY),
        finished_at: Some(at(DAY + 5)),
        dismissed_at: Some(at(DAY + 20 * MINUTE)),
        error: Some(error),
        ..failed()
    }
}

pub(super) fn list() -> BackupList {
    BackupList { backups: vec![failed(), completed()], next_cursor: Some(NEXT_CURSOR.to_owned()) }
}
