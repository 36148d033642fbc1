//! Taking a backup out of its bucket: only what was recorded, by version, artifact first.

use walwarden_contract::{ErrorCode, Timestamp};

use super::records::Deleted;
use super::{Keeper, Refusal};
use crate::engine::backup::{MAX_MANIFEST_BYTES, manifest_key, stored_manifest};
use crate::engine::storage::{Bucket, LockMode, ObjectHead, StorageErrorKind};
use crate::failpoint::{Failpoint, reach};
use crate::store::backups::BackupJob;
use crate::store::{Result, StoreError};

/// How many versions of one key are taken away: it was written once, so that there is one.
const VERSIONS: usize = 4;

/// What was not deleted, and whether anything was.
pub(super) struct Stopped {
    pub(super) refusal: Refusal,
    /// Whether the backup is as whole as before.
    pub(super) untouched: bool,
}

/// Where a backup's objects are, and what they hold.
pub(super) struct Objects<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) job: &'a BackupJob,
    artifact: &'a str,
    manifest: String,
    size_bytes: u64,
}

impl<'a> Objects<'a> {
    pub(super) fn of(bucket: &'a Bucket, job: &'a BackupJob) -> Result<Self> {
        let artifact = job.object_key.as_deref().ok_or(StoreError::Corrupt("object key"))?;
        let recorded = job.artifact.as_ref().ok_or(StoreError::Corrupt("artifact"))?;
        Ok(Self { bucket, job, artifact, manifest: manifest_key(artifact), size_bytes: recorded.size_bytes })
    }

    /// Until when a lock holds either object. What the bucket says counts, not what was asked for.
    pub(super) async fn locked_until(&self, keeper: &Keeper) -> Result<Option<Timestamp>, Refusal> {
        // A key for a destination without locks need not have the right to read any. The bucket knows its locks itself.
        let asked =
            stored_manifest(self.job, &keeper.keyring).is_ok_and(|it| it.retention.mode != LockMode::None.as_str());
        if !asked && self.bucket.lock_mode() == LockMode::None {
            return Ok(None);
        }
        let mut latest = None;
        for key in [self.artifact, &self.manifest] {
            latest = latest.max(self.bucket.lock_on(key).await?.retain_until);
        }
        Ok(latest.filter(|until| *until > keeper.system.now()))
    }

    /// Deletes the artifact, and then the manifest. Safe to repeat at any point.
    pub(super) async fn delete(&self, now: Timestamp) -> Result<[Deleted; 2], Stopped> {
        let artifact = self.delete_artifact(now).await?;
        reach(Failpoint::AfterArtifactDeleted);
        let stopped = |refusal| Stopped { refusal, untouched: false };
        let manifest = self.delete_manifest(now).await.map_err(stopped)?;
        Ok([artifact, manifest])
    }

    async fn delete_artifact(&self, now: Timestamp) -> Result<Deleted, Stopped> {
        let mut deleted = nothing_yet(self.artifact, self.size_bytes);
        for _ in 0..VERSIONS {
            let stopped = |refusal: Refusal, untouched| Stopped { refusal, untouched };
            let Some(head) = self.bucket.head(self.artifact).await.map_err(|error| stopped(error.into(), false))?
            else {
                return Ok(deleted);
            };
            let first = deleted.was_gone;
            self.check_artifact(&head).map_err(|refusal| stopped(refusal, first))?;
            // Without a clear answer, the bucket may have deleted it, or may do so yet.
            let deleting = self.delete_one(self.artifact, head, now, &mut deleted).await;
            deleting.map_err(|refusal| {
                let clear = matches!(refusal.code, ErrorCode::DestinationAccessDenied | ErrorCode::ObjectLocked);
                stopped(refusal, first && clear)
            })?;
        }
        Err(Stopped { refusal: keeps_coming_back(self.artifact), untouched: false })
    }

    fn check_artifact(&self, head: &ObjectHead) -> Result<(), Refusal> {
        let recorded = self.job.artifact.as_ref().and_then(|artifact| artifact.version_id.as_deref());
        let another = recorded.is_some_and(|version| head.version_id.as_deref() != Some(version));
        if head.size_bytes == self.size_bytes && !another {
            return Ok(());
        }
        let what = if another { "another version".to_owned() } else { format!("{} bytes", head.size_bytes) };
        let message = format!("{} holds {what} than what this backup wrote, and is left as it is", self.artifact);
        Err(Refusal::new(ErrorCode::ArtifactMismatch, message))
    }

    async fn delete_manifest(&self, now: Timestamp) -> Result<Deleted, Refusal> {
        let recorded = self.job.manifest.as_deref().unwrap_or_default();
        let mut deleted = nothing_yet(&self.manifest, recorded.len() as u64);
        for _ in 0..VERSIONS {
            let Some(head) = self.bucket.head(&self.manifest).await? else { return Ok(deleted) };
            let found = self.bucket.read_small(&self.manifest, MAX_MANIFEST_BYTES).await?;
            if found.as_deref() != Some(recorded.as_bytes()) {
                let message =
                    format!("{} is not the manifest that this backup wrote, and is left as it is", self.manifest);
                return Err(Refusal::new(ErrorCode::ArtifactMismatch, message));
            }
            self.delete_one(&self.manifest, head, now, &mut deleted).await?;
        }
        Err(keeps_coming_back(&self.manifest))
    }

    async fn delete_one(
        &self,
        key: &str,
        head: ObjectHead,
        now: Timestamp,
        deleted: &mut Deleted,
    ) -> Result<(), Refusal> {
        match self.bucket.delete_version(key, head.version_id.as_deref()).await {
            Ok(()) => {
                deleted.was_gone = false;
                deleted.version_ids.extend(head.version_id);
                Ok(())
            }
            // Servers say the same of a lock and of a policy.
            Err(error) if error.kind == StorageErrorKind::AccessDenied => {
                let lock = self.bucket.lock_on(key).await.ok().and_then(|lock| lock.retain_until);
                Err(match lock.filter(|until| *until > now) {
                    Some(until) => Refusal::new(ErrorCode::ObjectLocked, format!("{key} is locked until {until}")),
                    None => error.into(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn nothing_yet(key: &str, size_bytes: u64) -> Deleted {
    Deleted { key: key.to_owned(), size_bytes, version_ids: Vec::new(), was_gone: true }
}

fn keeps_coming_back(key: &str) -> Refusal {
    Refusal::new(ErrorCode::ArtifactMismatch, format!("{key} was deleted {VERSIONS} times and is still there"))
}
