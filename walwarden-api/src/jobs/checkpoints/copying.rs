//! Writes checkpoints into the organizations' buckets: once, locked as the destination asks, and never over anything else.

use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use walwarden_contract::ErrorCode;

use crate::engine::storage::{Bucket, StorageError};
use crate::jobs::integrity::settle;
use crate::jobs::retention::{Keeper, Refusal};
use crate::store::anomalies::Subject;
use crate::store::log::{Copy, CopyState};
use crate::store::{Result, StoreError};
use crate::system::after;
use crate::telemetry;

/// How many copies a process writes at once.
const AT_ONCE: usize = 4;
/// How long it waits, when nothing is due, before it asks again.
const IDLE: Duration = Duration::from_secs(1);
/// How long an attempt may take; another process tries it after that.
const LEASE_MILLIS: i64 = 600_000;
const DEADLINE: Duration = Duration::from_mins(5);
/// How long the second attempt waits; each further one waits twice as long, up to a quarter of an hour.
const DELAY_MILLIS: i64 = 2000;
const LONGEST_DELAY_MILLIS: i64 = 900_000;
/// No checkpoint is longer.
pub(super) const MAX_BYTES: usize = 16 << 10;

/// Why a copy does not stand in the bucket.
enum NotWritten {
    /// It was refused, or could not be tried.
    Refused(Refusal),
    /// Something else stands there.
    Occupied(String),
    /// There is no such destination any more.
    Gone,
    /// The store failed.
    Store(StoreError),
}

impl From<StorageError> for NotWritten {
    fn from(error: StorageError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<StoreError> for NotWritten {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What writes copies.
#[derive(Clone)]
pub struct Copier {
    /// Store, clock and keys.
    pub keeper: Keeper,
}

impl Copier {
    /// Writes what is due until `shutdown`, and finishes what it began.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut running = JoinSet::new();
        while !shutdown.is_cancelled() {
            while running.try_join_next().is_some() {}
            if running.len() < AT_ONCE {
                match self.take().await {
                    Ok(Some(copy)) => {
                        let copier = self.clone();
                        running.spawn(async move { copier.attempt(copy).await });
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(%error, "cannot ask which checkpoints are to be copied"),
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ = running.join_next(), if running.len() >= AT_ONCE => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn take(&self) -> Result<Option<Copy>> {
        let now = self.keeper.system.now();
        self.keeper.store.take_due_copy(now, after(now, LEASE_MILLIS)).await
    }

    async fn attempt(&self, copy: Copy) {
        if let Err(error) = self.write(&copy).await {
            tracing::error!(destination_id = %copy.key.destination_id, key = copy.object_key, %error, "cannot record what became of a copy of a checkpoint");
        }
    }

    /// Writes one copy, and records what became of it; `None` when its destination is gone, and the copy forgotten.
    ///
    /// # Errors
    /// When the store fails; the copy is due again after a while.
    pub async fn write(&self, copy: &Copy) -> Result<Option<CopyState>> {
        let Keeper { store, system, .. } = &self.keeper;
        let (org_id, destination_id) = (copy.key.org_id, copy.key.destination_id);
        let state = match tokio::time::timeout(DEADLINE, self.place(copy)).await {
            Ok(Ok(())) => {
                telemetry::checkpoint_copied("written");
                tracing::info!(%destination_id, key = copy.object_key, "checkpoint written to the bucket");
                CopyState::Written(system.now())
            }
            Ok(Err(NotWritten::Occupied(failure))) => {
                telemetry::checkpoint_copied("occupied");
                telemetry::integrity_failed("checkpoint");
                settle(&self.keeper, org_id, Subject::Copies(destination_id), Some(failure.clone())).await?;
                CopyState::Occupied(failure)
            }
            Ok(Err(NotWritten::Refused(refusal))) => self.waits(copy, refusal.to_string()),
            Ok(Err(NotWritten::Gone)) => {
                store.drop_copies(destination_id).await?;
                return Ok(None);
            }
            Ok(Err(NotWritten::Store(error))) => return Err(error),
            Err(_) => self.waits(copy, "the bucket did not answer in time".to_owned()),
        };
        store.settle_copy(&copy.key, &state).await?;
        Ok(Some(state))
    }

    /// Has the note stand in the bucket, and reads it back. Safe to repeat: it looks before it writes.
    async fn place(&self, copy: &Copy) -> Result<(), NotWritten> {
        let Keeper { store, system, .. } = &self.keeper;
        let (org_id, key) = (copy.key.org_id, copy.object_key.as_str());
        match store.destination(org_id, copy.key.destination_id).await {
            Err(StoreError::Missing(_)) => return Err(NotWritten::Gone),
            read => drop(read?),
        }
        let checkpoint = store.checkpoint_on(org_id, copy.key.size, &copy.key.day).await?;
        let checkpoint = checkpoint.ok_or(StoreError::Corrupt("checkpoint"))?;
        let bucket = store_bucket(&self.keeper, copy).await?;
        let note = Bytes::from(checkpoint.note);
        let written = match bucket.head(key).await? {
            Some(_) => Ok(None),
            None => bucket.put_new(key, note.clone(), "text/plain", bucket.retain_until(system.now())).await,
        };
        // Whatever the bucket answered: what counts is what stands there now.
        let Some(head) = bucket.head(key).await? else {
            let missing = || Refusal::new(ErrorCode::ArtifactMismatch, format!("{key} was written and is not there"));
            return Err(NotWritten::Refused(written.err().map_or_else(missing, Refusal::from)));
        };
        let same =
            head.size_bytes == note.len() as u64 && bucket.read_small(key, MAX_BYTES).await?.as_ref() == Some(&note);
        if !same {
            let failure = format!("{key} holds {} bytes that are not this checkpoint.", head.size_bytes);
            return Err(NotWritten::Occupied(failure));
        }
        bucket.encryption().proven_by(&head.encryption)?;
        let Some(until) = bucket.retain_until(checkpoint.signed_at) else { return Ok(()) };
        if bucket.retention(key).await?.covers(bucket.lock_mode(), until) {
            return Ok(());
        }
        let message = format!("{key} is not locked as the destination asks, until {until}");
        Err(NotWritten::Refused(Refusal::new(ErrorCode::DestinationLockRefused, message)))
    }

    fn waits(&self, copy: &Copy, failure: String) -> CopyState {
        telemetry::checkpoint_copied("failed");
        let destination_id = copy.key.destination_id;
        tracing::warn!(%destination_id, key = copy.object_key, attempt = copy.attempts, "cannot write a checkpoint: {failure}");
        let doublings = copy.attempts.saturating_sub(1).min(20);
        let delay = DELAY_MILLIS.saturating_mul(1 << doublings).min(LONGEST_DELAY_MILLIS);
        CopyState::Waits { until: after(self.keeper.system.now(), delay), failure }
    }
}

async fn store_bucket(keeper: &Keeper, copy: &Copy) -> Result<Bucket, NotWritten> {
    let bucket = keeper.bucket(copy.key.org_id, copy.key.destination_id).await?;
    bucket.map_err(NotWritten::Refused)
}
