//! Reading backup jobs: one, the list, and the completed ones that evidence and recovery are about.

use walwarden_contract::bundle::ExportScope;
use walwarden_contract::{BackupJobId, DatabaseId, OrgId, Timestamp};

use super::super::{Result, Store, StoreError, count};
use super::{BackupJob, Row};

/// Stands before every backup's id, and behind every one, however the store collates text.
const FIRST: &str = "bkp_";
const LAST: &str = "bkp_g";

fn before(id: Option<BackupJobId>) -> String {
    id.map_or_else(|| LAST.to_owned(), |id| id.to_string())
}

impl Store {
    /// Reads a backup job of the organization.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn backup(&self, org_id: OrgId, id: BackupJobId) -> Result<BackupJob> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM backup_jobs WHERE id = $1 AND org_id = $2")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.ok_or(StoreError::Missing("backup job"))?.read()
    }

    /// At most `limit` backups of a database with ids before `before_id`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn backups(
        &self,
        org_id: OrgId,
        database_id: DatabaseId,
        before_id: Option<BackupJobId>,
        limit: u32,
    ) -> Result<Vec<BackupJob>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM backup_jobs WHERE org_id = $1 AND database_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        )
        .bind(org_id.to_string())
        .bind(database_id.to_string())
        .bind(before(before_id))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// At most `limit` kept backups of the organization with ids before `before_id`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn completed_backups(
        &self,
        org_id: OrgId,
        before_id: Option<BackupJobId>,
        limit: u32,
    ) -> Result<Vec<BackupJob>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM backup_jobs WHERE org_id = $1 AND state = 'completed' AND expiring_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(before(before_id))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// At most `limit` kept backups of a database whose dump had begun by `started_by`, with ids before
    /// `before_id`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn completed_backups_of(
        &self,
        org_id: OrgId,
        database_id: DatabaseId,
        started_by: Option<Timestamp>,
        before_id: Option<BackupJobId>,
        limit: u32,
    ) -> Result<Vec<BackupJob>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM backup_jobs WHERE org_id = $1 AND database_id = $2 AND state = 'completed'
             AND expiring_at IS NULL AND started_at <= $3 AND id < $4 ORDER BY id DESC LIMIT $5",
        )
        .bind(org_id.to_string())
        .bind(database_id.to_string())
        .bind(started_by.map_or(i64::MAX, Timestamp::as_millis))
        .bind(before(before_id))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// At most `limit` kept backups of a database with ids after `after_id`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn completed_backups_since(
        &self,
        org_id: OrgId,
        database_id: DatabaseId,
        after_id: Option<BackupJobId>,
        limit: u32,
    ) -> Result<Vec<BackupJob>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM backup_jobs WHERE org_id = $1 AND database_id = $2 AND state = 'completed'
             AND expiring_at IS NULL AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind(org_id.to_string())
        .bind(database_id.to_string())
        .bind(after_id.map_or_else(|| FIRST.to_owned(), |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// At most `limit` backups that were completed in a period, behind one of them, oldest first; deleted ones too.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn backups_completed_between(
        &self,
        org_id: OrgId,
        scope: &ExportScope,
        behind: Option<(Timestamp, BackupJobId)>,
        limit: u32,
    ) -> Result<Vec<BackupJob>> {
        let database = scope.database_id.map_or_else(String::new, |id| id.to_string());
        let (at, id) = behind.map_or((i64::MIN, String::new()), |(at, id)| (at.as_millis(), id.to_string()));
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM backup_jobs WHERE org_id = $1 AND (database_id = $2 OR $2 = '') AND state = 'completed'
             AND finished_at >= $3 AND finished_at < $4 AND (finished_at, id) > ($5, $6) ORDER BY finished_at, id LIMIT $7",
        )
        .bind(org_id.to_string())
        .bind(database)
        .bind(scope.from.as_millis())
        .bind(scope.to.as_millis())
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// How many completed backups of a database are kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_completed_backups(&self, org_id: OrgId, database_id: DatabaseId) -> Result<u64> {
        let (backups,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM backup_jobs WHERE org_id = $1 AND database_id = $2 AND state = 'completed'
             AND expiring_at IS NULL",
        )
        .bind(org_id.to_string())
        .bind(database_id.to_string())
        .fetch_one(&self.pool)
        .await?;
        count(backups, "count")
    }
}
