//! Hash-chained audit events, appended in the transaction of what they record.

use serde_json::Value;
use walwarden_contract::audit::{AuditEvent, EventKind, FIRST_PREV_HASH, event_hash};
use walwarden_contract::{OrgId, Timestamp};

use super::{Result, Store, StoreError, Tx, count, json, name, time};

/// Appends an event to the chain of `stream_id`: a job's id, or the organization's for its own events.
pub(crate) async fn append(
    tx: &mut Tx,
    org_id: OrgId,
    stream_id: &str,
    at: Timestamp,
    kind: EventKind,
    payload: &Value,
) -> Result<()> {
    // The upsert locks the stream's row, so that chains never fork.
    let (seq, head): (i64, String) = sqlx::query_as(
        "INSERT INTO audit_streams (stream_id, org_id, seq, head) VALUES ($1, $2, 1, $3)
         ON CONFLICT (stream_id) DO UPDATE SET seq = audit_streams.seq + 1 RETURNING seq, head",
    )
    .bind(stream_id)
    .bind(org_id.to_string())
    .bind(FIRST_PREV_HASH)
    .fetch_one(tx.connection())
    .await?;
    let hash =
        event_hash(&head, at, stream_id, kind, payload).map_err(|_| StoreError::Corrupt("audit event payload"))?;
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
    .bind(&head)
    .bind(&hash)
    .execute(tx.connection())
    .await?;
    sqlx::query("UPDATE audit_streams SET head = $2 WHERE stream_id = $1")
        .bind(stream_id)
        .bind(&hash)
        .execute(tx.connection())
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    kind: String,
    payload: String,
    prev_hash: String,
    hash: String,
}

impl Store {
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
        rows.into_iter()
            .map(|row| {
                Ok(AuditEvent {
                    kind: name(row.kind, "audit event kind")?,
                    seq: count(row.seq, "audit event number")?,
                    at: time(row.at)?,
                    job_id: stream_id.to_owned(),
                    payload: json(&row.payload, "audit event payload")?,
                    prev_hash: row.prev_hash,
                    hash: row.hash,
                })
            })
            .collect()
    }
}
