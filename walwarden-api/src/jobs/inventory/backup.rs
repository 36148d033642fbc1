//! One backup on record, held against the objects that the bucket lists for it.

use sha2::{Digest, Sha256};
use walwarden_contract::Timestamp;
use walwarden_contract::manifest::Manifest;
use walwarden_contract::model::{BackupState, InventoryFindingCode as Code, LockMode};

use super::Stop;
use super::findings::Findings;
use super::merging::Comparison;
use super::place::Half;
use crate::engine::backup::{MAX_MANIFEST_BYTES, manifest_key};
use crate::engine::storage::Listed;
use crate::jobs::integrity::disagreement;
use crate::store::StoreError;
use crate::store::backups::BackupJob;
use crate::store::inventory::InventoryRow;
use crate::system::after;

/// How much later than the job's end an object may seem to be written, since the bucket has a clock of its own.
const CLOCKS_MILLIS: i64 = 600_000;

/// Compares one backup.
pub(super) async fn compare(
    of: &Comparison<'_>,
    row: &InventoryRow,
    objects: Vec<(Half, Listed)>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    if let Some(text) = disagreement(&of.keeper.store, &of.keeper.keyring, of.org_id, row.id).await? {
        let key = row.object_key.as_deref().unwrap_or_default();
        findings.add(Code::RecordDisagrees, of.about(row.database_id, row.id, key), text);
    }
    match row.state {
        BackupState::Completed if row.expiring_at.is_none() => kept(of, row, objects, findings).await,
        BackupState::Completed if row.expired_at.is_none() => Ok(()),
        BackupState::Completed | BackupState::FailedTerminal | BackupState::Cancelled => {
            for (_, listed) in objects {
                // What was listed may have been deleted since.
                if of.bucket.head(&listed.key).await?.is_none() {
                    continue;
                }
                let evidence = match row.expired_at {
                    Some(at) => format!("The backup was deleted at {at}, and this object is there."),
                    None => format!("The backup is {}, and this object is there.", row.state.as_str()),
                };
                findings.add(Code::LeftoverObject, of.about(row.database_id, row.id, &listed.key), evidence);
            }
            Ok(())
        }
        // It is on its way: what is there may change at any moment.
        _ => Ok(()),
    }
}

async fn kept(
    of: &Comparison<'_>,
    row: &InventoryRow,
    objects: Vec<(Half, Listed)>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let Some(key) = row.object_key.as_deref() else { return Ok(()) };
    let manifest_key = manifest_key(key);
    let (mut artifact, mut manifest) = (None, None);
    for (half, listed) in objects {
        match half {
            Half::Artifact if listed.key == key => artifact = Some(listed),
            Half::Manifest if listed.key == manifest_key => manifest = Some(listed),
            _ => {
                let evidence = "An object under the name of this backup, where the backup has none.".to_owned();
                findings.add(Code::StrangerObject, of.about(row.database_id, row.id, &listed.key), evidence);
            }
        }
    }
    // What a list leaves out may have come since, or the backup may be on its way out.
    let gone = async |listed: &Option<Listed>, key: &str| {
        Ok::<_, Stop>(listed.is_none() && of.bucket.head(key).await?.is_none())
    };
    let (no_artifact, no_manifest) = (gone(&artifact, key).await?, gone(&manifest, &manifest_key).await?);
    let job = match of.keeper.store.backup(of.org_id, row.id).await {
        Ok(job) if job.is_kept() => job,
        Ok(_) | Err(StoreError::Missing(_) | StoreError::Corrupt(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut add = |code, key: &str, evidence| findings.add(code, of.about(row.database_id, row.id, key), evidence);
    if no_artifact {
        add(Code::MissingArtifact, key, "The bucket has no such object.".to_owned());
    } else if let Some(evidence) = altered(of, &job, key, artifact.as_ref()).await? {
        add(Code::AlteredArtifact, key, evidence);
    }
    if no_manifest {
        add(Code::MissingManifest, &manifest_key, "The bucket has no such object.".to_owned());
    } else if !same_manifest(of, &job, &manifest_key).await? {
        let evidence = "Its bytes are not those that were signed and recorded.".to_owned();
        add(Code::AlteredManifest, &manifest_key, evidence);
    }
    for (key, there) in [(key, !no_artifact), (&*manifest_key, !no_manifest)] {
        if let (true, Some((code, evidence))) = (there, lock(of, &job, key).await?) {
            add(code, key, evidence);
        }
    }
    Ok(())
}

/// Why the artifact in the bucket is not the one on record. Its bytes are read when that was asked for, and when anything about it
/// looks changed: what counts is its hash.
async fn altered(
    of: &Comparison<'_>,
    job: &BackupJob,
    key: &str,
    listed: Option<&Listed>,
) -> Result<Option<String>, Stop> {
    let Some(recorded) = &job.artifact else { return Ok(None) };
    let size_bytes = match listed {
        Some(listed) => listed.size_bytes,
        None => match of.bucket.head(key).await? {
            Some(head) => head.size_bytes,
            None => return Ok(None),
        },
    };
    if size_bytes != recorded.size_bytes {
        return Ok(Some(format!("It has {size_bytes} bytes where the manifest commits to {}.", recorded.size_bytes)));
    }
    if !of.deep && !listed.is_none_or(|listed| looks_changed(listed, recorded.etag.as_deref(), job.finished_at)) {
        return Ok(None);
    }
    let mut hasher = Sha256::new();
    if size_bytes > 0 {
        of.bucket.read_range(key, 0, size_bytes, |piece| hasher.update(piece)).await?;
    }
    let found = hex::encode(hasher.finalize());
    let committed = &recorded.checksum_sha256;
    Ok((found != *committed).then(|| format!("Its SHA-256 is {found} where the manifest commits to {committed}.")))
}

/// Whether the bucket's list gives a reason to read an object again.
fn looks_changed(listed: &Listed, recorded_etag: Option<&str>, finished_at: Option<Timestamp>) -> bool {
    let bare = |etag: &str| etag.trim_matches('"').to_owned();
    let tagged = match (listed.etag.as_deref(), recorded_etag) {
        (Some(found), Some(recorded)) => bare(found) != bare(recorded),
        _ => false,
    };
    let written_later = match (listed.modified_at, finished_at) {
        (Some(modified), Some(finished)) => modified > after(finished, CLOCKS_MILLIS),
        _ => false,
    };
    tagged || written_later
}

async fn same_manifest(of: &Comparison<'_>, job: &BackupJob, key: &str) -> Result<bool, Stop> {
    match of.bucket.head(key).await? {
        Some(head) if head.size_bytes <= MAX_MANIFEST_BYTES as u64 => {}
        _ => return Ok(false),
    }
    let found = of.bucket.read_small(key, MAX_MANIFEST_BYTES).await?;
    Ok(found.as_deref() == job.manifest.as_deref().map(str::as_bytes))
}

/// What is wrong with the lock on an object, while the manifest says that there is one.
async fn lock(of: &Comparison<'_>, job: &BackupJob, key: &str) -> Result<Option<(Code, String)>, Stop> {
    let manifest: Option<Manifest> = job.manifest.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(Manifest { retention, .. }) = manifest else { return Ok(None) };
    let (Ok(mode), Some(until)) = (retention.mode.parse::<LockMode>(), retention.retain_until) else { return Ok(None) };
    if mode == LockMode::None || until <= of.keeper.system.now() {
        return Ok(None);
    }
    let found = of.bucket.lock_on(key, None).await?;
    if found.covers(mode, until) {
        return Ok(None);
    }
    let promised = format!("the manifest says {} until {until}", mode.as_str());
    Ok(Some(match found.retain_until {
        None => (Code::LockMissing, format!("There is no lock, and {promised}.")),
        Some(ends) => (Code::LockShorter, format!("The lock is {} until {ends}, and {promised}.", found.mode.as_str())),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_again_looks_changed_and_what_the_clocks_explain_does_not() {
        let at = |millis| Timestamp::from_millis(1_769_824_800_000 + millis).expect("in range");
        let listed = |etag: &str, modified| Listed {
            key: "k".to_owned(),
            size_bytes: 1,
            etag: Some(etag.to_owned()),
            modified_at: Some(at(modified)),
        };
        assert!(!looks_changed(&listed("\"a\"", 60_000), Some("a"), Some(at(0))));
        assert!(looks_changed(&listed("b", 0), Some("\"a\""), Some(at(0))));
        assert!(looks_changed(&listed("a", CLOCKS_MILLIS + 1), Some("a"), Some(at(0))));
        assert!(!looks_changed(&listed("b", 0), None, Some(at(0))), "older records have no tag");
    }
}
