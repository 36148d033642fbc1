//! Copies of checkpoints in the organization's buckets: queued with the checkpoint, and tried until they stand there.

use sqlx::AssertSqlSafe;
use walwarden_contract::{DestinationId, OrgId, Timestamp};

use super::{StoredCheckpoint, number};
use crate::store::{Result, Store, StoreError, Tx, count, maybe_time, parse, time};

/// Which copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyKey {
    /// Whose log it is.
    pub org_id: OrgId,
    /// The checkpoint's size.
    pub size: u64,
    /// The day on which it was signed.
    pub day: String,
    /// Where it is to stand.
    pub destination_id: DestinationId,
}

/// A copy, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Which.
    pub key: CopyKey,
    /// Under which key it stands in the bucket.
    pub object_key: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was found in the bucket as it has to be.
    pub written_at: Option<Timestamp>,
}

/// What waits for longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingForCheckpoints {
    /// When the event has to be in a checkpoint that has to be in one first.
    pub event_due_at: Option<Timestamp>,
    /// Since when the oldest copy waits that is to be written, and why it was not.
    pub copy_since: Option<(Timestamp, Option<String>)>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    /// The bucket holds it.
    Written(Timestamp),
    /// It does not yet.
    Waits {
        /// When it is tried again.
        until: Timestamp,
        /// Why it was not written.
        failure: String,
    },
    /// Something else stands in its place, which nobody here overwrites.
    Occupied(String),
}

#[derive(sqlx::FromRow)]
struct Row {
    org_id: String,
    size: i64,
    day: String,
    destination_id: String,
    object_key: String,
    attempts: i64,
    written_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Copy> {
        Ok(Copy {
            key: CopyKey {
                org_id: parse(&self.org_id, "organization id")?,
                size: count(self.size, "size of a checkpoint")?,
                day: self.day,
                destination_id: parse(&self.destination_id, "destination id")?,
            },
            object_key: self.object_key,
            attempts: count(self.attempts, "count")?,
            written_at: maybe_time(self.written_at)?,
        })
    }
}

const COLUMNS: &str = "org_id, size, day, destination_id, object_key, attempts, written_at";
/// One copy, by its whole key.
const THIS: &str = "org_id = $1 AND size = $2 AND day = $3 AND destination_id = $4";

/// Queues a copy of a checkpoint for each destination of the organization that takes writes.
pub(crate) async fn queue_copies(tx: &mut Tx, org_id: OrgId, checkpoint: &StoredCheckpoint) -> Result<()> {
    sqlx::query(
        "INSERT INTO checkpoint_copies (org_id, size, day, destination_id, object_key, queued_at, not_before)
         SELECT $1, $2, $3, id, $4, $5, $5 FROM destinations WHERE org_id = $1 AND state = 'verified'",
    )
    .bind(org_id.to_string())
    .bind(number(checkpoint.size))
    .bind(&checkpoint.day)
    .bind(checkpoint.object_key(org_id))
    .bind(checkpoint.signed_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Forgets the copies that a destination was to have yet: it is removed.
pub(crate) async fn drop_waiting(tx: &mut Tx, id: DestinationId) -> Result<()> {
    sqlx::query("DELETE FROM checkpoint_copies WHERE destination_id = $1 AND written_at IS NULL")
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

impl Store {
    /// Takes the copy that is longest due, so that nobody else tries it before `until`. Cheap when none is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take_due_copy(&self, now: Timestamp, until: Timestamp) -> Result<Option<Copy>> {
        let due: Option<(String,)> =
            sqlx::query_as("SELECT org_id FROM checkpoint_copies WHERE not_before <= $1 LIMIT 1")
                .bind(now.as_millis())
                .fetch_optional(&self.pool)
                .await?;
        if due.is_none() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let text = format!(
            "UPDATE checkpoint_copies SET not_before = $2, attempts = attempts + 1
             WHERE (org_id, size, day, destination_id) = (
                 SELECT org_id, size, day, destination_id FROM checkpoint_copies WHERE not_before <= $1
                 ORDER BY not_before, size, day LIMIT 1 {})
             RETURNING {COLUMNS}",
            tx.skip_locked()
        );
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(text))
            .bind(now.as_millis())
            .bind(until.as_millis())
            .fetch_optional(tx.connection())
            .await?;
        tx.commit().await?;
        row.map(Row::read).transpose()
    }

    /// Writes down what became of an attempt. Where a bucket does not answer, everything that waits for it waits as long.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_copy(&self, key: &CopyKey, state: &CopyState) -> Result<()> {
        let (written_at, not_before, failure) = match state {
            CopyState::Written(at) => (Some(*at), None, None),
            CopyState::Waits { until, failure } => (None, Some(*until), Some(failure.clone())),
            CopyState::Occupied(failure) => (None, None, Some(failure.clone())),
        };
        let mut tx = self.begin().await?;
        let text = format!("UPDATE checkpoint_copies SET written_at = $5, not_before = $6, failure = $7 WHERE {THIS}");
        sqlx::query(AssertSqlSafe(text))
            .bind(key.org_id.to_string())
            .bind(number(key.size))
            .bind(&key.day)
            .bind(key.destination_id.to_string())
            .bind(written_at.map(Timestamp::as_millis))
            .bind(not_before.map(Timestamp::as_millis))
            .bind(failure)
            .execute(tx.connection())
            .await?;
        if let Some(until) = not_before {
            sqlx::query("UPDATE checkpoint_copies SET not_before = $2 WHERE destination_id = $1 AND not_before < $2")
                .bind(key.destination_id.to_string())
                .bind(until.as_millis())
                .execute(tx.connection())
                .await?;
        }
        tx.commit().await
    }

    /// Forgets a copy whose destination is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_copies(&self, id: DestinationId) -> Result<()> {
        let mut tx = self.begin().await?;
        drop_waiting(&mut tx, id).await?;
        tx.commit().await
    }

    /// The copies of the checkpoints from one size to another.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn copies(&self, org_id: OrgId, smallest: u64, largest: u64) -> Result<Vec<Copy>> {
        let text = format!(
            "SELECT {COLUMNS} FROM checkpoint_copies WHERE org_id = $1 AND size >= $2 AND size <= $3
             ORDER BY size, day, destination_id"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(text))
            .bind(org_id.to_string())
            .bind(number(smallest))
            .bind(number(largest))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The newest copy that a destination is known to hold.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest_copy(&self, org_id: OrgId, id: DestinationId) -> Result<Option<Copy>> {
        let text = format!(
            "SELECT {COLUMNS} FROM checkpoint_copies WHERE destination_id = $1 AND org_id = $2 AND written_at IS NOT NULL
             ORDER BY size DESC, day DESC LIMIT 1"
        );
        let row: Option<Row> = sqlx::query_as(AssertSqlSafe(text))
            .bind(id.to_string())
            .bind(org_id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map(Row::read).transpose()
    }

    /// Why a copy cannot be written to a destination, where something else stands in its place: one of those, with its key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn occupied_copy(&self, org_id: OrgId, id: DestinationId) -> Result<Option<String>> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT failure FROM checkpoint_copies WHERE destination_id = $1 AND org_id = $2 AND written_at IS NULL
             AND not_before IS NULL AND failure IS NOT NULL ORDER BY size LIMIT 1",
        )
        .bind(id.to_string())
        .bind(org_id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(failure,)| failure))
    }

    /// Has copies be tried again in whose place something else stood.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry_occupied_copies(&self, org_id: OrgId, id: DestinationId, at: Timestamp) -> Result<()> {
        sqlx::query(
            "UPDATE checkpoint_copies SET not_before = $3 WHERE destination_id = $1 AND org_id = $2
             AND written_at IS NULL AND not_before IS NULL",
        )
        .bind(id.to_string())
        .bind(org_id.to_string())
        .bind(at.as_millis())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What of an organization waits for a checkpoint, or for its bucket.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn waiting_for_checkpoints(&self, org_id: OrgId) -> Result<WaitingForCheckpoints> {
        let (due_at,): (Option<i64>,) =
            sqlx::query_as("SELECT MIN(due_at) FROM audit_streams WHERE org_id = $1 AND due_at IS NOT NULL")
                .bind(org_id.to_string())
                .fetch_one(&self.pool)
                .await?;
        let copy: Option<(i64, Option<String>)> = sqlx::query_as(
            "SELECT queued_at, failure FROM checkpoint_copies WHERE not_before IS NOT NULL AND org_id = $1
             ORDER BY queued_at LIMIT 1",
        )
        .bind(org_id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(WaitingForCheckpoints {
            event_due_at: due_at.map(time).transpose()?,
            copy_since: copy.map(|(since, failure)| Ok::<_, StoreError>((time(since)?, failure))).transpose()?,
        })
    }

    /// Since when the copy waits that an organization's buckets have waited for longest.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn oldest_waiting_copy(&self) -> Result<Option<Timestamp>> {
        let (oldest,): (Option<i64>,) =
            sqlx::query_as("SELECT MIN(queued_at) FROM checkpoint_copies WHERE not_before IS NOT NULL")
                .fetch_one(&self.pool)
                .await?;
        oldest.map(time).transpose()
    }

    /// Since when the event is due that has waited longest to be in a checkpoint; `None` when none is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn oldest_due_event(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let (oldest,): (Option<i64>,) = sqlx::query_as("SELECT MIN(due_at) FROM audit_streams WHERE due_at <= $1")
            .bind(now.as_millis())
            .fetch_one(&self.pool)
            .await?;
        oldest.map(time).transpose()
    }
}
