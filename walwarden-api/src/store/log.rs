//! Each organization's log: leaves and nodes of its tree, the signed checkpoints of it, and their copies in buckets.

mod appending;
mod checkpoints;
mod copies;
mod proofs;

use walwarden_contract::log::{Frontier, Hash};
use walwarden_contract::{OrgId, Timestamp};

pub(crate) use self::appending::{
    Waiting, append, events, hash_of_last, lock, logged, postpone, recorded, take, waiting,
};
pub use self::checkpoints::StoredCheckpoint;
pub(crate) use self::checkpoints::{Inserted, insert_checkpoint};
pub use self::copies::{Copy, CopyKey, CopyState, WaitingForCheckpoints};
pub(crate) use self::copies::{drop_waiting, queue_copies};
use super::{Result, StoreError, Tx};

/// A log as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Whose it is.
    pub org_id: OrgId,
    /// The right edge of its tree.
    pub edge: Frontier,
    /// When a checkpoint is to be signed at the latest.
    pub checkpoint_due_at: Timestamp,
    /// When one was last signed.
    pub signed_at: Option<Timestamp>,
}

/// Begins the log of a new organization.
pub(super) async fn begin(tx: &mut Tx, org_id: OrgId, created_at: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO audit_logs (org_id, size, frontier, checkpoint_due_at) VALUES ($1, 0, '', $2)")
        .bind(org_id.to_string())
        .bind(created_at.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Reads a hash back.
fn hash(text: &str, what: &'static str) -> Result<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).map_err(|_| StoreError::Corrupt(what))?;
    Ok(hash)
}

/// A number of leaves, events or levels as the store keeps it.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// `rows` lists of `columns` placeholders, as `VALUES` takes them.
fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let all: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", all.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
