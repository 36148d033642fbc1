//! Rows of backup jobs. Their states change in [`crate::jobs`] only.

mod artifact;
mod attempt;
mod expiry;
mod leases;
mod queue;
mod reading;

use serde::Serialize;
use sqlx::AssertSqlSafe;
use walwarden_contract::model::{BackupState, BackupTrigger};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, ErrorCode, OrgId, Timestamp};

pub use self::artifact::{PendingArtifact, StoredArtifact};
pub(crate) use self::attempt::AttemptEnd;
pub use self::attempt::{Attempt, Attempts};
pub use self::expiry::Expiry;
pub(crate) use self::expiry::{
    has_live_restore, is_kept_and_newer, retention_of, save_expiry, schedule_looks, take_due,
};
pub use self::queue::Queue;
pub(crate) use self::queue::active_backup;
use super::{Result, Store, StoreError, Tx, count, json, maybe_time, name, parse, time};

/// A backup job, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupJob {
    /// Its identifier.
    pub id: BackupJobId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// The database.
    pub database_id: DatabaseId,
    /// The destination.
    pub destination_id: DestinationId,
    /// What asked for it.
    pub trigger: BackupTrigger,
    /// The run of the schedule that it stands for.
    pub scheduled_for: Option<Timestamp>,
    pub(crate) state: BackupState,
    /// The attempt that runs or ran last, from 1; 0 before the first.
    pub attempt: u32,
    /// After this many attempts the job fails for good.
    pub max_attempts: u32,
    /// No worker takes it before this.
    pub not_before: Timestamp,
    /// The worker that holds it.
    pub lease_owner: Option<String>,
    /// When that worker is taken for dead. Of a job that was called off: when the watchdog clears away what it left.
    pub lease_expires_at: Option<Timestamp>,
    /// Counts the claims: a worker with an older number holds nothing.
    pub fence: i64,
    /// The artifact's key.
    pub object_key: Option<String>,
    /// The multipart upload under way.
    pub upload_id: Option<String>,
    /// A dump that is whole and not yet sealed.
    pub pending: Option<PendingArtifact>,
    /// The artifact of a completed job.
    pub artifact: Option<StoredArtifact>,
    /// The signed manifest, as it stands in the bucket.
    pub manifest: Option<String>,
    /// Its hash.
    pub manifest_hash: Option<String>,
    /// Why the last attempt failed, and what there is to say about it.
    pub error: Option<(ErrorCode, String)>,
    /// What became of each attempt.
    pub attempts: Attempts,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When `pg_dump` was last started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When somebody took note of its failure.
    pub dismissed_at: Option<Timestamp>,
    /// How far its deletion from the bucket is.
    pub expiry: Expiry,
}

/// How long backups are kept that are kept for so many days, in milliseconds.
pub(crate) fn keep_millis(days: u32) -> i64 {
    i64::from(days) * 86_400_000
}

impl BackupJob {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> BackupState {
        self.state
    }

    /// Whether it was completed, and nothing began to delete it.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        matches!(self.state, BackupState::Completed) && self.expiry.expiring_at.is_none()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    database_id: String,
    destination_id: String,
    trigger_kind: String,
    scheduled_for: Option<i64>,
    state: String,
    attempt: i64,
    max_attempts: i64,
    not_before: i64,
    lease_owner: Option<String>,
    lease_expires_at: Option<i64>,
    fence: i64,
    object_key: Option<String>,
    upload_id: Option<String>,
    pending: Option<String>,
    artifact: Option<String>,
    manifest: Option<String>,
    manifest_hash: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
    attempts: String,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    dismissed_at: Option<i64>,
    expiry_look_at: Option<i64>,
    expiry_attempts: i64,
    expiry_error_code: Option<String>,
    expiry_error_message: Option<String>,
    expiring_at: Option<i64>,
    expired_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<BackupJob> {
        let error = match (self.error_code, self.error_message) {
            (Some(code), Some(message)) => Some((parse(&code, "error code")?, message)),
            _ => None,
        };
        Ok(BackupJob {
            id: parse(&self.id, "backup id")?,
            org_id: parse(&self.org_id, "organization id")?,
            database_id: parse(&self.database_id, "database id")?,
            destination_id: parse(&self.destination_id, "destination id")?,
            trigger: name(self.trigger_kind, "trigger")?,
            scheduled_for: maybe_time(self.scheduled_for)?,
            state: name(self.state, "backup state")?,
            attempt: count(self.attempt, "attempt")?,
            max_attempts: count(self.max_attempts, "attempt")?,
            not_before: time(self.not_before)?,
            lease_owner: self.lease_owner,
            lease_expires_at: maybe_time(self.lease_expires_at)?,
            fence: self.fence,
            object_key: self.object_key,
            upload_id: self.upload_id,
            pending: self.pending.map(|text| json(&text, "pending artifact")).transpose()?,
            artifact: self.artifact.map(|text| json(&text, "artifact")).transpose()?,
            manifest: self.manifest,
            manifest_hash: self.manifest_hash,
            error,
            attempts: json(&self.attempts, "attempts")?,
            created_at: time(self.created_at)?,
            started_at: maybe_time(self.started_at)?,
            finished_at: maybe_time(self.finished_at)?,
            dismissed_at: maybe_time(self.dismissed_at)?,
            expiry: expiry::Columns {
                look_at: self.expiry_look_at,
                attempts: self.expiry_attempts,
                error_code: self.expiry_error_code,
                error_message: self.expiry_error_message,
                expiring_at: self.expiring_at,
                expired_at: self.expired_at,
            }
            .read()?,
        })
    }
}

fn to_json<T: Serialize>(value: Option<&T>) -> Option<String> {
    value.and_then(|value| serde_json::to_string(value).ok())
}

/// Adds a job. [`StoreError::Duplicate`] while another backup of the database is under way; the transaction goes on.
pub(crate) async fn insert(tx: &mut Tx, job: &BackupJob) -> Result<()> {
    let inserted = sqlx::query(
        "INSERT INTO backup_jobs (id, org_id, database_id, destination_id, trigger_kind, state, attempt, max_attempts,
         not_before, fence, created_at, scheduled_for) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT DO NOTHING",
    )
    .bind(job.id.to_string())
    .bind(job.org_id.to_string())
    .bind(job.database_id.to_string())
    .bind(job.destination_id.to_string())
    .bind(job.trigger.as_str())
    .bind(job.state.as_str())
    .bind(i64::from(job.attempt))
    .bind(i64::from(job.max_attempts))
    .bind(job.not_before.as_millis())
    .bind(job.fence)
    .bind(job.created_at.as_millis())
    .bind(job.scheduled_for.map(Timestamp::as_millis))
    .execute(tx.connection())
    .await?;
    if inserted.rows_affected() == 0 { Err(StoreError::Duplicate("backup job in progress")) } else { Ok(()) }
}

/// Reads a job and keeps every other transaction from changing it until this one ends.
pub(crate) async fn lock(tx: &mut Tx, id: BackupJobId) -> Result<BackupJob> {
    let text = tx.locking("SELECT * FROM backup_jobs WHERE id = $1");
    let row: Option<Row> = sqlx::query_as(text).bind(id.to_string()).fetch_optional(tx.connection()).await?;
    row.ok_or(StoreError::Missing("backup job"))?.read()
}

/// Takes the queued job that has waited longest, and moves its fence. Its state is the caller's to change.
pub(crate) async fn take_next(tx: &mut Tx, now: Timestamp) -> Result<Option<BackupJob>> {
    let text = format!(
        "UPDATE backup_jobs SET fence = fence + 1 WHERE id = (
             SELECT id FROM backup_jobs WHERE state = 'queued' AND not_before <= $1
             ORDER BY not_before, id LIMIT 1 {}) RETURNING *",
        tx.skip_locked()
    );
    let row: Option<Row> =
        sqlx::query_as(AssertSqlSafe(text)).bind(now.as_millis()).fetch_optional(tx.connection()).await?;
    row.map(Row::read).transpose()
}

/// Takes one job whose worker is taken for dead, and moves its fence so that the worker's writes come to nothing.
pub(crate) async fn take_expired(tx: &mut Tx, now: Timestamp) -> Result<Option<BackupJob>> {
    let text = format!(
        "UPDATE backup_jobs SET fence = fence + 1 WHERE id = (
             SELECT id FROM backup_jobs WHERE lease_expires_at <= $1 ORDER BY lease_expires_at LIMIT 1 {}) RETURNING *",
        tx.skip_locked()
    );
    let row: Option<Row> =
        sqlx::query_as(AssertSqlSafe(text)).bind(now.as_millis()).fetch_optional(tx.connection()).await?;
    row.map(Row::read).transpose()
}

/// Writes everything of a job that can change.
pub(crate) async fn save(tx: &mut Tx, job: &BackupJob) -> Result<()> {
    let (error_code, error_message) = job.error.as_ref().map(|(code, text)| (code.as_str(), text.as_str())).unzip();
    sqlx::query(
        "UPDATE backup_jobs SET state = $2, attempt = $3, not_before = $4, lease_owner = $5, lease_expires_at = $6,
         object_key = $7, upload_id = $8, pending = $9, artifact = $10, manifest = $11, manifest_hash = $12,
         error_code = $13, error_message = $14, started_at = $15, finished_at = $16, dismissed_at = $17, attempts = $18
         WHERE id = $1",
    )
    .bind(job.id.to_string())
    .bind(job.state.as_str())
    .bind(i64::from(job.attempt))
    .bind(job.not_before.as_millis())
    .bind(job.lease_owner.clone())
    .bind(job.lease_expires_at.map(Timestamp::as_millis))
    .bind(job.object_key.clone())
    .bind(job.upload_id.clone())
    .bind(to_json(job.pending.as_ref()))
    .bind(to_json(job.artifact.as_ref()))
    .bind(job.manifest.clone())
    .bind(job.manifest_hash.clone())
    .bind(error_code.map(str::to_owned))
    .bind(error_message.map(str::to_owned))
    .bind(job.started_at.map(Timestamp::as_millis))
    .bind(job.finished_at.map(Timestamp::as_millis))
    .bind(job.dismissed_at.map(Timestamp::as_millis))
    .bind(to_json(Some(&job.attempts)))
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl Store {
    /// Whether a job waits that a worker may take now. Cheap, so that idle workers do not write.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_queued_backup(&self, now: Timestamp) -> Result<bool> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT id FROM backup_jobs WHERE state = 'queued' AND not_before <= $1 LIMIT 1")
                .bind(now.as_millis())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.is_some())
    }
}
