//! Hash-chained audit events, appended in the transaction of what they record.

use walwarden_contract::audit::{AuditEvent, EventKind, FIRST_PREV_HASH, Payload, StreamKind, event_hash};
use walwarden_contract::{OrgId, StreamId, Timestamp};

use super::{Result, Store, StoreError, Tx, count, json, name, parse, time};

/// How long an event that ends nothing may wait until it is in a checkpoint.
pub(crate) const LOGGED_WITHIN_MILLIS: i64 = 86_400_000;

/// When an event has to be in a checkpoint at the latest: at once where a job ends with it, or it is the organization's own.
fn due_at(at: Timestamp, payload: &Payload) -> i64 {
    let ends = match payload {
        Payload::BackupCompleted(_)
        | Payload::BackupCancelled(_)
        | Payload::RestoreCompleted(_)
        | Payload::RestoreFailed(_)
        | Payload::RestoreCancelled(_)
        | Payload::RestoreTimedOut(_) => true,
        // Another attempt may follow.
        Payload::BackupFailed(failed) => !failed.retryable,
        other => other.kind().stream() == StreamKind::Organization,
    };
    if ends { at.as_millis() } else { at.as_millis().saturating_add(LOGGED_WITHIN_MILLIS) }
}

/// Appends an event to the chain of `stream_id`: a job's id, or the organization's for its own events.
pub(crate) async fn append(
    tx: &mut Tx,
    org_id: OrgId,
    stream_id: &str,
    at: Timestamp,
    payload: &Payload,
) -> Result<()> {
    let unwritable = |_| StoreError::Corrupt("audit event payload");
    let due_at = due_at(at, payload);
    let (kind, payload) = (payload.kind(), payload.to_value().map_err(unwritable)?);
    let hash_after = |head: &str| event_hash(head, at, stream_id, kind, &payload).map_err(unwritable);
    // The upsert locks the stream's row, so that chains never fork. It answers the head as it was, or of a new stream as it is.
    let first = hash_after(FIRST_PREV_HASH)?;
    let (seq, head): (i64, String) = sqlx::query_as(
        "INSERT INTO audit_streams (stream_id, org_id, seq, head, due_at) VALUES ($1, $2, 1, $3, $4)
         ON CONFLICT (stream_id) DO UPDATE SET seq = audit_streams.seq + 1,
         due_at = CASE WHEN audit_streams.due_at < excluded.due_at THEN audit_streams.due_at ELSE excluded.due_at END
         RETURNING seq, head",
    )
    .bind(stream_id)
    .bind(org_id.to_string())
    .bind(&first)
    .bind(due_at)
    .fetch_one(tx.connection())
    .await?;
    let (prev_hash, hash) = if seq == 1 {
        (FIRST_PREV_HASH.to_owned(), first)
    } else {
        let hash = hash_after(&head)?;
        sqlx::query("UPDATE audit_streams SET head = $2 WHERE stream_id = $1")
            .bind(stream_id)
            .bind(&hash)
            .execute(tx.connection())
            .await?;
        (head, hash)
    };
    sqlx::query(
        "INSERT INTO audit_events (stream_id, seq, org_id, at, kind, payload, prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(stream_id)
    .bind(seq)
    .bind(org_id.to_string())
    .bind(at.as_millis())
    .bind(kind.as_str())
    .bind(payload.to_string())
    .bind(prev_hash)
    .bind(hash)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The same as [`Store::audit_events`], in a transaction.
pub(super) async fn events_in(
    tx: &mut Tx,
    org_id: OrgId,
    stream_id: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<AuditEvent>> {
    let rows: Vec<Row> = sqlx::query_as(EVENTS_AFTER)
        .bind(stream_id)
        .bind(org_id.to_string())
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(|row| row.read(stream_id)).collect()
}

const EVENTS_AFTER: &str = "SELECT seq, at, kind, payload, prev_hash, hash FROM audit_events
     WHERE stream_id = $1 AND org_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    kind: String,
    payload: String,
    prev_hash: String,
    hash: String,
}

impl Row {
    fn read(self, stream_id: &str) -> Result<AuditEvent> {
        Ok(AuditEvent {
            kind: name(self.kind, "audit event kind")?,
            seq: count(self.seq, "audit event number")?,
            at: time(self.at)?,
            job_id: stream_id.to_owned(),
            payload: json(&self.payload, "audit event payload")?,
            prev_hash: self.prev_hash,
            hash: self.hash,
        })
    }
}

/// Where a chain ends, as recorded beside its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamHead {
    /// Whose chain it is.
    pub stream_id: StreamId,
    /// How many events it has.
    pub events: u64,
    /// The hash of the newest.
    pub head: String,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    stream_id: String,
    seq: i64,
    head: String,
}

impl HeadRow {
    fn read(self) -> Result<StreamHead> {
        Ok(StreamHead {
            stream_id: parse(&self.stream_id, "audit stream id")?,
            events: count(self.seq, "audit event number")?,
            head: self.head,
        })
    }
}

impl Store {
    /// Appends an event to the organization's own chain, where there is nothing else to write.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_organization_event(&self, org_id: OrgId, at: Timestamp, payload: &Payload) -> Result<()> {
        let mut tx = self.begin().await?;
        append(&mut tx, org_id, &org_id.to_string(), at, payload).await?;
        tx.commit().await
    }

    /// The whole chain of a job, or of the organization, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_chain(&self, org_id: OrgId, stream_id: &str) -> Result<Vec<AuditEvent>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, at, kind, payload, prev_hash, hash FROM audit_events
             WHERE stream_id = $1 AND org_id = $2 ORDER BY seq",
        )
        .bind(stream_id)
        .bind(org_id.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| row.read(stream_id)).collect()
    }

    /// The newest event of this kind in a chain.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest_event(&self, org_id: OrgId, stream_id: &str, kind: EventKind) -> Result<Option<AuditEvent>> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT seq, at, kind, payload, prev_hash, hash FROM audit_events
             WHERE stream_id = $1 AND org_id = $2 AND kind = $3 ORDER BY seq DESC LIMIT 1",
        )
        .bind(stream_id)
        .bind(org_id.to_string())
        .bind(kind.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| row.read(stream_id)).transpose()
    }

    /// At most `limit` events of a chain after number `after`, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_events(
        &self,
        org_id: OrgId,
        stream_id: StreamId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditEvent>> {
        let stream_id = stream_id.to_string();
        let rows: Vec<Row> = sqlx::query_as(EVENTS_AFTER)
            .bind(&stream_id)
            .bind(org_id.to_string())
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(|row| row.read(&stream_id)).collect()
    }

    /// Where a chain of the organization ends.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn audit_stream(&self, org_id: OrgId, stream_id: StreamId) -> Result<StreamHead> {
        let row: Option<HeadRow> =
            sqlx::query_as("SELECT stream_id, seq, head FROM audit_streams WHERE stream_id = $1 AND org_id = $2")
                .bind(stream_id.to_string())
                .bind(org_id.to_string())
                .fetch_optional(&self.pool)
                .await?;
        row.ok_or(StoreError::Missing("audit stream"))?.read()
    }

    /// At most `limit` chains of the organization with ids after `after`, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_streams(&self, org_id: OrgId, after: Option<StreamId>, limit: u32) -> Result<Vec<StreamHead>> {
        let rows: Vec<HeadRow> = sqlx::query_as(
            "SELECT stream_id, seq, head FROM audit_streams WHERE org_id = $1 AND stream_id > $2
             ORDER BY stream_id LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(HeadRow::read).collect()
    }

    /// At most `limit` chains of the organization behind `after`, by their ids as they stand in the store: what nobody can read
    /// must not hide what comes after it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_stream_ids(&self, org_id: OrgId, after: &str, limit: u32) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT stream_id FROM audit_streams WHERE org_id = $1 AND stream_id > $2 ORDER BY stream_id LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
