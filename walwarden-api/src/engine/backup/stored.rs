//! The manifest of a completed backup as the store keeps it: whether it is what was recorded, and signed.

use serde::Deserialize;
use serde_json::Value;
use walwarden_contract::manifest::{self, Manifest};
use walwarden_contract::model::ProofStatus;

use crate::secrets::{KeyHistory, Standing};
use crate::store::backups::BackupJob;

/// Whether a stored manifest is the one that was recorded, and this backup's.
pub(crate) fn check_record(job: &BackupJob, document: &Value) -> Result<(), &'static str> {
    let hash = manifest::manifest_hash(document).map_err(|_| "The stored manifest cannot be read.")?;
    if job.manifest_hash.as_deref() != Some(hash.as_str()) {
        return Err("The stored manifest does not have the hash that was recorded.");
    }
    let manifest = Manifest::deserialize(document).map_err(|_| "The stored manifest cannot be read.")?;
    if (manifest.org_id, manifest.database_id, manifest.backup_job_id) != (job.org_id, job.database_id, job.id) {
        return Err("The stored manifest is another backup's.");
    }
    let artifact = job.artifact.as_ref().ok_or("There is no record of the artifact.")?;
    let of_manifest = (manifest.artifact.size_bytes, &manifest.artifact.checksum_sha256, &manifest.key_id);
    if (artifact.size_bytes, &artifact.checksum_sha256, &artifact.key_id) != of_manifest {
        return Err("The recorded artifact is not the one that the manifest names.");
    }
    Ok(())
}

/// The key that the manifest names decides. One that is not this installation's proves nothing, for or against; nor does one that was
/// revoked before the backup was on record as completed.
pub(crate) fn check_signature(
    job: &BackupJob,
    document: &Value,
    keys: &KeyHistory,
) -> (ProofStatus, Result<Manifest, String>) {
    let Some(key_id) = document["keyId"].as_str() else {
        return (ProofStatus::Failed, Err("The stored manifest names no key.".to_owned()));
    };
    let (status, key) = match keys.standing(key_id, job.finished_at) {
        Standing::Counts(key) => (ProofStatus::Passed, key),
        Standing::Revoked(key) => (ProofStatus::NotVerifiable, key),
        Standing::Unknown => {
            let read = Manifest::deserialize(document).map_err(|_| "The stored manifest cannot be read.".to_owned());
            return (ProofStatus::NotVerifiable, read);
        }
    };
    match manifest::verify(document, key) {
        Ok(manifest) => (status, Ok(manifest)),
        Err(error) => (ProofStatus::Failed, Err(format!("The stored manifest does not hold: {error}."))),
    }
}

/// The stored manifest of a completed backup, when everything about it holds and a key of this installation signed it.
///
/// # Errors
/// What does not hold.
pub(crate) fn stored_manifest(job: &BackupJob, keys: &KeyHistory) -> Result<Manifest, String> {
    let document: Value = serde_json::from_str(job.manifest.as_deref().unwrap_or_default()).unwrap_or_default();
    check_record(job, &document)?;
    match check_signature(job, &document, keys) {
        (ProofStatus::NotVerifiable, Ok(_)) => {
            Err("The stored manifest was signed by a key that does not count: another's, or a revoked one.".to_owned())
        }
        (_, manifest) => manifest,
    }
}
