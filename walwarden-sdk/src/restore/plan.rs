//! What a restore would do, and the digest that pins it. Pure: whatever had to be found out is handed in.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use walwarden_contract::ErrorCode;
pub use walwarden_contract::model::cli::{
    PinnedMode, PinnedPlan, PinnedTarget, PlannedBackup, PlannedCreation, PlannedDisk, PlannedOptions,
    PlannedOverwrite, PlannedTarget, PlannedTools, RestorePlan,
};
use walwarden_contract::model::{Backup, BackupState, RestoreMode};

use super::options::RestoreOptions;
use super::survey::Survey;
use crate::Error;

/// The value of `schema` in what is pinned.
const SCHEMA: &str = "walwarden.plan.v1";
const DEFAULT_PORT: u16 = 5432;

/// The digest of what a plan pins: SHA-256 of its RFC 8785 JSON, lowercase hex.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "texts, booleans and small integers have a canonical form")]
pub fn plan_digest(pinned: &PinnedPlan) -> String {
    let canonical = serde_json_canonicalizer::to_vec(pinned).expect("texts, booleans and small integers");
    hex::encode(Sha256::digest(canonical))
}

/// A part of what a plan pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanPart {
    /// Server, database, role, a connection parameter, or the database to create.
    Target,
    /// The backup's manifest.
    Manifest,
    /// The mode, or an option that changes the result.
    Mode,
}

impl PlanPart {
    /// What a person calls it.
    const fn describe(self) -> &'static str {
        match self {
            Self::Target => "the target (server, database, role, a connection parameter, or the database to create)",
            Self::Manifest => "the manifest (another backup)",
            Self::Mode => "the mode (or --no-owner, --no-acl, --no-analyze)",
        }
    }
}

/// Which parts of a plan are not as they were when its digest was taken; none when nothing has changed.
///
/// A digest does not tell what it was taken of. Every mode is tried, with the manifest that there is now and with
/// `other_manifests`; when none of them explains the digest, it is the target that differs, perhaps not it alone.
#[must_use]
pub fn changed_parts(digest: &str, now: &PinnedPlan, other_manifests: &[String]) -> Vec<PlanPart> {
    if plan_digest(now) == digest {
        return Vec::new();
    }
    for manifest_hash in std::iter::once(&now.manifest_hash).chain(other_manifests) {
        for mode in modes() {
            // A name for the database to create goes with one mode only, so it may have come or gone with the mode.
            for created_database in [&now.target.created_database, &None] {
                let target = PinnedTarget { created_database: created_database.clone(), ..now.target.clone() };
                let (manifest_hash, mode) = (manifest_hash.clone(), mode.clone());
                let then = PinnedPlan { schema: now.schema.clone(), target, manifest_hash, mode };
                if plan_digest(&then) == digest {
                    return differences(&then, now);
                }
            }
        }
    }
    vec![PlanPart::Target]
}

fn modes() -> impl Iterator<Item = PinnedMode> {
    let modes = [RestoreMode::NewDatabase, RestoreMode::InPlace].into_iter();
    modes.flat_map(|mode| {
        (0..8_u8).map(move |bits| PinnedMode {
            mode,
            no_owner: bits & 1 != 0,
            no_acl: bits & 2 != 0,
            no_analyze: bits & 4 != 0,
        })
    })
}

fn differences(then: &PinnedPlan, now: &PinnedPlan) -> Vec<PlanPart> {
    let other_mode = then.mode.mode != now.mode.mode;
    let parts = [
        (PlanPart::Target, then.target != now.target && !other_mode),
        (PlanPart::Manifest, then.manifest_hash != now.manifest_hash),
        (PlanPart::Mode, then.mode != now.mode),
    ];
    parts.into_iter().filter_map(|(part, differs)| differs.then_some(part)).collect()
}

/// Refuses a plan that is not the one with this digest.
///
/// # Errors
/// `plan_changed`, which says what has changed.
pub fn check_plan(digest: &str, now: &PinnedPlan, other_manifests: &[String]) -> Result<(), Error> {
    let parts = changed_parts(digest, now, other_manifests);
    if parts.is_empty() {
        return Ok(());
    }
    let mut message = String::from("This is not what the plan has pinned: ");
    for (index, part) in parts.iter().enumerate() {
        let _ = write!(message, "{}{}", if index == 0 { "" } else { " and " }, part.describe());
    }
    message.push_str(if parts.len() == 1 { " differs." } else { " differ." });
    if parts == [PlanPart::Target] {
        message.push_str(" More may differ, too: a digest tells only so much.");
    }
    Err(Error::new(ErrorCode::PlanChanged, message))
}

/// What is pinned of a restore of this manifest.
pub(super) fn pin(
    options: &RestoreOptions,
    survey: &Survey,
    system_identifier: Option<String>,
    manifest_hash: &str,
) -> PinnedPlan {
    let target = PinnedTarget {
        redacted_dsn: options.target.redacted(),
        connection_sha256: hex::encode(Sha256::digest(options.target.without_password())),
        user: survey.user.clone(),
        current_user: survey.current_user.clone(),
        database: survey.database.clone(),
        database_oid: survey.database_oid,
        system_identifier,
        created_database: options.created_database.clone(),
    };
    let left_out = options.leave_out;
    let mode =
        PinnedMode { mode: options.mode, no_owner: left_out.owner, no_acl: left_out.acl, no_analyze: left_out.analyze };
    PinnedPlan { schema: SCHEMA.to_owned(), target, manifest_hash: manifest_hash.to_owned(), mode }
}

/// What of a backup a plan needs; there is nothing to restore of one that is not completed.
pub(super) fn backup(backup: &Backup) -> Result<PlannedBackup, Error> {
    if backup.expiring_at.is_some() {
        let message = format!("Backup {} was deleted from the bucket: there is nothing left to restore.", backup.id);
        return Err(Error::new(ErrorCode::BackupExpired, message));
    }
    let artifact = backup.artifact.as_ref().filter(|_| backup.state == BackupState::Completed).ok_or_else(|| {
        let message = format!("Backup {} is {}: there is nothing proven to restore.", backup.id, backup.state);
        Error::new(ErrorCode::BackupNotRestorable, message)
    })?;
    Ok(PlannedBackup {
        backup_job_id: backup.id,
        database_id: backup.database_id,
        finished_at: backup.finished_at,
        manifest_hash: artifact.manifest_hash.clone(),
        size_bytes: artifact.size_bytes,
        checksum_sha256: artifact.checksum_sha256.clone(),
        compression: artifact.compression.clone(),
    })
}

/// Where the restore would go.
pub(super) fn target(options: &RestoreOptions, survey: &Survey, system_identifier: Option<String>) -> PlannedTarget {
    let first = options.target.hosts().first();
    PlannedTarget {
        redacted_dsn: options.target.redacted(),
        host: first.map(|host| host.name.clone()).filter(|name| !name.is_empty()),
        port: first.and_then(|host| host.port).unwrap_or(DEFAULT_PORT),
        database: survey.database.clone(),
        user: survey.user.clone(),
        server_version: survey.version_text.clone(),
        system_identifier,
        database_oid: survey.database_oid,
    }
}

/// What would be created, or overwritten.
pub(super) fn effect(options: &RestoreOptions, survey: &Survey) -> (Option<PlannedCreation>, Option<PlannedOverwrite>) {
    match options.mode {
        RestoreMode::NewDatabase => (Some(PlannedCreation { database: options.created_database.clone() }), None),
        RestoreMode::InPlace => {
            let overwrite = PlannedOverwrite {
                database: survey.database.clone(),
                tables: survey.tables,
                size_bytes: survey.size_bytes,
                other_sessions: survey.other_sessions,
            };
            (None, Some(overwrite))
        }
    }
}

/// How `pg_restore` would be run.
pub(super) fn options(options: &RestoreOptions) -> PlannedOptions {
    PlannedOptions {
        jobs: options.effective_jobs(),
        no_owner: options.leave_out.owner,
        no_acl: options.leave_out.acl,
        no_analyze: options.leave_out.analyze,
        public_key_pinned: options.public_key_pem.is_some(),
    }
}

/// What is said of a database whose name nobody could tell.
pub(super) const NAME_UNCHECKED: &str = "Whether the target already has a database of the source's name was not \
                                         checked, for the name is not known: it is, before anything is written.";

/// What deserves attention before the restore begins.
pub(super) fn warnings(disk: &PlannedDisk, overwrites: Option<&PlannedOverwrite>) -> Vec<String> {
    let mut warnings = Vec::new();
    if disk.free_bytes < disk.needed_bytes {
        warnings.push(format!(
            "The artifact needs {} bytes in {}, where {} are free: the restore would be refused.",
            disk.needed_bytes, disk.directory, disk.free_bytes
        ));
    }
    if let Some(overwrite) = overwrites.filter(|overwrite| overwrite.other_sessions > 0) {
        let PlannedOverwrite { database, other_sessions, .. } = overwrite;
        let sessions = if *other_sessions == 1 { "session" } else { "sessions" };
        warnings.push(format!(
            "{other_sessions} other {sessions} of {database:?} may hold locks that pg_restore has to wait for."
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
