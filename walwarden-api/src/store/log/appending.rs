//! How events become leaves: all of it in one transaction that holds the log's row, so that a log never forks.

use sqlx::AssertSqlSafe;
use walwarden_contract::audit::AuditEvent;
use walwarden_contract::log::merkle::Node;
use walwarden_contract::log::{Frontier, Hash, Leaf};
use walwarden_contract::{OrgId, Timestamp};

use super::{Log, hash, number, placeholders};
use crate::store::{Result, Store, StoreError, Tx, audit, count, duplicate, maybe_time, parse, time};

/// How many rows one statement writes.
const ROWS: usize = 500;

#[derive(sqlx::FromRow)]
struct Row {
    size: i64,
    frontier: String,
    checkpoint_due_at: i64,
    signed_at: Option<i64>,
}

impl Row {
    fn read(self, org_id: OrgId) -> Result<Log> {
        const WHAT: &str = "edge of the log";
        let length = 2 * size_of::<Hash>();
        let hashes: Result<Vec<_>> = self
            .frontier
            .as_bytes()
            .chunks(length)
            .map(|hex| hash(std::str::from_utf8(hex).unwrap_or_default(), WHAT))
            .collect();
        let edge = Frontier::resume(count(self.size, "size of the log")?, hashes?);
        Ok(Log {
            org_id,
            edge: edge.ok_or(StoreError::Corrupt(WHAT))?,
            checkpoint_due_at: time(self.checkpoint_due_at)?,
            signed_at: maybe_time(self.signed_at)?,
        })
    }
}

const LOG: &str = "SELECT size, frontier, checkpoint_due_at, signed_at FROM audit_logs WHERE org_id = $1";

/// A chain with events that are not in the log.
pub(crate) struct Waiting {
    /// Whose chain it is, as it stands in the store.
    pub(crate) stream_id: String,
    /// How many events it has.
    pub(crate) events: u64,
    /// How many of them are in the log.
    pub(crate) logged: u64,
    /// The hash of the newest.
    pub(crate) head: String,
}

/// Takes the log for this transaction; `None` while somebody else has it.
pub(crate) async fn take(tx: &mut Tx, org_id: OrgId) -> Result<Option<Log>> {
    let text = format!("{LOG} {}", tx.skip_locked());
    let row: Option<Row> =
        sqlx::query_as(AssertSqlSafe(text)).bind(org_id.to_string()).fetch_optional(tx.connection()).await?;
    row.map(|row| row.read(org_id)).transpose()
}

/// The same, and waits for whoever else has it.
pub(crate) async fn lock(tx: &mut Tx, org_id: OrgId) -> Result<Log> {
    let text = tx.locking(LOG);
    let row: Option<Row> = sqlx::query_as(text).bind(org_id.to_string()).fetch_optional(tx.connection()).await?;
    row.ok_or(StoreError::Missing("audit log"))?.read(org_id)
}

/// At most `limit` chains of the organization that have events to log, those that are due first, by their ids as they stand in the
/// store; nobody else can append to them before this transaction ends. A chain that somebody appends to just now is left out: nobody
/// waits for anybody.
pub(crate) async fn waiting(tx: &mut Tx, org_id: OrgId, due_before: Timestamp, limit: u32) -> Result<Vec<String>> {
    let text = format!(
        "SELECT stream_id FROM audit_streams WHERE org_id = $1 AND due_at <= $2 ORDER BY due_at, stream_id LIMIT $3 {}",
        tx.skip_locked()
    );
    let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(text))
        .bind(org_id.to_string())
        .bind(due_before.as_millis())
        .bind(i64::from(limit))
        .fetch_all(tx.connection())
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What is recorded of a chain.
pub(crate) async fn recorded(tx: &mut Tx, stream_id: String) -> Result<Waiting> {
    let (events, logged, head): (i64, i64, String) =
        sqlx::query_as("SELECT seq, logged, head FROM audit_streams WHERE stream_id = $1")
            .bind(&stream_id)
            .fetch_one(tx.connection())
            .await?;
    let (events, logged) = (count(events, "audit event number")?, count(logged, "audit event number")?);
    Ok(Waiting { stream_id, events, logged, head })
}

/// The next events of a chain.
pub(crate) async fn events(tx: &mut Tx, org_id: OrgId, waiting: &Waiting, limit: u32) -> Result<Vec<AuditEvent>> {
    audit::events_in(tx, org_id, &waiting.stream_id, waiting.logged, limit).await
}

/// The hash of the event of a chain that was logged last, as the log has it.
pub(crate) async fn hash_of_last(tx: &mut Tx, org_id: OrgId, waiting: &Waiting) -> Result<Option<String>> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT hash FROM audit_leaves WHERE stream_id = $1 AND seq = $2 AND org_id = $3")
            .bind(&waiting.stream_id)
            .bind(number(waiting.logged))
            .bind(org_id.to_string())
            .fetch_optional(tx.connection())
            .await?;
    Ok(row.map(|(hash,)| hash))
}

/// Writes down that the first events of a chain are in the log.
pub(crate) async fn logged(tx: &mut Tx, stream_id: &str, events: u64) -> Result<()> {
    sqlx::query(
        "UPDATE audit_streams SET logged = $2, due_at = CASE WHEN seq = $2 THEN NULL ELSE due_at END WHERE stream_id = $1",
    )
    .bind(stream_id)
    .bind(number(events))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Has a chain that cannot be logged as it is wait.
pub(crate) async fn postpone(tx: &mut Tx, stream_id: &str, until: Timestamp) -> Result<()> {
    sqlx::query("UPDATE audit_streams SET due_at = $2 WHERE stream_id = $1")
        .bind(stream_id)
        .bind(until.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Appends leaves to a log that this transaction holds, with the nodes that are complete with them. A checkpoint is due now.
pub(crate) async fn append(tx: &mut Tx, log: &mut Log, leaves: &[Leaf], now: Timestamp) -> Result<()> {
    let before = log.edge.size();
    let mut nodes = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        nodes.extend(log.edge.push(leaf.leaf_hash()).into_iter().filter(|(node, _)| node.level > 0));
    }
    for (chunk, first) in leaves.chunks(ROWS).zip((before..).step_by(ROWS)) {
        insert_leaves(tx, log.org_id, chunk, first).await?;
    }
    for chunk in nodes.chunks(ROWS) {
        insert_nodes(tx, log.org_id, chunk).await?;
    }
    log.checkpoint_due_at = log.checkpoint_due_at.min(now);
    let saved = sqlx::query(
        "UPDATE audit_logs SET size = $3, frontier = $4, checkpoint_due_at = $5 WHERE org_id = $1 AND size = $2",
    )
    .bind(log.org_id.to_string())
    .bind(number(before))
    .bind(number(log.edge.size()))
    .bind(edge_text(&log.edge))
    .bind(log.checkpoint_due_at.as_millis())
    .execute(tx.connection())
    .await?;
    if saved.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Corrupt("size of the log")) }
}

fn edge_text(edge: &Frontier) -> String {
    edge.hashes().iter().map(hex::encode).collect()
}

async fn insert_leaves(tx: &mut Tx, org_id: OrgId, leaves: &[Leaf], first: u64) -> Result<()> {
    let values = placeholders(leaves.len(), 5);
    let text = format!("INSERT INTO audit_leaves (org_id, leaf, stream_id, seq, hash) VALUES {values}");
    let mut query = sqlx::query(AssertSqlSafe(text));
    for (leaf, index) in leaves.iter().zip(first..) {
        query = query.bind(org_id.to_string()).bind(number(index));
        query = query.bind(&leaf.stream).bind(number(leaf.seq)).bind(&leaf.hash);
    }
    query.execute(tx.connection()).await.map_err(duplicate("leaf"))?;
    Ok(())
}

async fn insert_nodes(tx: &mut Tx, org_id: OrgId, nodes: &[(Node, Hash)]) -> Result<()> {
    let text = format!("INSERT INTO audit_nodes (org_id, level, idx, hash) VALUES {}", placeholders(nodes.len(), 4));
    let mut query = sqlx::query(AssertSqlSafe(text));
    for (node, hash) in nodes {
        query = query.bind(org_id.to_string()).bind(i64::from(node.level));
        query = query.bind(number(node.index)).bind(hex::encode(hash));
    }
    query.execute(tx.connection()).await.map_err(duplicate("node of the log"))?;
    Ok(())
}

impl Store {
    /// An organization's log as it stands.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn log(&self, org_id: OrgId) -> Result<Log> {
        let row: Option<Row> = sqlx::query_as(LOG).bind(org_id.to_string()).fetch_optional(&self.pool).await?;
        row.ok_or(StoreError::Missing("audit log"))?.read(org_id)
    }

    /// At most `limit` organizations with events that have to be in a checkpoint by now, or that have to have one signed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_logs(&self, now: Timestamp, limit: u32) -> Result<Vec<OrgId>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT org_id FROM audit_streams WHERE due_at <= $1
             UNION SELECT org_id FROM audit_logs WHERE checkpoint_due_at <= $1 LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|(id,)| parse(&id, "organization id")).collect()
    }
}
