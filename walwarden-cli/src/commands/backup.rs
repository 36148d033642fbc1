//! `walwarden backup`

pub(super) mod list;
pub(super) mod status;
pub(super) mod trigger;

use walwarden_contract::model::{Backup, BackupAttempt, BackupState};

use crate::context::command;
use crate::output::view::{Cell, View};
use crate::output::{text, when};

/// A backup job for a person.
pub(super) fn describe(backup: &Backup, view: &View) -> String {
    let mut pairs: Vec<(&str, Cell)> = vec![
        ("backup", backup.id.to_string().into()),
        ("database", backup.database_id.to_string().into()),
        ("destination", backup.destination_id.to_string().into()),
        ("state", Cell::word(&backup.state)),
        ("trigger", backup.trigger.word().into()),
        ("attempt", format!("{} of {}", backup.attempt, backup.max_attempts).into()),
        ("created", view.time(backup.created_at).into()),
        ("scheduled for", view.time_or_dash(backup.scheduled_for).into()),
        ("finished", view.time_or_dash(backup.finished_at).into()),
    ];
    if let (Some(started), Some(finished)) = (backup.started_at, backup.finished_at) {
        let millis = u64::try_from(finished.as_millis() - started.as_millis()).unwrap_or_default();
        pairs.push(("took", when::span(millis / 1000).into()));
    }
    if let Some(artifact) = &backup.artifact {
        pairs.push(("artifact", artifact.key.as_str().into()));
        pairs.push(("size", text::exact_size(artifact.size_bytes).into()));
        pairs.push(("compression", artifact.compression.as_str().into()));
        pairs.push(("sha256", artifact.checksum_sha256.as_str().into()));
        pairs.push(("manifest", artifact.manifest_hash.as_str().into()));
    }
    if let Some(expired) = backup.expired_at {
        pairs.push(("deleted", format!("{}, as its database asks: it cannot be restored", view.time(expired)).into()));
    } else if backup.expiring_at.is_some() {
        pairs.push(("deleted", "being deleted, as its database asks: it cannot be restored".into()));
    }
    if let Some(error) = &backup.expiry_error {
        pairs.push(("not deleted", format!("{} [{}]", error.message, error.code).into()));
    }
    if let Some(error) = &backup.error {
        pairs.push(("error", format!("{} [{}]", error.message, error.code).into()));
        pairs.push(("next", error.next_action.as_str().into()));
    }
    for attempt in backup.attempt_history.iter().filter(|attempt| attempt.error.is_some()) {
        pairs.push(("failed attempt", failed(attempt, view).into()));
    }
    view.fields(&pairs)
}

fn failed(attempt: &BackupAttempt, view: &View) -> String {
    let code = attempt.error.as_ref().map_or_else(String::new, |error| error.code.to_string());
    let next = match attempt.retry_at {
        Some(at) => format!("the next not before {}", view.time(at)),
        None => "none follows".to_owned(),
    };
    format!("{} by {}: [{code}], {next}", attempt.attempt, attempt.worker)
}

/// What one may want to know about a backup next.
fn next_of(backup: &Backup) -> Vec<Vec<String>> {
    let id = backup.id.to_string();
    match backup.state.known() {
        Some(BackupState::Completed) => vec![command(&["evidence", "get", &id])],
        Some(BackupState::FailedTerminal | BackupState::Cancelled) => Vec::new(),
        _ => vec![command(&["backup", "status", &id])],
    }
}
