//! Leaves and nodes read back, and the proofs that are made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sqlx::AssertSqlSafe;
use walwarden_contract::log::merkle::{Node, consistency, inclusion, join, subtrees};
use walwarden_contract::log::{Hash, Leaf};
use walwarden_contract::{OrgId, StreamId};

use super::{hash, number};
use crate::store::{Result, Store, StoreError, count};

/// How many nodes one statement reads.
const AT_ONCE: usize = 200;

/// Hashes of complete subtrees.
struct Nodes(BTreeMap<Node, Hash>);

impl Nodes {
    fn join(&self, range: Range<u64>) -> Result<Hash> {
        let hash = |node| self.0.get(node).copied().ok_or(StoreError::Corrupt("log: a node of it is missing"));
        Ok(join(&subtrees(range).iter().map(hash).collect::<Result<Vec<_>>>()?))
    }

    fn path(&self, ranges: &[Range<u64>]) -> Result<Vec<Hash>> {
        ranges.iter().map(|range| self.join(range.clone())).collect()
    }
}

type LeafRow = (i64, String, i64, String);

fn leaf((_, stream, seq, hash): LeafRow) -> Result<Leaf> {
    Ok(Leaf { hash, seq: count(seq, "audit event number")?, stream })
}

impl Store {
    /// At most `limit` leaves of the organization's log from number `first` on, in order. Numbers begin with 0.
    ///
    /// # Errors
    /// When the store fails, or the leaves do not follow each other.
    pub async fn leaves(&self, org_id: OrgId, first: u64, limit: u32) -> Result<Vec<Leaf>> {
        let rows: Vec<LeafRow> = sqlx::query_as(
            "SELECT leaf, stream_id, seq, hash FROM audit_leaves WHERE org_id = $1 AND leaf >= $2 ORDER BY leaf LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(number(first))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let in_order = rows.iter().zip(first..).all(|((leaf, ..), expected)| *leaf == number(expected));
        if !in_order {
            return Err(StoreError::Corrupt("log: a leaf of it is missing"));
        }
        rows.into_iter().map(leaf).collect()
    }

    /// The same leaves, each with the hash of its event as it is on record now; `None` when the event is not there.
    ///
    /// # Errors
    /// When the store fails, or the leaves do not follow each other.
    pub async fn leaves_with_events(
        &self,
        org_id: OrgId,
        first: u64,
        limit: u32,
    ) -> Result<Vec<(Leaf, Option<String>)>> {
        let rows: Vec<(i64, String, i64, String, Option<String>)> = sqlx::query_as(
            "SELECT l.leaf, l.stream_id, l.seq, l.hash, e.hash FROM audit_leaves l
             LEFT JOIN audit_events e ON e.stream_id = l.stream_id AND e.seq = l.seq AND e.org_id = l.org_id
             WHERE l.org_id = $1 AND l.leaf >= $2 ORDER BY l.leaf LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(number(first))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        if !rows.iter().zip(first..).all(|(row, expected)| row.0 == number(expected)) {
            return Err(StoreError::Corrupt("log: a leaf of it is missing"));
        }
        rows.into_iter()
            .map(|(number, stream, seq, hash, event)| Ok((leaf((number, stream, seq, hash))?, event)))
            .collect()
    }

    /// How many of a chain's events are in the log, as the chain's record says and as the log has it; and whether all of them are,
    /// or the others are to come into it.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn logging(&self, org_id: OrgId, stream_id: StreamId) -> Result<(u64, u64, bool)> {
        let row: Option<(i64, i64, i64, Option<i64>)> = sqlx::query_as(
            "SELECT seq, logged, (SELECT COUNT(*) FROM audit_leaves l WHERE l.stream_id = s.stream_id AND l.org_id = s.org_id),
             due_at FROM audit_streams s WHERE stream_id = $1 AND org_id = $2",
        )
        .bind(stream_id.to_string())
        .bind(org_id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let (events, recorded, found, due_at) = row.ok_or(StoreError::Missing("audit stream"))?;
        let recorded = count(recorded, "audit event number")?;
        Ok((recorded, count(found, "count")?, due_at.is_some() || number(recorded) == events))
    }

    /// The numbers of the leaves of a chain's events after number `after`, at most `limit`, in order: with the hash that the log has.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn leaves_of(
        &self,
        org_id: OrgId,
        stream_id: StreamId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Leaf)>> {
        let rows: Vec<LeafRow> = sqlx::query_as(
            "SELECT leaf, stream_id, seq, hash FROM audit_leaves WHERE stream_id = $1 AND org_id = $2 AND seq > $3
             ORDER BY seq LIMIT $4",
        )
        .bind(stream_id.to_string())
        .bind(org_id.to_string())
        .bind(number(after))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| Ok((count(row.0, "leaf number")?, leaf(row)?))).collect()
    }

    /// The number of an event's leaf; `None` while it is not in the log.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn leaf_of(&self, org_id: OrgId, stream_id: StreamId, seq: u64) -> Result<Option<u64>> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT leaf FROM audit_leaves WHERE stream_id = $1 AND seq = $2 AND org_id = $3")
                .bind(stream_id.to_string())
                .bind(number(seq))
                .bind(org_id.to_string())
                .fetch_optional(&self.pool)
                .await?;
        row.map(|(leaf,)| count(leaf, "leaf number")).transpose()
    }

    /// The root of the organization's log when it had this size, from its stored nodes.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a node is missing, as it is for a size that the log never had; or when the store fails.
    pub async fn root_at(&self, org_id: OrgId, size: u64) -> Result<Hash> {
        let whole = 0..size;
        self.nodes(org_id, std::slice::from_ref(&whole)).await?.join(whole)
    }

    /// What proves that a leaf stands in the log of this size, in the order of RFC 6962.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it does not stand in it, or when the store fails.
    pub async fn inclusion_path(&self, org_id: OrgId, leaf: u64, size: u64) -> Result<Vec<Hash>> {
        Ok(self.inclusion_paths(org_id, &[leaf], size).await?.pop().unwrap_or_default())
    }

    /// The same for several leaves, whose paths share most of their nodes.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when one does not stand in it, or when the store fails.
    pub async fn inclusion_paths(&self, org_id: OrgId, leaves: &[u64], size: u64) -> Result<Vec<Vec<Hash>>> {
        let ranges = |leaf: &u64| inclusion(*leaf, size).ok_or(StoreError::Missing("leaf in a log of this size"));
        let all: Vec<_> = leaves.iter().map(ranges).collect::<Result<_>>()?;
        let nodes = self.nodes(org_id, &all.concat()).await?;
        all.iter().map(|ranges| nodes.path(ranges)).collect()
    }

    /// What proves that the log of size `to` begins with the one of size `from`, in the order of RFC 6962.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when `from` is the larger one, or when the store fails.
    pub async fn consistency_path(&self, org_id: OrgId, from: u64, to: u64) -> Result<Vec<Hash>> {
        let ranges = consistency(from, to).ok_or(StoreError::Missing("larger log"))?;
        self.nodes(org_id, &ranges).await?.path(&ranges)
    }

    /// Reads the complete subtrees that ranges of leaves consist of.
    async fn nodes(&self, org_id: OrgId, ranges: &[Range<u64>]) -> Result<Nodes> {
        let wanted: BTreeSet<_> = ranges.iter().flat_map(|range| subtrees(range.clone())).collect();
        let (leaves, inner): (Vec<Node>, Vec<Node>) = wanted.into_iter().partition(|node| node.level == 0);
        let mut found = BTreeMap::new();
        for chunk in leaves.chunks(AT_ONCE) {
            let numbers: Vec<_> = (2..chunk.len() + 2).map(|number| format!("${number}")).collect();
            let text = format!(
                "SELECT leaf, stream_id, seq, hash FROM audit_leaves WHERE org_id = $1 AND leaf IN ({})",
                numbers.join(", ")
            );
            let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(org_id.to_string());
            for node in chunk {
                query = query.bind(number(node.index));
            }
            let rows: Vec<LeafRow> = query.fetch_all(&self.pool).await?;
            for row in rows {
                found.insert(Node { level: 0, index: count(row.0, "leaf number")? }, leaf(row)?.leaf_hash());
            }
        }
        found.extend(self.inner_nodes(org_id, &inner).await?);
        Ok(Nodes(found))
    }

    /// The hashes of complete subtrees of more than one leaf; those that are not stored are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inner_nodes(&self, org_id: OrgId, wanted: &[Node]) -> Result<BTreeMap<Node, Hash>> {
        let mut found = BTreeMap::new();
        for chunk in wanted.chunks(AT_ONCE) {
            let pair = |first: usize| format!("(level = ${first} AND idx = ${})", first + 1);
            let pairs: Vec<_> = (0..chunk.len()).map(|index| pair(2 * index + 2)).collect();
            let text =
                format!("SELECT level, idx, hash FROM audit_nodes WHERE org_id = $1 AND ({})", pairs.join(" OR "));
            let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(org_id.to_string());
            for node in chunk {
                query = query.bind(i64::from(node.level)).bind(number(node.index));
            }
            let rows: Vec<(i64, i64, String)> = query.fetch_all(&self.pool).await?;
            for (level, index, text) in rows {
                let node = Node { level: count(level, "level")?, index: count(index, "index of a node")? };
                found.insert(node, hash(&text, "node of the log")?);
            }
        }
        Ok(found)
    }
}
