//! `walwarden backup`

pub(super) mod list;
pub(super) mod status;
pub(super) mod trigger;

use walwarden_contract::model::{Backup, BackupState};

use crate::context::command;
use crate::output::text;

/// A backup job for a person.
fn describe(backup: &Backup) -> String {
    let mut pairs = vec![
        ("backup", backup.id.to_string()),
        ("database", backup.database_id.to_string()),
        ("state", backup.state.word()),
        ("attempt", format!("{} of {}", backup.attempt, backup.max_attempts)),
        ("created", backup.created_at.to_string()),
        ("finished", text::or_dash(backup.finished_at)),
    ];
    if let Some(artifact) = &backup.artifact {
        pairs.push(("artifact", artifact.key.clone()));
        pairs.push(("size", format!("{} ({} bytes)", text::size(artifact.size_bytes), artifact.size_bytes)));
        pairs.push(("sha256", artifact.checksum_sha256.clone()));
        pairs.push(("manifest", artifact.manifest_hash.clone()));
    }
    if let Some(error) = &backup.error {
        pairs.push(("error", format!("{} [{}]", error.message, error.code)));
    }
    text::fields(&pairs)
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
