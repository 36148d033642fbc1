//! The manifest of a completed backup as the store keeps it: whether it is what was recorded, and signed.

use serde::Deserialize;
use serde_json::Value;
use walwarden_contract::manifest::{self, Manifest};
use walwarden_contract::model::ProofStatus;

use crate::secrets::Keyring;
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

/// A key that this server does not have proves nothing, for or against.
pub(crate) fn check_signature(document: &Value, keyring: &Keyring) -> (ProofStatus, Result<Manifest, String>) {
    if document["keyId"].as_str().is_some_and(|key_id| key_id != keyring.key_id()) {
        let read = Manifest::deserialize(document).map_err(|_| "The stored manifest cannot be read.".to_owned());
        return (ProofStatus::NotVerifiable, read);
    }
    let verified = manifest::verify(document, keyring.verifying_key());
    let status = if verified.is_ok() { ProofStatus::Passed } else { ProofStatus::Failed };
    (status, verified.map_err(|error| format!("The stored manifest does not hold: {error}.")))
}

/// The stored manifest of a completed backup, when everything about it holds and this server's key signed it.
///
/// # Errors
/// What does not hold.
pub(crate) fn stored_manifest(job: &BackupJob, keyring: &Keyring) -> Result<Manifest, String> {
    let document: Value = serde_json::from_str(job.manifest.as_deref().unwrap_or_default()).unwrap_or_default();
    check_record(job, &document)?;
    match check_signature(&document, keyring) {
        (ProofStatus::NotVerifiable, Ok(_)) => Err("The stored manifest was signed by another key.".to_owned()),
        (_, manifest) => manifest,
    }
}
