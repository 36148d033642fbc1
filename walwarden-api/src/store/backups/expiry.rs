//! What a completed backup's row says about its end in the bucket. It changes in [`crate::jobs::retention`] only.

use sqlx::AssertSqlSafe;
use walwarden_contract::{BackupJobId, DatabaseId, ErrorCode, OrgId, Timestamp};

use super::super::{Result, Store, Tx, count, maybe_time, parse};
use super::{BackupJob, Row};
use crate::jobs::state::ExpiryState;

/// How far the deletion of a backup is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expiry {
    /// When it is looked at next; never, while this is `None`.
    pub look_at: Option<Timestamp>,
    /// How often in a row the bucket refused.
    pub attempts: u32,
    /// Why it did last.
    pub error: Option<(ErrorCode, String)>,
    /// When the deletion began. From then on nothing may rely on the artifact.
    pub expiring_at: Option<Timestamp>,
    /// When artifact and manifest were gone.
    pub expired_at: Option<Timestamp>,
}

impl Expiry {
    /// Where the backup stands.
    #[must_use]
    pub const fn state(&self) -> ExpiryState {
        match (&self.expired_at, &self.expiring_at) {
            (Some(_), _) => ExpiryState::Expired,
            (None, Some(_)) => ExpiryState::Expiring,
            (None, None) => ExpiryState::Kept,
        }
    }
}

/// The columns of [`Expiry`].
pub(super) struct Columns {
    pub(super) look_at: Option<i64>,
    pub(super) attempts: i64,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
    pub(super) expiring_at: Option<i64>,
    pub(super) expired_at: Option<i64>,
}

impl Columns {
    pub(super) fn read(self) -> Result<Expiry> {
        let error = match (self.error_code, self.error_message) {
            (Some(code), Some(message)) => Some((parse(&code, "error code")?, message)),
            _ => None,
        };
        Ok(Expiry {
            look_at: maybe_time(self.look_at)?,
            attempts: count(self.attempts, "attempt")?,
            error,
            expiring_at: maybe_time(self.expiring_at)?,
            expired_at: maybe_time(self.expired_at)?,
        })
    }
}

/// Takes the backup whose look is longest due, and lets nobody else take it before `again_at`.
pub(crate) async fn take_due(tx: &mut Tx, now: Timestamp, again_at: Timestamp) -> Result<Option<BackupJob>> {
    let text = format!(
        "UPDATE backup_jobs SET expiry_look_at = $2 WHERE id = (
             SELECT id FROM backup_jobs WHERE expiry_look_at <= $1 ORDER BY expiry_look_at LIMIT 1 {}) RETURNING *",
        tx.skip_locked()
    );
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(text))
        .bind(now.as_millis())
        .bind(again_at.as_millis())
        .fetch_optional(tx.connection())
        .await?;
    row.map(Row::read).transpose()
}

/// Writes how far the deletion is.
pub(crate) async fn save_expiry(tx: &mut Tx, job: &BackupJob) -> Result<()> {
    let expiry = &job.expiry;
    let (error_code, error_message) = expiry.error.as_ref().map(|(code, text)| (code.as_str(), text.as_str())).unzip();
    sqlx::query(
        "UPDATE backup_jobs SET expiry_look_at = $2, expiry_attempts = $3, expiry_error_code = $4,
         expiry_error_message = $5, expiring_at = $6, expired_at = $7 WHERE id = $1",
    )
    .bind(job.id.to_string())
    .bind(expiry.look_at.map(Timestamp::as_millis))
    .bind(i64::from(expiry.attempts))
    .bind(error_code.map(str::to_owned))
    .bind(error_message.map(str::to_owned))
    .bind(expiry.expiring_at.map(Timestamp::as_millis))
    .bind(expiry.expired_at.map(Timestamp::as_millis))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Says when the kept backups of a database are looked at, now that it keeps them for so many days: each at the end of its
/// own time, or never. One whose deletion began goes on.
pub(crate) async fn schedule_looks(tx: &mut Tx, database_id: DatabaseId, days: Option<u32>) -> Result<()> {
    sqlx::query(
        "UPDATE backup_jobs SET expiry_look_at = finished_at + $2, expiry_attempts = 0
         WHERE database_id = $1 AND state = 'completed' AND expiring_at IS NULL",
    )
    .bind(database_id.to_string())
    .bind(days.map(super::keep_millis))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The days for which a database keeps its backups: `None` when it keeps all, and when it is not there any more.
pub(crate) async fn retention_of(tx: &mut Tx, org_id: OrgId, id: DatabaseId) -> Result<Option<u32>> {
    let row: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT retention_days FROM databases WHERE id = $1 AND org_id = $2")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .fetch_optional(tx.connection())
            .await?;
    row.and_then(|(days,)| days).map(|days| count(days, "retention")).transpose()
}

/// Whether a restore of the backup is open or under way.
pub(crate) async fn has_live_restore(tx: &mut Tx, id: BackupJobId) -> Result<bool> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT id FROM restore_jobs WHERE backup_job_id = $1 AND finished_at IS NULL LIMIT 1")
            .bind(id.to_string())
            .fetch_optional(tx.connection())
            .await?;
    Ok(row.is_some())
}

/// Whether this backup is completed and kept, and newer than `than`.
pub(crate) async fn is_kept_and_newer(tx: &mut Tx, id: BackupJobId, than: &BackupJob) -> Result<bool> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM backup_jobs WHERE id = $1 AND id > $2 AND org_id = $3 AND database_id = $4
         AND state = 'completed' AND expiring_at IS NULL",
    )
    .bind(id.to_string())
    .bind(than.id.to_string())
    .bind(than.org_id.to_string())
    .bind(than.database_id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.is_some())
}

impl Store {
    /// Whether a backup's look is due. Cheap, so that an idle process does not write.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_due_expiry(&self, now: Timestamp) -> Result<bool> {
        let row: Option<(String,)> = sqlx::query_as("SELECT id FROM backup_jobs WHERE expiry_look_at <= $1 LIMIT 1")
            .bind(now.as_millis())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }
}
