//! How much work waits.

use walwarden_contract::model::BackupState;
use walwarden_contract::{BackupJobId, DatabaseId, OrgId, Timestamp};

use super::super::{Result, Store, Tx, count, name, parse, time};

/// The backup jobs of an organization that have not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many wait for a worker.
    pub waiting: u64,
    /// How many a worker holds.
    pub held: u64,
    /// When the one that has waited longest was queued.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// Counts the backup jobs of the organization that have not ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn queue(&self, org_id: OrgId) -> Result<Queue> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT state, COUNT(*), MIN(created_at) FROM backup_jobs
             WHERE org_id = $1 AND state NOT IN ('completed', 'failed_terminal', 'cancelled') GROUP BY state",
        )
        .bind(org_id.to_string())
        .fetch_all(&self.pool)
        .await?;
        let mut queue = Queue::default();
        for (state, jobs, oldest) in rows {
            let jobs: u64 = count(jobs, "count")?;
            if matches!(name(state, "backup state")?, BackupState::Queued | BackupState::FailedRetryable) {
                let oldest = time(oldest)?;
                queue.waiting += jobs;
                queue.oldest = Some(queue.oldest.map_or(oldest, |other| other.min(oldest)));
            } else {
                queue.held += jobs;
            }
        }
        Ok(queue)
    }
}

impl Store {
    /// Lets every queued job that waits for longer than until `latest` begin at `now`, and answers how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hasten_queued(&self, latest: Timestamp, now: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let hastened = sqlx::query("UPDATE backup_jobs SET not_before = $2 WHERE state = 'queued' AND not_before > $1")
            .bind(latest.as_millis())
            .bind(now.as_millis())
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(hastened.rows_affected())
    }
}

/// The backup of a database that is queued or running.
pub(crate) async fn active_backup(tx: &mut Tx, database_id: DatabaseId) -> Result<Option<BackupJobId>> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM backup_jobs
         WHERE database_id = $1 AND state NOT IN ('completed', 'failed_terminal', 'cancelled')",
    )
    .bind(database_id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|(id,)| parse(&id, "backup id")).transpose()
}
