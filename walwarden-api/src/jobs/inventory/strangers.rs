//! Objects of a backup that has no record here: somebody else's, or a record that is lost.

use walwarden_contract::manifest;
use walwarden_contract::model::InventoryFindingCode as Code;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId};

use super::Stop;
use super::findings::Findings;
use super::merging::Comparison;
use super::place::Half;
use crate::engine::backup::MAX_MANIFEST_BYTES;
use crate::engine::storage::Listed;
use crate::secrets::Standing;
use crate::store::StoreError;

/// Says what the objects are, unless their record came while the bucket was read.
pub(super) async fn compare(
    of: &Comparison<'_>,
    database_id: DatabaseId,
    job_id: BackupJobId,
    objects: &[(Half, Listed)],
    findings: &mut Findings,
) -> Result<(), Stop> {
    let elsewhere = match of.keeper.store.backup(of.org_id, job_id).await {
        Ok(job) if job.destination_id == of.destination_id && job.database_id == database_id => return Ok(()),
        Ok(job) if is_same_bucket(of, job.destination_id).await? => return Ok(()),
        Ok(job) => Some(job.destination_id),
        Err(StoreError::Missing(_)) => None,
        Err(StoreError::Corrupt(what)) => {
            let about = of.about(database_id, job_id, &objects[0].1.key);
            findings.add(
                Code::RecordDisagrees,
                about,
                format!("The record of this backup holds an unreadable {what}."),
            );
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if elsewhere.is_none() && is_ours(of, job_id, objects).await? {
        let key = &objects[0].1.key;
        let evidence = "Its manifest is signed by this installation's key, and there is no record of the backup.";
        findings.add(Code::UnknownBackup, of.about(database_id, job_id, key), evidence.to_owned());
        return Ok(());
    }
    for (_, listed) in objects {
        let evidence = match elsewhere {
            Some(id) => format!("The backup of this name is in the destination {id}."),
            None => format!("{} bytes of a backup that has no record and no manifest of ours.", listed.size_bytes),
        };
        findings.add(Code::StrangerObject, of.about(database_id, job_id, &listed.key), evidence);
    }
    Ok(())
}

/// Whether another destination is this bucket too: then its own comparison accounts for its objects.
async fn is_same_bucket(of: &Comparison<'_>, other: DestinationId) -> Result<bool, Stop> {
    let here = of.keeper.store.destination(of.org_id, of.destination_id).await?;
    match of.keeper.store.destination(of.org_id, other).await {
        Ok(there) => Ok((&here.endpoint, &here.bucket) == (&there.endpoint, &there.bucket)),
        Err(StoreError::Missing(_)) => Ok(false),
        // Not to be told: that its record cannot be read is a finding of its own.
        Err(StoreError::Corrupt(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is a manifest of this backup that a key of ours signed which was never revoked, beside an artifact of the size that it names.
async fn is_ours(of: &Comparison<'_>, job_id: BackupJobId, objects: &[(Half, Listed)]) -> Result<bool, Stop> {
    let half = |wanted| objects.iter().find(|(half, _)| *half == wanted).map(|(_, listed)| listed);
    let (Some(artifact), Some(manifest)) = (half(Half::Artifact), half(Half::Manifest)) else { return Ok(false) };
    if manifest.size_bytes > MAX_MANIFEST_BYTES as u64 {
        return Ok(false);
    }
    let Some(bytes) = of.bucket.read_small(&manifest.key, MAX_MANIFEST_BYTES).await? else { return Ok(false) };
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return Ok(false) };
    let keys = of.keeper.keyring.history(&of.keeper.store).await?;
    // Nothing is on record of it: what a revoked key signed may have been made up since.
    let standing = keys.standing(document["keyId"].as_str().unwrap_or_default(), None);
    let Standing::Counts(key) = standing else { return Ok(false) };
    let read = manifest::verify(&document, key);
    Ok(read.is_ok_and(|it| {
        it.backup_job_id == job_id
            && it.org_id == of.org_id
            && it.artifact.key == artifact.key
            && it.artifact.size_bytes == artifact.size_bytes
    }))
}
