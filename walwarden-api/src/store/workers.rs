//! Processes that work, and when each was last seen.

use walwarden_contract::Timestamp;

use super::{Result, Store, count, maybe_time};

/// The working processes that were seen of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// How many there are.
    pub workers: u64,
    /// When one of them was last seen.
    pub last_seen_at: Option<Timestamp>,
}

impl Store {
    /// Writes down that a process works, and forgets those that were last seen before `forget_before`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn see_worker(
        &self,
        name: &str,
        started_at: Timestamp,
        seen_at: Timestamp,
        forget_before: Timestamp,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO workers (name, started_at, seen_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, seen_at = excluded.seen_at",
        )
        .bind(name)
        .bind(started_at.as_millis())
        .bind(seen_at.as_millis())
        .execute(tx.connection())
        .await?;
        sqlx::query("DELETE FROM workers WHERE seen_at < $1")
            .bind(forget_before.as_millis())
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }

    /// The working processes that were seen at or after `since`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn workers_seen_since(&self, since: Timestamp) -> Result<Presence> {
        let (workers, last): (i64, Option<i64>) =
            sqlx::query_as("SELECT COUNT(*), MAX(seen_at) FROM workers WHERE seen_at >= $1")
                .bind(since.as_millis())
                .fetch_one(&self.pool)
                .await?;
        Ok(Presence { workers: count(workers, "count")?, last_seen_at: maybe_time(last)? })
    }
}
