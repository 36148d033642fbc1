//! Taking a backup out of its bucket: only what was recorded, by version, artifact first.

use walwarden_contract::{ErrorCode, Timestamp};

use super::records::Deleted;
use super::{Keeper, Refusal};
use crate::engine::backup::{MAX_MANIFEST_BYTES, manifest_key, stored_manifest};
use crate::engine::storage::{Bucket, LockMode, ObjectHead, StorageError, StorageErrorKind};
use crate::failpoint::{Failpoint, reach};
use crate::secrets::KeyHistory;
use crate::store::backups::{BackupJob, StoredArtifact};
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
    recorded: &'a StoredArtifact,
}

/// The two objects of a backup, as they were found.
pub(super) struct Found {
    artifact: ObjectHead,
    manifest: ObjectHead,
}

impl<'a> Objects<'a> {
    pub(super) fn of(bucket: &'a Bucket, job: &'a BackupJob) -> Result<Self> {
        let artifact = job.object_key.as_deref().ok_or(StoreError::Corrupt("object key"))?;
        let recorded = job.artifact.as_ref().ok_or(StoreError::Corrupt("artifact"))?;
        Ok(Self { bucket, job, artifact, manifest: manifest_key(artifact), recorded })
    }

    /// Looks at both objects, which have to be what was recorded. What is not found may be somewhere else: in the bucket that the
    /// destination named before, or behind a delete marker.
    pub(super) async fn find(&self) -> Result<Found, Refusal> {
        let artifact = self.find_artifact().await?.ok_or_else(|| not_found(self.artifact))?;
        self.check_artifact(&artifact)?;
        let manifest = self.find_manifest().await?.ok_or_else(|| not_found(&self.manifest))?;
        Ok(Found { artifact, manifest })
    }

    /// Until when a lock holds either object. What the bucket says counts, not what was asked for.
    pub(super) async fn locked_until(
        &self,
        found: &Found,
        keeper: &Keeper,
        keys: &KeyHistory,
    ) -> Result<Option<Timestamp>, Refusal> {
        // A key for a destination without locks need not have the right to read any. The bucket knows its locks itself.
        let asked = stored_manifest(self.job, keys).is_ok_and(|it| it.retention.mode != LockMode::None.as_str());
        if !asked && self.bucket.lock_mode() == LockMode::None {
            return Ok(None);
        }
        let mut latest = None;
        for (key, head) in [(self.artifact, &found.artifact), (&self.manifest, &found.manifest)] {
            latest = latest.max(self.bucket.lock_on(key, head.version_id.as_deref()).await?.retain_until);
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
        let mut deleted = nothing_yet(self.artifact, self.recorded.size_bytes);
        for _ in 0..VERSIONS {
            // A version that was deleted is gone, whatever stands under the key now.
            if self.recorded.version_id.as_ref().is_some_and(|version| deleted.version_ids.contains(version)) {
                return Ok(deleted);
            }
            let stopped = |refusal: Refusal, untouched| Stopped { refusal, untouched };
            let Some(head) = self.find_artifact().await.map_err(|refusal| stopped(refusal, false))? else {
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

    /// The version that was recorded, where one was, and else what stands under the key.
    async fn find_artifact(&self) -> Result<Option<ObjectHead>, Refusal> {
        let current = self.bucket.head(self.artifact).await?;
        let Some(version) = self.recorded.version_id.as_deref() else { return Ok(current) };
        if current.as_ref().is_some_and(|head| head.version_id.as_deref() == Some(version)) {
            return Ok(current);
        }
        // Another version, or a marker that says deleted, may stand in front of it.
        Ok(self.bucket.head_version(self.artifact, Some(version)).await?)
    }

    fn check_artifact(&self, head: &ObjectHead) -> Result<(), Refusal> {
        if is_recorded(head, self.recorded) {
            return Ok(());
        }
        let message = format!(
            "{} holds {} bytes that are not what this backup wrote, and is left as it is",
            self.artifact, head.size_bytes
        );
        Err(Refusal::new(ErrorCode::ArtifactMismatch, message))
    }

    async fn find_manifest(&self) -> Result<Option<ObjectHead>, Refusal> {
        let Some(head) = self.bucket.head(&self.manifest).await? else { return Ok(None) };
        if !same_manifest(self.bucket, &self.manifest, self.job).await? {
            let message = format!("{} is not the manifest that this backup wrote, and is left as it is", self.manifest);
            return Err(Refusal::new(ErrorCode::ArtifactMismatch, message));
        }
        Ok(Some(head))
    }

    async fn delete_manifest(&self, now: Timestamp) -> Result<Deleted, Refusal> {
        let recorded = self.job.manifest.as_deref().unwrap_or_default();
        let mut deleted = nothing_yet(&self.manifest, recorded.len() as u64);
        for _ in 0..VERSIONS {
            let Some(head) = self.find_manifest().await? else { return Ok(deleted) };
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
                let lock =
                    self.bucket.lock_on(key, head.version_id.as_deref()).await.ok().and_then(|lock| lock.retain_until);
                Err(match lock.filter(|until| *until > now) {
                    Some(until) => Refusal::new(ErrorCode::ObjectLocked, format!("{key} is locked until {until}")),
                    None => error.into(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether an object is the artifact that was recorded, as far as its bucket tells without being read.
pub(super) fn is_recorded(head: &ObjectHead, recorded: &StoredArtifact) -> bool {
    let bare = |etag: &str| etag.trim_matches('"').to_owned();
    let same_tag = recorded.etag.as_deref().is_none_or(|tag| head.etag.as_deref().map(bare) == Some(bare(tag)));
    let same_version = recorded.version_id.is_none() || recorded.version_id == head.version_id;
    head.size_bytes == recorded.size_bytes && same_tag && same_version
}

/// Whether the manifest in the bucket is the one that was recorded.
pub(super) async fn same_manifest(bucket: &Bucket, key: &str, job: &BackupJob) -> Result<bool, StorageError> {
    let found = bucket.read_small(key, MAX_MANIFEST_BYTES).await?;
    Ok(found.as_deref() == job.manifest.as_deref().map(str::as_bytes))
}

fn not_found(key: &str) -> Refusal {
    let message = format!(
        "{key} is not in the bucket that the destination names now, so that nothing of this backup was deleted: it may be in a \
         bucket that the destination named before, or behind a delete marker"
    );
    Refusal::new(ErrorCode::ArtifactMissing, message)
}

fn nothing_yet(key: &str, size_bytes: u64) -> Deleted {
    Deleted { key: key.to_owned(), size_bytes, version_ids: Vec::new(), was_gone: true }
}

fn keeps_coming_back(key: &str) -> Refusal {
    Refusal::new(ErrorCode::ArtifactMismatch, format!("{key} was deleted {VERSIONS} times and is still there"))
}
