//! One look at what is due: each backup on its own, so that one that cannot be deleted keeps no other.

use walwarden_contract::BackupJobId;

use super::deletion::{Objects, Stopped};
use super::records::{Marked, Waits, finish, mark, postpone, refuse, take};
use super::{Keeper, Refusal};
use crate::engine::backup::{manifest_key, stored_manifest};
use crate::failpoint::{Failpoint, reach};
use crate::jobs::state::ExpiryState;
use crate::store::backups::BackupJob;
use crate::store::{Result, StoreError};

/// How many newer backups are looked at before an old one is deleted.
const NEWER: u32 = 4;
/// How many backups one look takes on; the next look takes on the rest.
const BATCH: usize = 100;

/// What came of one look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many backups are gone.
    pub deleted: usize,
    /// How many had to be kept for now.
    pub waiting: usize,
    /// How many the bucket refused to let go, or could not be asked about.
    pub refused: usize,
}

/// Looks at every backup whose look is due.
///
/// # Errors
/// When the store fails.
pub async fn look(keeper: &Keeper) -> Result<Looked> {
    let mut looked = Looked::default();
    for _ in 0..BATCH {
        let Some(job) = take(&keeper.store, &keeper.system).await? else { break };
        let id = job.id;
        match expire(keeper, job).await? {
            Ended::Deleted => {
                tracing::info!(backup_job_id = %id, "deleted a backup that is older than its database keeps backups");
                looked.deleted += 1;
            }
            Ended::Waits(waits) => {
                tracing::debug!(backup_job_id = %id, ?waits, "an old backup is kept for now");
                postpone(&keeper.store, &keeper.system, id, waits).await?;
                looked.waiting += 1;
            }
            Ended::Stopped(Stopped { refusal, untouched }) => {
                tracing::warn!(backup_job_id = %id, code = %refusal.code, "cannot delete an old backup: {}", refusal.message);
                refuse(&keeper.store, &keeper.system, id, &refusal, untouched).await?;
                looked.refused += 1;
            }
        }
    }
    Ok(looked)
}

enum Ended {
    Deleted,
    Waits(Waits),
    Stopped(Stopped),
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        // A deletion that had begun is not undone by what could not be looked at.
        Self::Stopped(Stopped { refusal, untouched: false })
    }
}

async fn expire(keeper: &Keeper, job: BackupJob) -> Result<Ended> {
    let bucket = match keeper.bucket(job.org_id, job.destination_id).await? {
        Ok(bucket) => bucket,
        Err(refusal) => return Ok(refusal.into()),
    };
    let job = if job.expiry.state() == ExpiryState::Expiring {
        job
    } else {
        let newer = match newer_proven(keeper, &job).await? {
            Ok(newer) => newer,
            Err(refusal) => return Ok(refusal.into()),
        };
        match Objects::of(&bucket, &job)?.locked_until(keeper).await {
            Ok(None) => {}
            Ok(Some(until)) => return Ok(Ended::Waits(Waits::Locked(until))),
            Err(refusal) => return Ok(refusal.into()),
        }
        match mark(&keeper.store, &keeper.system, job.id, newer).await? {
            Marked::Yes(job) => {
                reach(Failpoint::AfterExpiryMarked);
                *job
            }
            Marked::Not(waits) => return Ok(Ended::Waits(waits)),
        }
    };
    match Objects::of(&bucket, &job)?.delete(keeper.system.now()).await {
        Ok(objects) => {
            reach(Failpoint::BeforeExpiredRecorded);
            finish(&keeper.store, &keeper.system, job.id, &objects).await?;
            Ok(Ended::Deleted)
        }
        Err(stopped) => Ok(Ended::Stopped(stopped)),
    }
}

/// The newest backup of the same database that is newer, whose stored manifest holds, and whose objects are in their bucket.
async fn newer_proven(keeper: &Keeper, job: &BackupJob) -> Result<Result<Option<BackupJobId>, Refusal>> {
    let kept = keeper.store.completed_backups_of(job.org_id, job.database_id, None, None, NEWER).await?;
    for newer in kept.into_iter().filter(|other| other.id > job.id) {
        let Ok(manifest) = stored_manifest(&newer, &keeper.keyring) else { continue };
        let bucket = match keeper.bucket(newer.org_id, newer.destination_id).await? {
            Ok(bucket) => bucket,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let key = newer.object_key.as_deref().ok_or(StoreError::Corrupt("object key"))?;
        let found = match (bucket.head(key).await, bucket.head(&manifest_key(key)).await) {
            (Ok(artifact), Ok(manifest)) => artifact.zip(manifest),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
        };
        if found.is_some_and(|(artifact, _)| artifact.size_bytes == manifest.artifact.size_bytes) {
            return Ok(Ok(Some(newer.id)));
        }
    }
    Ok(Ok(None))
}
