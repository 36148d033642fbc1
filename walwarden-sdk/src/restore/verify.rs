//! What must hold before anything is written to the target: signature, hashes, and that everyone means the same backup.

use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey;
use walwarden_contract::ErrorCode;
use walwarden_contract::manifest::{self, Manifest, ManifestEncryption, ManifestError};
use walwarden_contract::model::RestoreClaim;
use walwarden_contract::token::TokenPayload;

use super::archive::{ArchiveError, ArchiveSummary};
use super::download::Downloaded;
use crate::Error;
use crate::postgres::ToolVersion;

/// Verifies the manifest that came with the claim: signed by the expected key, the one that the operator named, and
/// about the backup that the token and the job are about.
pub(super) fn manifest(
    claim: &RestoreClaim,
    token: &TokenPayload,
    manifest_hash: &str,
    pinned_key_pem: Option<&str>,
) -> Result<Manifest, Error> {
    let key = match pinned_key_pem {
        Some(pem) => pinned_key(pem)?,
        None => VerifyingKey::from_public_key_pem(claim.public_key_pem.trim()).map_err(|_| {
            Error::new(ErrorCode::UnexpectedResponse, "The API named a public key that is not an Ed25519 key.")
        })?,
    };
    let manifest = manifest::verify(&claim.manifest, &key).map_err(|error| {
        let code = match error {
            ManifestError::Unsigned | ManifestError::BadSignature => ErrorCode::ManifestSignatureInvalid,
            _ => ErrorCode::ManifestInvalid,
        };
        Error::new(code, format!("{error}. The target was not touched."))
    })?;
    if manifest.key_id != manifest::key_id(&key) {
        return Err(invalid("the manifest names another key than the one that signed it"));
    }
    let hash = manifest::manifest_hash(&claim.manifest).map_err(|error| invalid(&error.to_string()))?;
    if hash != manifest_hash {
        return Err(invalid("it is not the manifest that --manifest names"));
    }
    let restore = &claim.restore;
    let consistent = [
        (restore.id == token.job_intent_id, "the job is not the token's"),
        (restore.mode == token.mode, "the job's mode is not the token's"),
        (restore.manifest_hash == manifest_hash, "the job is for another manifest"),
        (manifest.backup_job_id == restore.backup_job_id, "the manifest is of another backup"),
        (manifest.database_id == restore.database_id, "the manifest is of another database than the job's"),
        (manifest.database_id == token.database_id, "the manifest is of another database than the token's"),
        (manifest.org_id == token.org_id, "the manifest is of another organization"),
        (manifest.artifact.format == "custom", "the artifact's format is not known to this version"),
        (manifest.artifact.size_bytes > 0, "the artifact is empty"),
        (
            manifest.encryption.as_ref().is_none_or(ManifestEncryption::is_the_buckets),
            "the artifact is encrypted in a way that this version cannot read",
        ),
        (!manifest.source.database_name.is_empty(), "the manifest names no source database"),
    ];
    match consistent.iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(invalid(reason)),
        None => Ok(manifest),
    }
}

/// The key that the operator named.
pub(super) fn pinned_key(pem: &str) -> Result<VerifyingKey, Error> {
    VerifyingKey::from_public_key_pem(pem.trim())
        .map_err(|_| Error::new(ErrorCode::ConfigInvalid, "--pubkey is not an Ed25519 public key in PEM form."))
}

fn invalid(reason: &str) -> Error {
    let message = format!("The manifest is not the one that was asked for: {reason}. The target was not touched.");
    Error::new(ErrorCode::ManifestInvalid, message)
}

/// Compares the downloaded bytes with what the manifest commits to, and asks whether the archive in them is whole.
///
/// An archive version that the parser does not know is no failure: its hash is right, and `pg_restore` may know it.
pub(super) fn artifact(downloaded: &Downloaded, manifest: &Manifest) -> Result<Option<ArchiveSummary>, Error> {
    let expected = &manifest.artifact;
    if downloaded.size_bytes != expected.size_bytes || downloaded.checksum_sha256 != expected.checksum_sha256 {
        let message = format!(
            "The downloaded artifact has {} bytes with SHA-256 {}; the manifest commits to {} bytes with SHA-256 {}. \
             The target was not touched.",
            downloaded.size_bytes, downloaded.checksum_sha256, expected.size_bytes, expected.checksum_sha256
        );
        return Err(Error::new(ErrorCode::ArtifactChecksumMismatch, message));
    }
    match &downloaded.archive {
        Ok(summary) => Ok(Some(summary.clone())),
        Err(ArchiveError::UnsupportedVersion { .. }) => Ok(None),
        Err(error) => Err(Error::new(
            ErrorCode::ArchiveIncomplete,
            format!("The artifact matches its manifest, yet {error}. The target was not touched."),
        )),
    }
}

/// Refuses a `pg_restore` older than the `pg_dump` that wrote the archive: it may not know the archive's version.
pub(super) fn tool_version(pg_restore: &ToolVersion, manifest: &Manifest) -> Result<(), Error> {
    let wrote = &manifest.source.pg_dump_version;
    match leading_number(wrote) {
        Some(major) if pg_restore.major < major => {
            let message = format!(
                "pg_restore is version {pg_restore}; the archive was written by pg_dump {wrote}. Install version \
                 {major} or newer. The target was not touched."
            );
            Err(Error::new(ErrorCode::ToolVersionUnsupported, message))
        }
        _ => Ok(()),
    }
}

/// The major version at the beginning of a version text.
pub(super) fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests;
