//! What a backup's chain says of its end, held against the record and the signed manifest.

use walwarden_contract::audit::EventKind;
use walwarden_contract::model::{BackupState, ProofStatus};
use walwarden_contract::{BackupJobId, OrgId};

use crate::engine::backup::{check_record, check_signature};
use crate::secrets::{KeyHistory, Keyring};
use crate::store::backups::BackupJob;
use crate::store::{Result, Store, StoreError};

/// What does not agree about the backup whose chain this is; `None` when everything does, as far as the installation's keys can tell.
///
/// # Errors
/// When the store fails.
pub async fn disagreement(store: &Store, keyring: &Keyring, org_id: OrgId, id: BackupJobId) -> Result<Option<String>> {
    // A job that moves on between two reads looks as if it did not agree: only what does not agree twice does not.
    match once(store, keyring, org_id, id).await? {
        None => Ok(None),
        Some(_) => once(store, keyring, org_id, id).await,
    }
}

async fn once(store: &Store, keyring: &Keyring, org_id: OrgId, id: BackupJobId) -> Result<Option<String>> {
    let job = match store.backup(org_id, id).await {
        Err(StoreError::Missing(_)) => {
            return Ok(Some("The chain is about a backup job that has no record.".to_owned()));
        }
        Err(StoreError::Corrupt(what)) => return Ok(Some(format!("The record holds an unreadable {what}."))),
        read => read?,
    };
    of_job(store, keyring, &job).await
}

async fn of_job(store: &Store, keyring: &Keyring, job: &BackupJob) -> Result<Option<String>> {
    let newest = async |kind| match store.newest_event(job.org_id, &job.id.to_string(), kind).await {
        Err(StoreError::Corrupt(_)) => Ok(None),
        read => read,
    };
    let completed = newest(EventKind::BackupCompleted).await?;
    let Some(completed) = completed else {
        let claims = job.state() == BackupState::Completed;
        return Ok(claims.then(|| "The record says completed, and the chain does not.".to_owned()));
    };
    if job.state() != BackupState::Completed {
        return Ok(Some(format!("The chain says completed, and the record says {}.", job.state().as_str())));
    }
    let payload = &completed.payload;
    if payload["manifestHash"].as_str() != job.manifest_hash.as_deref() {
        return Ok(Some("The chain and the record name different manifests.".to_owned()));
    }
    let recorded = job.artifact.as_ref();
    let checksum = recorded.map(|artifact| artifact.checksum_sha256.as_str());
    let size = recorded.map(|artifact| artifact.size_bytes);
    if payload["checksumSha256"].as_str() != checksum || payload["sizeBytes"].as_u64() != size {
        return Ok(Some("The chain and the record name different artifacts.".to_owned()));
    }
    let deleted = newest(EventKind::RetentionDeleted).await?.is_some();
    if deleted != job.expiry.expired_at.is_some() {
        return Ok(Some("The chain and the record do not agree on whether the backup was deleted.".to_owned()));
    }
    Ok(of_manifest(job, &*keyring.history(store).await?))
}

fn of_manifest(job: &BackupJob, keys: &KeyHistory) -> Option<String> {
    let document = serde_json::from_str(job.manifest.as_deref().unwrap_or_default()).unwrap_or_default();
    if let Err(failure) = check_record(job, &document) {
        return Some(failure.to_owned());
    }
    match check_signature(job, &document, keys) {
        (ProofStatus::Failed, Err(failure)) => Some(failure),
        (ProofStatus::Failed, Ok(_)) => Some("The stored manifest's signature does not verify.".to_owned()),
        _ => None,
    }
}
