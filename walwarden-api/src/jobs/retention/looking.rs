//! One look at what is due: each backup on its own, so that one that cannot be deleted keeps no other.

use walwarden_contract::BackupJobId;

use super::deletion::{Objects, Stopped, is_recorded, same_manifest};
use super::records::{Held, Marked, Waits, finish, mark, postpone, refuse, take};
use super::{Keeper, Refusal};
use crate::engine::backup::{manifest_key, stored_manifest};
use crate::engine::storage::{Bucket, StorageError};
use crate::failpoint::{Failpoint, reach};
use crate::jobs::state::ExpiryState;
use crate::secrets::KeyHistory;
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
        match look_at(keeper, job, &mut looked).await {
            // Somebody else looks at it by now, or its database keeps backups for another time.
            Err(StoreError::LeaseLost) => {
                tracing::debug!(backup_job_id = %id, "the look at an old backup was taken over");
            }
            done => done?,
        }
    }
    Ok(looked)
}

async fn look_at(keeper: &Keeper, job: BackupJob, looked: &mut Looked) -> Result<()> {
    let (Keeper { store, system, .. }, id, held) = (keeper, job.id, Held::of(&job));
    match expire(keeper, job, held).await? {
        Ended::Deleted => {
            tracing::info!(backup_job_id = %id, "deleted a backup that is older than its database keeps backups");
            looked.deleted += 1;
        }
        Ended::Waits(waits) => {
            tracing::debug!(backup_job_id = %id, ?waits, "an old backup is kept for now");
            postpone(store, system, held, waits).await?;
            looked.waiting += 1;
        }
        Ended::Stopped(Stopped { refusal, untouched }) => {
            tracing::warn!(backup_job_id = %id, code = %refusal.code, "cannot delete an old backup: {}", refusal.message);
            refuse(store, system, held, &refusal, untouched).await?;
            looked.refused += 1;
        }
    }
    Ok(())
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

async fn expire(keeper: &Keeper, job: BackupJob, held: Held) -> Result<Ended> {
    let bucket = match keeper.bucket(job.org_id, job.destination_id).await? {
        Ok(bucket) => bucket,
        Err(refusal) => return Ok(refusal.into()),
    };
    let begun_before = job.expiry.state() == ExpiryState::Expiring;
    let job = if begun_before {
        job
    } else {
        let newer = match newer_proven(keeper, &job).await? {
            Ok(newer) => newer,
            Err(refusal) => return Ok(refusal.into()),
        };
        let keys = keeper.keyring.history(&keeper.store).await?;
        match ready(keeper, &keys, &Objects::of(&bucket, &job)?).await {
            Ok(None) => {}
            Ok(Some(waits)) => return Ok(Ended::Waits(waits)),
            Err(refusal) => return Ok(refusal.into()),
        }
        match mark(&keeper.store, &keeper.system, held, newer).await? {
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
            finish(&keeper.store, &keeper.system, held, &objects).await?;
            Ok(Ended::Deleted)
        }
        // What an earlier look deleted, this one does not see.
        Err(Stopped { refusal, untouched }) => {
            Ok(Ended::Stopped(Stopped { refusal, untouched: untouched && !begun_before }))
        }
    }
}

/// Whether a deletion may begin, as far as the bucket tells: both objects are there, and no lock holds them.
async fn ready(keeper: &Keeper, keys: &KeyHistory, objects: &Objects<'_>) -> Result<Option<Waits>, Refusal> {
    let found = objects.find().await?;
    Ok(objects.locked_until(&found, keeper, keys).await?.map(Waits::Locked))
}

/// The newest backup of the same database that is newer, whose stored manifest holds, and whose objects are in their bucket as they
/// were recorded.
async fn newer_proven(keeper: &Keeper, job: &BackupJob) -> Result<Result<Option<BackupJobId>, Refusal>> {
    let kept = keeper.store.completed_backups_of(job.org_id, job.database_id, None, None, NEWER).await?;
    let keys = keeper.keyring.history(&keeper.store).await?;
    for newer in kept.into_iter().filter(|other| other.id > job.id) {
        if stored_manifest(&newer, &keys).is_err() {
            continue;
        }
        let bucket = match keeper.bucket(newer.org_id, newer.destination_id).await? {
            Ok(bucket) => bucket,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match is_there(&bucket, &newer).await {
            Ok(true) => return Ok(Ok(Some(newer.id))),
            Ok(false) => {}
            Err(error) => return Ok(Err(error.into())),
        }
    }
    Ok(Ok(None))
}

/// Whether what stands under a backup's keys, where a restore would look, is what was recorded.
async fn is_there(bucket: &Bucket, job: &BackupJob) -> Result<bool, StorageError> {
    let (Some(key), Some(recorded)) = (job.object_key.as_deref(), &job.artifact) else { return Ok(false) };
    let artifact = bucket.head(key).await?;
    Ok(artifact.is_some_and(|head| is_recorded(&head, recorded))
        && same_manifest(bucket, &manifest_key(key), job).await?)
}
