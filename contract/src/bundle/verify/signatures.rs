//! Who signed what: the keys that are to be trusted, and the signatures of manifests, checkpoint and index.

use ed25519_dalek::VerifyingKey;
use serde_json::Value;

use super::shown::{Backup, Shown};
use super::{Code, Failure};
use crate::audit::{EventKind, event_hash};
use crate::bundle::layout::INDEX;
use crate::bundle::recoverability::completion;
use crate::key::{TrustedKeys, verifies, without};
use crate::manifest::{self, ManifestError, key_id};

/// The keys that are tied to the given one, by the statements that the bundle shows.
pub(super) fn keys(shown: &Shown, given: VerifyingKey) -> Result<TrustedKeys, Failure> {
    let own = shown.org_id.to_string();
    let mut statements = Vec::new();
    for event in &shown.organization {
        if !matches!(event.kind, EventKind::SigningKeyRotated | EventKind::SigningKeyRevoked) {
            if shown.is_export() {
                continue;
            }
            return Err(Code::UnexpectedFile.because(format!("event {} does not speak of signing keys", event.seq)));
        }
        if event.job_id != own {
            return Err(Code::EventOfAnotherChain.because(format!("event {} is not of {own}", event.seq)));
        }
        let hash = event_hash(&event.prev_hash, event.at, &event.job_id, event.kind, &event.payload);
        if hash.ok().as_deref() != Some(event.hash.as_str()) {
            return Err(Code::EventAltered.because(format!("event {} of {own} was changed", event.seq)));
        }
        statements.push((shown.place(&own, event.seq)?, &event.payload));
    }
    let invalid =
        |error| Code::KeyStatementInvalid.because(format!("a statement about signing keys does not hold: {error}"));
    let keys = TrustedKeys::learn(given, &statements).map_err(invalid)?;
    let (newest, _) = keys.newest();
    if shown.key_id == newest {
        return Ok(keys);
    }
    Err(match (keys.get(&shown.key_id), keys.revoked(&shown.key_id)) {
        (_, Some(_)) => Code::KeyRevoked.because(format!("the index is signed by {}, which was revoked", shown.key_id)),
        (Some(_), None) => Code::KeySuperseded.because(format!(
            "the index is signed by {}, which had been handed over to {newest}: restart the processes that still sign with the former \
             key, and export the bundle again",
            shown.key_id
        )),
        (None, None) => untrusted("the index", &shown.key_id, &key_id(&given)),
    })
}

fn untrusted(what: &str, by: &str, given: &str) -> Failure {
    Code::KeyNotTrusted.because(format!(
        "{what} is signed by {by}, and the bundle does not tie that key to {given}, which was given. If the installation's key was \
         rotated since, export the bundle again: then its newest key suffices. An earlier key proves nothing if it was stolen or \
         revoked since"
    ))
}

/// The signature of each manifest, and whether it is about the backup that the index names.
pub(super) fn manifests(shown: &Shown, keys: &TrustedKeys, given: &VerifyingKey) -> Result<(), Failure> {
    shown.backups.iter().try_for_each(|backup| manifest(shown, backup, keys, given))
}

fn manifest(shown: &Shown, backup: &Backup, keys: &TrustedKeys, given: &VerifyingKey) -> Result<(), Failure> {
    let id = backup.id;
    if backup.manifest.get("signature").is_none() {
        return Err(Code::ManifestUnsigned.because(format!("the manifest of {id} is not signed")));
    }
    let Some(key) = keys.get(&backup.key_id) else {
        return Err(untrusted(&format!("the manifest of {id}"), &backup.key_id, &key_id(given)));
    };
    let read = manifest::verify(&backup.manifest, key).map_err(|error| match error {
        ManifestError::Unsigned => Code::ManifestUnsigned.because(format!("the manifest of {id} is not signed")),
        ManifestError::Malformed | ManifestError::Schema(_) => Code::UnknownSchema.because(format!("{error}")),
        ManifestError::BadSignature => Code::ManifestSignatureInvalid
            .because(format!("the manifest of {id} was changed after {} signed it", backup.key_id)),
    })?;
    let claimed = &backup.claimed;
    let of_scope = shown.scope.as_ref().and_then(|scope| scope.database_id).is_none_or(|id| id == read.database_id);
    if (read.backup_job_id, read.org_id, read.database_id) != (id, shown.org_id, claimed.database_id) || !of_scope {
        return Err(
            Code::ManifestOfAnotherBackup.because(format!("the manifest is not about {id} of {}", shown.org_id))
        );
    }
    if manifest::manifest_hash(&backup.manifest).ok().as_deref() != Some(claimed.manifest_hash.as_str()) {
        return Err(
            Code::ManifestHashMismatch.because(format!("the manifest of {id} is not the one that the index names"))
        );
    }
    Ok(())
}

/// The checkpoint's organization and signature, and whether the index speaks of this one.
pub(super) fn checkpoint(shown: &Shown, keys: &TrustedKeys) -> Result<(), Failure> {
    let checkpoint = &shown.checkpoint.checkpoint;
    if checkpoint.org_id != shown.org_id {
        return Err(Code::CheckpointOfAnotherOrganization
            .because(format!("the checkpoint is of {}, not of {}", checkpoint.org_id, shown.org_id)));
    }
    let (newest, key) = keys.newest();
    // A note that carries one false signature of a known key is no note that this log wrote.
    if keys.all().any(|key| shown.checkpoint.signed_by(key) == Some(false)) {
        let message = "the checkpoint was changed after it was signed".to_owned();
        return Err(Code::CheckpointSignatureInvalid.because(message));
    }
    if key.and_then(|key| shown.checkpoint.signed_by(key)).is_none() {
        return Err(Code::CheckpointUnsignedByTrustedKey.because(format!("the checkpoint is not signed by {newest}")));
    }
    if (shown.head.size, &shown.head.root_hash) == (checkpoint.size, &hex::encode(checkpoint.root)) {
        Ok(())
    } else {
        Err(Code::CheckpointRootMismatch.because("the index names another checkpoint than checkpoint.txt"))
    }
}

/// A manifest by a revoked key counts if the log had its completion before the revocation, and it was completed before the time
/// since which the key is not to be trusted.
pub(super) fn revoked(shown: &Shown, keys: &TrustedKeys) -> Result<(), Failure> {
    for backup in &shown.backups {
        let Some(revoked) = keys.revoked(&backup.key_id) else { continue };
        let completed = completion(&backup.events, &backup.claimed.manifest_hash);
        let leaf = completed.map(|event| shown.place(&event.job_id, event.seq)).transpose()?;
        let at = completed.map(|event| event.at);
        let since = revoked.statement.revoked_at;
        if leaf.is_none_or(|leaf| leaf >= revoked.leaf) || at.is_none_or(|at| at >= since) {
            return Err(Code::KeyRevoked.because(format!(
                "the manifest of {} is signed by {}, and was logged after that key had been revoked, or completed after it was not \
                 to be trusted any more ({since})",
                backup.id, backup.key_id
            )));
        }
    }
    Ok(())
}

/// The signature over the index.
pub(super) fn index(shown: &Shown, keys: &TrustedKeys) -> Result<(), Failure> {
    let (newest, key) = keys.newest();
    let signature = shown.index.get("signature").and_then(Value::as_str).unwrap_or_default();
    let bytes = without(&shown.index, "signature").unwrap_or_default();
    if key.is_some_and(|key| verifies(key, &bytes, signature)) {
        Ok(())
    } else {
        Err(Code::IndexSignatureInvalid
            .because(format!("{INDEX} was changed after {newest} signed it, or is not signed")))
    }
}
