//! Makes bundles. The signature over the index comes from whoever holds the key.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::layout::{
    ARTIFACT, AUDIT_EVENTS, BundleFile, BundleIndex, CHECKPOINT, EXPORT_SCHEMA, ExportIndex, ExportScope,
    ExportedBackup, INDEX, KEY_EVENTS, LogHead, MANIFEST, ORGANIZATION_EVENTS, PROOF, Proof, RESTORE_EVENTS, SCHEMA,
    StreamEnd, backup_events_name, backup_manifest_name, restore_name,
};
use super::{Recoverability, recoverability};
use crate::audit::AuditEvent;
use crate::id::OrgId;
use crate::log::{Checkpoint, SignedCheckpoint};
use crate::manifest::{Manifest, ManifestError, manifest_hash};

/// Why evidence cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The stored manifest is none.
    #[error("the manifest does not hold: {0}")]
    Manifest(#[from] ManifestError),
    /// The stored checkpoint is none.
    #[error(transparent)]
    Checkpoint(#[from] crate::log::CheckpointError),
    /// The chain does not say that the backup was completed with this manifest.
    #[error("the audit chain does not say that a backup with this manifest was completed")]
    NotCompleted,
    /// A document has no canonical form.
    #[error("a document has no canonical form: {0}")]
    Form(#[from] serde_json::Error),
}

/// The evidence of one backup, as of a checkpoint.
pub struct BackupEvidence<'a> {
    /// The signed manifest, byte for byte as it stands in the bucket.
    pub manifest: &'a str,
    /// The job's chain.
    pub events: &'a [AuditEvent],
    /// The chains of its restores, oldest restore first.
    pub restores: &'a [Vec<AuditEvent>],
    /// The organization's events about signing keys.
    pub key_events: &'a [AuditEvent],
    /// The signed note.
    pub checkpoint: &'a str,
    /// One inclusion proof for each of the events above, in their order.
    pub proof: &'a Proof,
    /// Whether the dump follows the index.
    pub with_artifact: bool,
    /// The key that signs the index.
    pub key_id: String,
}

/// One backup of a period.
pub struct PeriodBackup<'a> {
    /// The signed manifest.
    pub manifest: &'a str,
    /// The job's chain.
    pub events: &'a [AuditEvent],
    /// The chains of its restores, oldest restore first.
    pub restores: &'a [Vec<AuditEvent>],
}

/// The evidence of a period, as of a checkpoint.
pub struct PeriodEvidence<'a> {
    /// The organization.
    pub org_id: OrgId,
    /// What the export is about.
    pub scope: ExportScope,
    /// The backups that were completed in the period, oldest first.
    pub backups: &'a [PeriodBackup<'a>],
    /// The organization's whole chain.
    pub organization: &'a [AuditEvent],
    /// The signed note.
    pub checkpoint: &'a str,
    /// One inclusion proof for each event: backups in order, each with its restores; then the organization's.
    pub proof: &'a Proof,
    /// The leaves of the log, described; they follow the index. Only for a whole organization.
    pub leaves: Option<BundleFile>,
    /// The key that signs the index.
    pub key_id: String,
}

/// Files in their order, the index last.
pub type Files = Vec<(String, Vec<u8>)>;

/// A file's name, length and hash.
#[must_use]
pub fn described(name: &str, bytes: &[u8]) -> BundleFile {
    BundleFile { name: name.to_owned(), size_bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
}

fn canonical<T: Serialize>(document: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(&serde_json::to_value(document)?)
}

fn head(checkpoint: &Checkpoint) -> LogHead {
    LogHead { size: checkpoint.size, root_hash: hex::encode(checkpoint.root) }
}

/// A document that waits for its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsigned {
    /// The files before it.
    files: Files,
    name: &'static str,
    document: Value,
}

impl Unsigned {
    /// A document of its own.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn document<T: Serialize>(document: &T) -> Result<Self, serde_json::Error> {
        Ok(Self { files: Vec::new(), name: INDEX, document: serde_json::to_value(document)? })
    }

    /// The bytes that are to be signed: the RFC 8785 form of the document.
    ///
    /// # Errors
    /// When it has no such form.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(&self.document)
    }

    /// The files, the signed document last: in RFC 8785 form, with the signature as its member `signature`.
    ///
    /// # Errors
    /// When it has no such form.
    pub fn signed(mut self, signature: &Signature) -> Result<Files, serde_json::Error> {
        if let Value::Object(object) = &mut self.document {
            object.insert("signature".to_owned(), Value::String(STANDARD.encode(signature.to_bytes())));
        }
        self.files.push((self.name.to_owned(), serde_json_canonicalizer::to_vec(&self.document)?));
        Ok(self.files)
    }
}

fn amounts(
    manifest: &str,
    events: &[AuditEvent],
    restores: &[Vec<AuditEvent>],
) -> Result<(Manifest, String, Recoverability), PackError> {
    let document: Value = serde_json::from_str(manifest)?;
    let hash = manifest_hash(&document)?;
    let manifest: Manifest = serde_json::from_value(document)?;
    let recoverability = recoverability(events, &hash, restores).ok_or(PackError::NotCompleted)?;
    Ok((manifest, hash, recoverability))
}

/// The files of a backup's bundle. A dump follows them, when it was asked for.
///
/// # Errors
/// [`PackError`].
pub fn pack(evidence: &BackupEvidence<'_>) -> Result<Unsigned, PackError> {
    let (manifest, hash, recoverability) = amounts(evidence.manifest, evidence.events, evidence.restores)?;
    let checkpoint = SignedCheckpoint::parse(evidence.checkpoint)?.checkpoint;
    let files: Files = vec![
        (MANIFEST.to_owned(), evidence.manifest.as_bytes().to_vec()),
        (AUDIT_EVENTS.to_owned(), canonical(&evidence.events)?),
        (RESTORE_EVENTS.to_owned(), canonical(&evidence.restores)?),
        (KEY_EVENTS.to_owned(), canonical(&evidence.key_events)?),
        (CHECKPOINT.to_owned(), evidence.checkpoint.as_bytes().to_vec()),
        (PROOF.to_owned(), canonical(evidence.proof)?),
    ];
    let artifact = BundleFile {
        name: ARTIFACT.to_owned(),
        size_bytes: manifest.artifact.size_bytes,
        sha256: manifest.artifact.checksum_sha256.clone(),
    };
    let index = BundleIndex {
        schema: SCHEMA.to_owned(),
        org_id: manifest.org_id,
        database_id: manifest.database_id,
        backup_job_id: manifest.backup_job_id,
        manifest_hash: hash,
        checkpoint: head(&checkpoint),
        streams: ends([evidence.events].into_iter().chain(evidence.restores.iter().map(Vec::as_slice))),
        recoverability,
        files: describe(&files).chain(evidence.with_artifact.then_some(artifact)).collect(),
        key_id: evidence.key_id.clone(),
    };
    Ok(Unsigned { files, name: INDEX, document: serde_json::to_value(&index)? })
}

/// The files of a period's export. The leaves follow them, when they are described.
///
/// # Errors
/// [`PackError`].
pub fn pack_period(evidence: &PeriodEvidence<'_>) -> Result<Unsigned, PackError> {
    let checkpoint = SignedCheckpoint::parse(evidence.checkpoint)?.checkpoint;
    let (mut files, mut backups, mut chains): (Files, _, Vec<&[AuditEvent]>) = (Vec::new(), Vec::new(), Vec::new());
    for backup in evidence.backups {
        let (manifest, manifest_hash, recoverability) = amounts(backup.manifest, backup.events, backup.restores)?;
        let id = manifest.backup_job_id;
        files.push((backup_manifest_name(id), backup.manifest.as_bytes().to_vec()));
        files.push((backup_events_name(id), canonical(&backup.events)?));
        chains.push(backup.events);
        for restore in backup.restores.iter().filter(|chain| !chain.is_empty()) {
            files.push((restore_name(&restore[0].job_id), canonical(restore)?));
            chains.push(restore);
        }
        let database_id = manifest.database_id;
        backups.push(ExportedBackup { backup_job_id: id, database_id, manifest_hash, recoverability });
    }
    chains.push(evidence.organization);
    files.push((ORGANIZATION_EVENTS.to_owned(), canonical(&evidence.organization)?));
    files.push((CHECKPOINT.to_owned(), evidence.checkpoint.as_bytes().to_vec()));
    files.push((PROOF.to_owned(), canonical(evidence.proof)?));
    let index = ExportIndex {
        schema: EXPORT_SCHEMA.to_owned(),
        org_id: evidence.org_id,
        scope: evidence.scope.clone(),
        backups,
        checkpoint: head(&checkpoint),
        streams: ends(chains),
        files: describe(&files).chain(evidence.leaves.clone()).collect(),
        key_id: evidence.key_id.clone(),
    };
    Ok(Unsigned { files, name: INDEX, document: serde_json::to_value(&index)? })
}

fn describe(files: &Files) -> impl Iterator<Item = BundleFile> + '_ {
    files.iter().map(|(name, bytes)| described(name, bytes))
}

fn ends<'a>(chains: impl IntoIterator<Item = &'a [AuditEvent]>) -> Vec<StreamEnd> {
    chains.into_iter().filter_map(StreamEnd::of).collect()
}

/// An archive of files that are held, as bytes.
///
/// # Errors
/// When a name is longer than 100 bytes.
pub fn archive(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut writer = super::Writer::new(Vec::new());
    for (name, bytes) in files {
        writer.add(name, bytes)?;
    }
    writer.finish()
}
