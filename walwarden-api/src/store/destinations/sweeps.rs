//! When each bucket is next searched for unfinished uploads.

use sqlx::AssertSqlSafe;
use walwarden_contract::Timestamp;

use super::{Destination, Row};
use crate::store::{Result, Store, Tx};

impl Store {
    /// Whether a bucket is due. Cheap, so that a look that finds none does not write.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_due_sweep(&self, now: Timestamp) -> Result<bool> {
        let row: Option<(String,)> = sqlx::query_as("SELECT id FROM destinations WHERE next_sweep_at <= $1 LIMIT 1")
            .bind(now.as_millis())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }
}

/// Takes the destination whose bucket has waited longest, and says when it is due again, so that nobody else takes it.
pub(crate) async fn take_due_sweep(tx: &mut Tx, now: Timestamp, next: Timestamp) -> Result<Option<Destination>> {
    let text = format!(
        "UPDATE destinations SET next_sweep_at = $2 WHERE id = (
             SELECT id FROM destinations WHERE next_sweep_at <= $1 ORDER BY next_sweep_at, id LIMIT 1 {}) RETURNING *",
        tx.skip_locked()
    );
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(text))
        .bind(now.as_millis())
        .bind(next.as_millis())
        .fetch_optional(tx.connection())
        .await?;
    row.map(Row::read).transpose()
}
