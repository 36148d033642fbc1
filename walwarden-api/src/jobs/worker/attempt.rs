//! One attempt at a backup: the engine's steps, each recorded before the next begins.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use walwarden_contract::manifest::key_id;
use walwarden_contract::model::DestinationState;
use walwarden_contract::telemetry::spans;
use walwarden_contract::{ErrorCode, Timestamp};

use super::Worker;
use crate::engine::backup::{self, BackupError, Codec, PartsGone, Prepared};
use crate::engine::storage::{AskedEncryption, Bucket, Upload};
use crate::failpoint::{Failpoint, reach};
use crate::jobs::backups::{self, Lease, Started};
use crate::jobs::preflights;
use crate::registry::destination::part_rules;
use crate::store::StoreError;
use crate::store::backups::{BackupJob, PendingArtifact};
use crate::store::destinations::Destination;
use crate::system::after;
use crate::telemetry::traces::{Traced, step};

/// Between two tries of recording a closed dump.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// For how long a job waits for a destination that was changed; then it fails.
const PATIENCE_MILLIS: i64 = 24 * 3_600_000;
/// How long a look at a destination takes as a rule, and how long a job waits for one at a time.
const LOOK_MILLIS: i64 = 10_000;
const LONGEST_LOOK_MILLIS: i64 = 300_000;

/// Why an attempt did not complete.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The backup itself failed, or was stopped.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The store failed, or refused because the lease was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was begun, and somebody looks at the destination first.
    #[error("the destination was changed and is looked at first, not before {0}")]
    Unverified(Timestamp),
}

/// Runs one attempt. Every failure but one during sealing leaves no upload behind.
pub(super) async fn attempt(
    worker: &Worker,
    job: &BackupJob,
    lease: Lease,
    stop: &CancellationToken,
) -> Result<BackupJob, Failure> {
    let (database, _) = worker.store.database(job.org_id, job.database_id).await?;
    let destination = worker.store.destination(job.org_id, job.destination_id).await?;
    let bucket = bucket_of(worker, &destination)?;
    let key = backup::artifact_key(job);

    if let Some(pending) = &job.pending {
        let job = backups::resume(&worker.store, &worker.system, lease).await?;
        if let Some(completed) = seal(worker, &bucket, &job, lease, &key, pending, stop).await? {
            return Ok(completed);
        }
        // Its parts are gone: the job goes back, and the next attempt dumps afresh.
        backups::forget_pending(&worker.store, lease).await?;
        return Err(BackupError {
            code: ErrorCode::UploadFailed,
            message: "The parts of an earlier attempt are gone; the next attempt starts afresh.".to_owned(),
        }
        .into());
    }

    // A dump that is whole is sealed above whatever has become of the destination since: its read-back says what it is worth.
    let now = worker.system.now();
    if destination.verification.state == DestinationState::Unverified && now < after(job.created_at, PATIENCE_MILLIS) {
        let looked_at = after(destination.verification.next_run_at, LOOK_MILLIS);
        // While a look goes on, the next is far away.
        return Err(Failure::Unverified(looked_at.clamp(after(now, LOOK_MILLIS), after(now, LONGEST_LOOK_MILLIS))));
    }
    if let Some(refusal) = preflights::refusal(&destination) {
        return Err(BackupError { code: ErrorCode::DestinationNotReady, message: refusal }.into());
    }
    let dsn = worker
        .keyring
        .open_dsn(&database)
        .map_err(|error| internal(format!("the source DSN cannot be opened: {error}")))?;
    let codec = database.codec.parse::<Codec>().map_err(|error| internal(error.to_string()))?;
    let prepared = tokio::select! {
        prepared = step(
            &spans::SOURCE,
            backup::prepare(&worker.tools, &dsn, codec, worker.limits, part_rules(&destination)),
        ) => prepared?,
        () = stop.cancelled() => return Err(BackupError::stopped().into()),
    };
    let pg_dump_version = prepared.pg_dump.to_string();
    let compression = prepared.codec.to_string();
    let started = Started {
        object_key: &key,
        pg_dump_version: &pg_dump_version,
        postgres_version: &prepared.server.version_text,
        compression: &compression,
    };
    let job = backups::start(&worker.store, &worker.system, lease, started).await?;
    reach(Failpoint::AfterStart);
    if job.attempt > 1 || job.upload_id.is_some() {
        bucket.abort_uploads_to(&key).await.map_err(BackupError::from)?;
    }

    let retain_until = bucket.retain_until(worker.system.now());
    let upload = bucket.begin_upload(&key, retain_until).await.map_err(BackupError::from)?;
    reach(Failpoint::AfterUploadBegun);
    let pending = match send(worker, &prepared, &bucket, &upload, lease, stop).await {
        Ok(dumped) => {
            let asked = bucket.encryption().clone();
            pending(&prepared, &upload, dumped, worker.system.now(), retain_until, asked)
        }
        Err(error) => return Err(give_up(&bucket, &upload, error).await),
    };
    reach(Failpoint::AfterDump);
    let job = match finalize(worker, lease, &pending, stop).await {
        Ok(job) => job,
        Err(StoreError::LeaseLost) => return Err(give_up(&bucket, &upload, StoreError::LeaseLost.into()).await),
        // The store may know of the dump all the same: its parts stay, and the next attempt takes up or clears away what there is.
        Err(error) => return Err(error.into()),
    };
    reach(Failpoint::AfterFinalizeRecorded);
    let sealed = seal(worker, &bucket, &job, lease, &key, &pending, stop).await?;
    sealed.ok_or_else(|| internal("the parts vanished between upload and completion".to_owned()).into())
}

/// Records the closed dump. It is worth waiting for a store that is away, for as long as the lease lasts.
async fn finalize(
    worker: &Worker,
    lease: Lease,
    pending: &PendingArtifact,
    stop: &CancellationToken,
) -> Result<BackupJob, StoreError> {
    loop {
        match backups::finalize(&worker.store, &worker.system, lease, pending.clone()).await {
            Err(error @ StoreError::Database(_)) if !stop.is_cancelled() => {
                tracing::warn!(%error, "cannot record the closed dump; trying again");
                tokio::select! {
                    () = stop.cancelled() => return Err(error),
                    () = tokio::time::sleep(STORE_PAUSE) => {}
                }
            }
            outcome => return outcome,
        }
    }
}

/// Records the upload before its first byte, then dumps into it.
async fn send(
    worker: &Worker,
    prepared: &Prepared,
    bucket: &Bucket,
    upload: &Upload,
    lease: Lease,
    stop: &CancellationToken,
) -> Result<backup::Dumped, Failure> {
    backups::record_upload(&worker.store, lease, &upload.id).await?;
    reach(Failpoint::AfterUploadRecorded);
    let traced = Traced::child(&spans::DUMP);
    let dumped = traced.step(backup::dump(&worker.tools, prepared, bucket, upload, stop)).await?;
    traced.count(spans::SIZE_BYTES, dumped.size_bytes);
    Ok(dumped)
}

async fn give_up(bucket: &Bucket, upload: &Upload, error: Failure) -> Failure {
    if let Err(abort) = bucket.abort_upload(upload).await {
        tracing::warn!(error = %abort, "cannot abort the upload; the next attempt will");
    }
    error
}

/// Seals and completes; `None` when the parts are gone.
async fn seal(
    worker: &Worker,
    bucket: &Bucket,
    job: &BackupJob,
    lease: Lease,
    key: &str,
    pending: &PendingArtifact,
    stop: &CancellationToken,
) -> Result<Option<BackupJob>, Failure> {
    let keys = worker.keyring.history(&worker.store).await?;
    if !keys.may_sign(worker.keyring.verifying_key()) {
        let message = format!(
            "the signing key of this worker, {}, was revoked or is not on record; the dump stays where it is: start the worker again with the current key, {}",
            worker.keyring.key_id(),
            key_id(keys.current())
        );
        return Err(BackupError { code: ErrorCode::SigningFailed, message }.into());
    }
    let sealed = tokio::select! {
        sealed = backup::seal(bucket, job, key, pending, &worker.keyring) => sealed?,
        () = stop.cancelled() => return Err(BackupError::stopped().into()),
    };
    match sealed {
        Ok(sealed) => {
            reach(Failpoint::BeforeCompletedRecorded);
            let completed = backups::complete(&worker.store, &worker.system, lease, sealed).await?;
            reach(Failpoint::AfterCompleted);
            Ok(Some(completed))
        }
        Err(PartsGone) => Ok(None),
    }
}

fn pending(
    prepared: &Prepared,
    upload: &Upload,
    dumped: backup::Dumped,
    finished_at: Timestamp,
    retain_until: Option<Timestamp>,
    AskedEncryption { method: encryption, kms_key_id }: AskedEncryption,
) -> PendingArtifact {
    PendingArtifact {
        upload_id: upload.id.clone(),
        etags: dumped.etags,
        crc32s: dumped.crc32s,
        part_checksums: dumped.part_checksums,
        part_size_bytes: prepared.part_size_bytes,
        size_bytes: dumped.size_bytes,
        checksum_sha256: dumped.checksum_sha256,
        compression: prepared.codec.to_string(),
        database_name: prepared.server.database_name.clone(),
        postgres_version: prepared.server.version_text.clone(),
        pg_dump_version: prepared.pg_dump.to_string(),
        finished_at,
        retain_until,
        encryption,
        kms_key_id,
    }
}

pub(super) fn bucket_of(worker: &Worker, destination: &Destination) -> Result<Bucket, Failure> {
    let access = worker
        .keyring
        .open_access(destination)
        .map_err(|error| internal(format!("the destination's credentials cannot be opened: {error}")))?;
    Ok(Bucket::connect(destination, &access).map_err(BackupError::from)?)
}

/// Aborts the uploads of a job that will not be tried again.
pub(super) async fn clear_uploads(worker: &Worker, job: &BackupJob) -> Result<(), Failure> {
    let Some(key) = &job.object_key else { return Ok(()) };
    let bucket = bucket_of(worker, &worker.store.destination(job.org_id, job.destination_id).await?)?;
    if let Some(id) = &job.upload_id {
        bucket.abort_upload(&Upload { key: key.clone(), id: id.clone() }).await.map_err(BackupError::from)?;
    }
    bucket.abort_uploads_to(key).await.map_err(BackupError::from)?;
    Ok(())
}

fn internal(message: String) -> BackupError {
    BackupError { code: ErrorCode::InternalError, message }
}
