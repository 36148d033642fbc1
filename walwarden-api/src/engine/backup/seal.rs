//! The end of a backup: complete the upload, read the object back, lock it, sign its manifest and read that back too.

use bytes::Bytes;
use ed25519_dalek::VerifyingKey;
use futures::{TryStreamExt, stream};
use sha2::{Digest, Sha256};
use walwarden_contract::manifest::{
    Manifest, ManifestArtifact, ManifestEncryption, ManifestRetention, ManifestSource, SCHEMA, SignedManifest,
    UnsignedManifest, verify,
};
use walwarden_contract::telemetry::spans;
use walwarden_contract::{ErrorCode, Timestamp};

use super::{BackupError, VERIFIED_BY, manifest_key};
use crate::engine::storage::{
    AskedEncryption, Bucket, LockMode, ObjectHead, Retention, StorageErrorKind, Upload, UploadedPart,
};
use crate::failpoint::{Failpoint, reach};
use crate::secrets::Keyring;
use crate::store::backups::{BackupJob, PendingArtifact, StoredArtifact};
use crate::telemetry::traces::step;

/// How many parts are read back at once.
const READS_IN_FLIGHT: usize = 4;
/// No manifest is longer: 10,000 part checksums take 700 KB.
pub const MAX_MANIFEST_BYTES: usize = 4 << 20;

/// The parts of a closed dump are gone and no object came of them: the dump has to be made afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartsGone;

/// Seals a closed dump. Safe to repeat at any point: it looks before it writes, and never writes twice.
///
/// # Errors
/// Why the backup is not proven; `Ok(Err(PartsGone))` when there is nothing left to seal.
pub async fn seal(
    bucket: &Bucket,
    job: &BackupJob,
    key: &str,
    pending: &PendingArtifact,
    keyring: &Keyring,
) -> Result<Result<crate::jobs::backups::Sealed, PartsGone>, BackupError> {
    if !step(&spans::COMPLETE, place(bucket, key, pending)).await? {
        return Ok(Err(PartsGone));
    }
    reach(Failpoint::AfterCompleteUpload);
    let (head, read) = step(&spans::READ_BACK, prove(bucket, key, pending)).await?;

    let manifest = describe(job, key, pending, read, keyring.key_id());
    let signed = sign(&manifest, keyring).await?;
    let written = write_manifest(bucket, key, &signed, &manifest, keyring.verifying_key(), pending.retain_until);
    step(&spans::MANIFEST, written).await?;
    let manifest_text = String::from_utf8(signed.bytes)
        .map_err(|_| BackupError::new(ErrorCode::InternalError, "the manifest is not UTF-8"))?;
    Ok(Ok(crate::jobs::backups::Sealed {
        artifact: StoredArtifact {
            size_bytes: pending.size_bytes,
            checksum_sha256: pending.checksum_sha256.clone(),
            compression: pending.compression.clone(),
            key_id: manifest.key_id,
            etag: head.etag,
            version_id: head.version_id,
            verified_by: Some(VERIFIED_BY.to_owned()),
        },
        manifest: manifest_text,
        manifest_hash: signed.hash,
    }))
}

/// Makes the object appear under its key, unless an earlier attempt did. Answers whether it is there.
async fn place(bucket: &Bucket, key: &str, pending: &PendingArtifact) -> Result<bool, BackupError> {
    if present(bucket, key, pending).await? {
        return Ok(true);
    }
    let upload = Upload { key: key.to_owned(), id: pending.upload_id.clone() };
    let Err(error) = bucket.complete_upload(&upload, parts(pending)).await else { return Ok(true) };
    // The acknowledgement may be what was lost, not the object.
    if present(bucket, key, pending).await? {
        return Ok(true);
    }
    match error.kind {
        StorageErrorKind::UploadMissing | StorageErrorKind::ObjectMissing => Ok(false),
        _ => Err(error.into()),
    }
}

fn parts(pending: &PendingArtifact) -> Vec<UploadedPart> {
    let crc32s = pending.crc32s.iter().cloned().map(Some).chain(std::iter::repeat(None));
    let parts = (1..).zip(&pending.etags).zip(crc32s);
    parts.map(|((number, etag), crc32)| UploadedPart { number, etag: etag.clone(), crc32 }).collect()
}

async fn present(bucket: &Bucket, key: &str, pending: &PendingArtifact) -> Result<bool, BackupError> {
    match bucket.head(key).await? {
        None => Ok(false),
        Some(head) if head.size_bytes == pending.size_bytes => Ok(true),
        Some(head) => Err(BackupError::new(
            ErrorCode::ArtifactKeyOccupied,
            format!("{key} holds {} bytes where this backup has {}", head.size_bytes, pending.size_bytes),
        )),
    }
}

/// Finds the object as it was sent, and encrypted and locked as it was asked for.
async fn prove(bucket: &Bucket, key: &str, pending: &PendingArtifact) -> Result<(ObjectHead, ReadBack), BackupError> {
    read_back(bucket, key, pending).await?;
    reach(Failpoint::AfterReadBack);
    let head = bucket.head(key).await?.ok_or_else(|| {
        BackupError::new(ErrorCode::ArtifactMismatch, format!("{key} was read back and then was not there"))
    })?;
    let encryption = check_encryption(key, pending, &head)?;
    let retention = bucket.retention(key).await?;
    check_lock(bucket.lock_mode(), pending.retain_until, &retention)?;
    Ok((head, ReadBack { retention, encryption }))
}

/// Reads the whole object back, part by part, and compares each with what was sent.
async fn read_back(bucket: &Bucket, key: &str, pending: &PendingArtifact) -> Result<(), BackupError> {
    let ranges = pending.part_checksums.iter().enumerate().map(|(index, checksum)| {
        let offset = index as u64 * pending.part_size_bytes;
        (offset, pending.part_size_bytes.min(pending.size_bytes.saturating_sub(offset)), checksum.as_str())
    });
    stream::iter(ranges.map(Ok))
        .try_for_each_concurrent(READS_IN_FLIGHT, |(offset, length, expected)| async move {
            let mut hasher = Sha256::new();
            bucket.read_range(key, offset, length, |piece| hasher.update(piece)).await?;
            if hex::encode(hasher.finalize()) == expected {
                return Ok(());
            }
            Err(BackupError::new(
                ErrorCode::ArtifactMismatch,
                format!("{key}: the bytes from {offset} on are not those that were sent"),
            ))
        })
        .await
}

/// The lock must be what was asked for, and hold at least as long.
fn check_lock(mode: LockMode, asked: Option<Timestamp>, found: &Retention) -> Result<(), BackupError> {
    let Some(asked) = asked else { return Ok(()) };
    if found.covers(mode, asked) {
        return Ok(());
    }
    Err(BackupError::new(
        ErrorCode::DestinationLockRefused,
        format!(
            "asked for a {} lock until {asked}, and the bucket tells of {} until {}",
            mode.as_str(),
            found.mode.as_str(),
            found.retain_until.map_or_else(|| "no date".to_owned(), |until| until.to_string())
        ),
    ))
}

/// The object must be encrypted as its upload asked for; the destination may ask for something else by now.
fn check_encryption(
    key: &str,
    pending: &PendingArtifact,
    head: &ObjectHead,
) -> Result<Option<ManifestEncryption>, BackupError> {
    let asked = AskedEncryption { method: pending.encryption, kms_key_id: pending.kms_key_id.clone() };
    asked.proven_by(&head.encryption).map_err(|error| {
        let stays = format!("{}; {key} stays in the bucket without a manifest, and is no backup", error.message);
        BackupError::new(error.code(), stays)
    })
}

/// What the bucket told of the object.
struct ReadBack {
    retention: Retention,
    encryption: Option<ManifestEncryption>,
}

fn describe(job: &BackupJob, key: &str, pending: &PendingArtifact, read: ReadBack, key_id: String) -> Manifest {
    let ReadBack { retention, encryption } = read;
    Manifest {
        schema: SCHEMA.to_owned(),
        backup_job_id: job.id,
        org_id: job.org_id,
        database_id: job.database_id,
        destination_id: job.destination_id,
        artifact: ManifestArtifact {
            key: key.to_owned(),
            size_bytes: pending.size_bytes,
            checksum_sha256: pending.checksum_sha256.clone(),
            format: "custom".to_owned(),
            compression: pending.compression.clone(),
            part_size_bytes: pending.part_size_bytes,
            part_checksums: pending.part_checksums.clone(),
        },
        source: ManifestSource {
            database_name: pending.database_name.clone(),
            postgres_version: pending.postgres_version.clone(),
            pg_dump_version: pending.pg_dump_version.clone(),
        },
        started_at: job.started_at.unwrap_or(pending.finished_at),
        finished_at: pending.finished_at,
        retention: ManifestRetention { mode: retention.mode.as_str().to_owned(), retain_until: retention.retain_until },
        encryption,
        key_id,
    }
}

async fn sign(manifest: &Manifest, keyring: &Keyring) -> Result<SignedManifest, BackupError> {
    let malformed = |error| BackupError::new(ErrorCode::InternalError, format!("cannot write the manifest: {error}"));
    let unsigned = UnsignedManifest::of(manifest).map_err(malformed)?;
    let signature = keyring.sign(unsigned.bytes().to_vec()).await;
    let signature = signature.map_err(|error| BackupError::new(ErrorCode::SigningFailed, error.to_string()))?;
    unsigned.signed(&signature).map_err(malformed)
}

/// When an object was written, as far as this attempt knows.
enum Written {
    Before,
    Now,
}

/// Writes the manifest, last of all objects, and reads it back. One that an earlier attempt wrote must say the same.
async fn write_manifest(
    bucket: &Bucket,
    artifact_key: &str,
    signed: &SignedManifest,
    manifest: &Manifest,
    verifying_key: &VerifyingKey,
    retain_until: Option<Timestamp>,
) -> Result<(), BackupError> {
    let key = manifest_key(artifact_key);
    let written = if bucket.read_small(&key, MAX_MANIFEST_BYTES).await?.is_some() {
        Ok(Written::Before)
    } else {
        let body = Bytes::from(signed.bytes.clone());
        let written = bucket.put_new(&key, body, "application/json", retain_until).await.map(|_| Written::Now);
        reach(Failpoint::AfterManifestWritten);
        written
    };
    // Whatever the bucket answered: what counts is what stands there now.
    let found = bucket.read_small(&key, MAX_MANIFEST_BYTES).await?;
    let Some(found) = found else {
        return Err(written.err().map_or_else(
            || BackupError::new(ErrorCode::ArtifactMismatch, format!("{key} was written and is not there")),
            BackupError::from,
        ));
    };
    let read: Option<Manifest> = serde_json::from_slice(&found)
        .ok()
        .and_then(|document: serde_json::Value| verify(&document, verifying_key).ok());
    if found == signed.bytes && read.as_ref() == Some(manifest) {
        return Ok(());
    }
    if matches!(written, Ok(Written::Now)) {
        return Err(BackupError::new(ErrorCode::ArtifactMismatch, format!("{key} is not returned as it was written")));
    }
    Err(BackupError::new(
        ErrorCode::ArtifactKeyOccupied,
        format!("{key} holds something other than this backup's manifest"),
    ))
}

#[cfg(test)]
mod tests {
    use walwarden_contract::model::Encryption;

    use super::*;

    #[test]
    fn a_lock_that_is_weaker_or_shorter_than_asked_fails_the_backup() {
        let at = |millis| Timestamp::from_millis(millis).expect("in range");
        let found = |mode, until| Retention { mode, retain_until: until };
        let check = |found: &Retention| check_lock(LockMode::Governance, Some(at(86_400_999)), found).is_ok();
        assert!(check(&found(LockMode::Governance, Some(at(86_400_000)))));
        assert!(!check(&found(LockMode::Governance, Some(at(86_399_000)))));
        assert!(!check(&found(LockMode::Governance, None)));
        assert!(!check(&found(LockMode::None, None)));
        assert!(!check(&found(LockMode::Compliance, Some(at(86_400_000)))));
    }

    #[test]
    fn parts_are_completed_with_the_checksums_that_the_bucket_acknowledged() {
        let mut pending = PendingArtifact {
            upload_id: String::new(),
            etags: vec!["a".to_owned(), "b".to_owned()],
            crc32s: vec!["AAAAAA==".to_owned(), "AAAAAQ==".to_owned()],
            part_checksums: Vec::new(),
            part_size_bytes: 1,
            size_bytes: 2,
            checksum_sha256: String::new(),
            compression: String::new(),
            database_name: String::new(),
            postgres_version: String::new(),
            pg_dump_version: String::new(),
            finished_at: Timestamp::from_millis(0).expect("in range"),
            retain_until: None,
            encryption: Encryption::None,
            kms_key_id: None,
        };
        let part = |number, etag: &str, crc32: Option<&str>| UploadedPart {
            number,
            etag: etag.to_owned(),
            crc32: crc32.map(str::to_owned),
        };
        assert_eq!(parts(&pending), [part(1, "a", Some("AAAAAA==")), part(2, "b", Some("AAAAAQ=="))]);
        pending.crc32s.clear();
        assert_eq!(parts(&pending), [part(1, "a", None), part(2, "b", None)]);
    }
}
