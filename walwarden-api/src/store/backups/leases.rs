//! Leases on backup jobs.

use walwarden_contract::{BackupJobId, Timestamp};

use super::super::{Result, Store, StoreError};

impl Store {
    /// Whether a lease has run out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_expired_lease(&self, now: Timestamp) -> Result<bool> {
        let row: Option<(String,)> = sqlx::query_as("SELECT id FROM backup_jobs WHERE lease_expires_at <= $1 LIMIT 1")
            .bind(now.as_millis())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when the fence has moved, or when the store fails.
    pub async fn extend_lease(&self, id: BackupJobId, fence: i64, until: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        let extended = sqlx::query(
            "UPDATE backup_jobs SET lease_expires_at = $3 WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL",
        )
        .bind(id.to_string())
        .bind(fence)
        .bind(until.as_millis())
        .execute(tx.connection())
        .await?;
        if extended.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        tx.commit().await
    }

    /// Whether the worker with this fence still holds the job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds_lease(&self, id: BackupJobId, fence: i64) -> Result<bool> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT id FROM backup_jobs WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL")
                .bind(id.to_string())
                .bind(fence)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.is_some())
    }

    /// Ends every lease at `latest` that ends later, and answers how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shorten_leases(&self, latest: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let shortened = sqlx::query("UPDATE backup_jobs SET lease_expires_at = $1 WHERE lease_expires_at > $1")
            .bind(latest.as_millis())
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(shortened.rows_affected())
    }
}
