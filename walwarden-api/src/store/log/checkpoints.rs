//! Signed checkpoints: a size has one root, and one note a day.

use walwarden_contract::log::{Checkpoint, Hash, checkpoint};
use walwarden_contract::{OrgId, StreamId, Timestamp};

use super::{Log, hash, number};
use crate::store::{Result, Store, StoreError, Tx, count, json, time};

/// A checkpoint with its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many leaves the log had.
    pub size: u64,
    /// On which day it was signed, as its object key names it: `2026/01/31`.
    pub day: String,
    /// The root of the tree over them.
    pub root: Hash,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The keys that signed it.
    pub key_ids: Vec<String>,
    /// The signed note.
    pub note: String,
}

impl StoredCheckpoint {
    /// Where it stands in buckets.
    #[must_use]
    pub fn object_key(&self, org_id: OrgId) -> String {
        checkpoint::object_key(org_id, self.size, self.signed_at)
    }

    /// A checkpoint with its note, signed by these keys.
    #[must_use]
    pub fn new(checkpoint: &Checkpoint, key_ids: Vec<String>, note: String) -> Self {
        Self {
            size: checkpoint.size,
            day: day(checkpoint.at),
            root: checkpoint.root,
            signed_at: checkpoint.at,
            key_ids,
            note,
        }
    }
}

/// The day of a time, as object keys name it.
fn day(at: Timestamp) -> String {
    at.to_string()[..10].replace('-', "/")
}

#[derive(sqlx::FromRow)]
struct Row {
    size: i64,
    day: String,
    root: String,
    signed_at: i64,
    key_ids: String,
    note: String,
}

impl Row {
    fn read(self) -> Result<StoredCheckpoint> {
        Ok(StoredCheckpoint {
            size: count(self.size, "size of a checkpoint")?,
            day: self.day,
            root: hash(&self.root, "root of a checkpoint")?,
            signed_at: time(self.signed_at)?,
            key_ids: json(&self.key_ids, "keys of a checkpoint")?,
            note: self.note,
        })
    }
}

const COLUMNS: &str = "size, day, root, signed_at, key_ids, note";

/// What came of a checkpoint that was to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It stands.
    Now,
    /// There is one of this size and day, or one of a larger size: this one is not needed.
    NotNeeded,
    /// There is one of this size with another root. Nothing was written.
    Forked,
}

/// Writes a checkpoint of a log down that this transaction holds; the next is due at `due_at`, unless the log has grown meanwhile.
pub(crate) async fn insert_checkpoint(
    tx: &mut Tx,
    log: &Log,
    new: &StoredCheckpoint,
    due_at: Timestamp,
) -> Result<Inserted> {
    let org_id = log.org_id.to_string();
    let (largest,): (Option<i64>,) = sqlx::query_as("SELECT MAX(size) FROM checkpoint_roots WHERE org_id = $1")
        .bind(&org_id)
        .fetch_one(tx.connection())
        .await?;
    let mut inserted = Inserted::NotNeeded;
    // Proofs of bundles name the checkpoints before theirs: none may be added later.
    if largest.is_none_or(|largest| largest <= number(new.size)) {
        let (root,): (String,) = sqlx::query_as(
            "INSERT INTO checkpoint_roots (org_id, size, root) VALUES ($1, $2, $3)
             ON CONFLICT (org_id, size) DO UPDATE SET root = checkpoint_roots.root RETURNING root",
        )
        .bind(&org_id)
        .bind(number(new.size))
        .bind(hex::encode(new.root))
        .fetch_one(tx.connection())
        .await?;
        if root != hex::encode(new.root) {
            return Ok(Inserted::Forked);
        }
        let written = sqlx::query(
            "INSERT INTO checkpoints (org_id, size, day, root, signed_at, key_ids, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, size, day) DO NOTHING",
        )
        .bind(&org_id)
        .bind(number(new.size))
        .bind(&new.day)
        .bind(&root)
        .bind(new.signed_at.as_millis())
        .bind(serde_json::json!(new.key_ids).to_string())
        .bind(&new.note)
        .execute(tx.connection())
        .await?;
        if written.rows_affected() == 1 {
            inserted = Inserted::Now;
        }
    }
    sqlx::query(
        "UPDATE audit_logs SET signed_at = $3, checkpoint_due_at = CASE WHEN size = $2 THEN $4 ELSE checkpoint_due_at END
         WHERE org_id = $1",
    )
    .bind(&org_id)
    .bind(number(new.size))
    .bind(new.signed_at.as_millis())
    .bind(due_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(inserted)
}

impl Store {
    /// The checkpoint of this size: the first note, where it was signed again on later days. It never changes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_at(&self, org_id: OrgId, size: u64) -> Result<Option<StoredCheckpoint>> {
        let text = format!("SELECT {COLUMNS} FROM checkpoints WHERE org_id = $1 AND size = $2 ORDER BY day LIMIT 1");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .bind(org_id.to_string())
            .bind(number(size))
            .fetch_optional(&self.pool)
            .await?;
        row.map(Row::read).transpose()
    }

    /// The first checkpoint of this size that this key signed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_signed_by(
        &self,
        org_id: OrgId,
        size: u64,
        key_id: &str,
    ) -> Result<Option<StoredCheckpoint>> {
        let text = format!(
            "SELECT {COLUMNS} FROM checkpoints WHERE org_id = $1 AND size = $2 AND key_ids LIKE $3 ORDER BY day LIMIT 1"
        );
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .bind(org_id.to_string())
            .bind(number(size))
            .bind(format!("%\"{key_id}\"%"))
            .fetch_optional(&self.pool)
            .await?;
        row.map(Row::read).transpose()
    }

    /// The note of this size that was signed on this day.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_on(&self, org_id: OrgId, size: u64, day: &str) -> Result<Option<StoredCheckpoint>> {
        let text = format!("SELECT {COLUMNS} FROM checkpoints WHERE org_id = $1 AND size = $2 AND day = $3");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .bind(org_id.to_string())
            .bind(number(size))
            .bind(day)
            .fetch_optional(&self.pool)
            .await?;
        row.map(Row::read).transpose()
    }

    /// The same, by the time at which it says that it was signed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_at_time(
        &self,
        org_id: OrgId,
        size: u64,
        at: Timestamp,
    ) -> Result<Option<StoredCheckpoint>> {
        self.checkpoint_on(org_id, size, &day(at)).await
    }

    /// At most `limit` sizes behind `after` with the roots that were signed for them, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_roots(&self, org_id: OrgId, after: u64, limit: u32) -> Result<Vec<(u64, Hash)>> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT size, root FROM checkpoint_roots WHERE org_id = $1 AND size > $2 ORDER BY size LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(number(after))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let read = |(size, root): (i64, String)| {
            Ok((count(size, "size of a checkpoint")?, hash(&root, "root of a checkpoint")?))
        };
        rows.into_iter().map(read).collect()
    }

    /// The checkpoint of the largest size, as [`checkpoint_at`](Self::checkpoint_at) answers it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest_checkpoint(&self, org_id: OrgId) -> Result<Option<StoredCheckpoint>> {
        Ok(self.checkpoints_before(org_id, u64::MAX, 1).await?.pop())
    }

    /// The newest checkpoint, if it covers an event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest_checkpoint_covering(
        &self,
        org_id: OrgId,
        stream_id: StreamId,
        seq: u64,
    ) -> Result<Option<StoredCheckpoint>> {
        let Some(leaf) = self.leaf_of(org_id, stream_id, seq).await? else { return Ok(None) };
        Ok(self.newest_checkpoint(org_id).await?.filter(|newest| newest.size > leaf))
    }

    /// At most `limit` checkpoints of smaller sizes than this, the largest first, each as
    /// [`checkpoint_at`](Self::checkpoint_at) answers it. Once there is a checkpoint of this size, they never change.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoints_before(&self, org_id: OrgId, size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>> {
        let text = format!(
            "SELECT {COLUMNS} FROM checkpoints c WHERE org_id = $1 AND size < $2 AND day = (
                 SELECT MIN(day) FROM checkpoints first WHERE first.org_id = c.org_id AND first.size = c.size)
             ORDER BY size DESC LIMIT $3"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .bind(org_id.to_string())
            .bind(number(size))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// At most `limit` checkpoints with all of their notes, newest first, behind the one of this size and day.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_page(
        &self,
        org_id: OrgId,
        behind: Option<(u64, &str)>,
        limit: u32,
    ) -> Result<Vec<StoredCheckpoint>> {
        let (size, day) = behind.unwrap_or((u64::MAX, ""));
        let text = format!(
            "SELECT {COLUMNS} FROM checkpoints WHERE org_id = $1 AND (size, day) < ($2, $3)
             ORDER BY size DESC, day DESC LIMIT $4"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .bind(org_id.to_string())
            .bind(number(size))
            .bind(day)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// Has the next checkpoint of a log be signed then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn postpone_checkpoint(&self, org_id: OrgId, until: Timestamp) -> Result<()> {
        let saved = sqlx::query("UPDATE audit_logs SET checkpoint_due_at = $2 WHERE org_id = $1")
            .bind(org_id.to_string())
            .bind(until.as_millis())
            .execute(&self.pool)
            .await?;
        if saved.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Missing("audit log")) }
    }
}
