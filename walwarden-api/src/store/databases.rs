//! Protected databases. Their DSNs are sealed before they come here.

mod changes;

use walwarden_contract::model::SourceCheckSummary;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId, Timestamp};

pub(crate) use self::changes::{insert, lock, remove, save};
use super::{Result, Store, StoreError, Tx, count, json, maybe_time, parse, time};

/// A database that is backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its identifier.
    pub id: DatabaseId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// Where its backups go.
    pub destination_id: DestinationId,
    /// The name that the operator gave it.
    pub name: String,
    /// Its name on the source server.
    pub database_name: String,
    /// Where it is, without any credential.
    pub redacted_dsn: String,
    /// The sealed DSN.
    pub sealed_dsn: String,
    /// The compression asked for.
    pub codec: String,
    /// For how many days its completed backups are kept; for ever when `None`.
    pub retention_days: Option<u32>,
    /// Five-field cron expression in UTC.
    pub schedule: Option<String>,
    /// When the schedule next starts a backup.
    pub next_run_at: Option<Timestamp>,
    /// How its source was when it was last looked at.
    pub source_check: Option<SourceCheckSummary>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The newest completed backup of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastBackup {
    /// The job.
    pub id: BackupJobId,
    /// When its dump began.
    pub started_at: Timestamp,
    /// When it was completed.
    pub finished_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    destination_id: String,
    name: String,
    database_name: String,
    redacted_dsn: String,
    sealed_dsn: String,
    codec: String,
    retention_days: Option<i64>,
    schedule: Option<String>,
    next_run_at: Option<i64>,
    source_check: Option<String>,
    created_at: i64,
    updated_at: i64,
    last_backup_id: Option<String>,
    last_started_at: Option<i64>,
    last_finished_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<(Database, Option<LastBackup>)> {
        let last = match (self.last_backup_id, maybe_time(self.last_started_at)?) {
            (Some(id), Some(started_at)) => {
                let finished_at = maybe_time(self.last_finished_at)?.unwrap_or(started_at);
                Some(LastBackup { id: parse(&id, "backup id")?, started_at, finished_at })
            }
            _ => None,
        };
        let database = Database {
            id: parse(&self.id, "database id")?,
            org_id: parse(&self.org_id, "organization id")?,
            destination_id: parse(&self.destination_id, "destination id")?,
            name: self.name,
            database_name: self.database_name,
            redacted_dsn: self.redacted_dsn,
            sealed_dsn: self.sealed_dsn,
            codec: self.codec,
            retention_days: self.retention_days.map(|days| count(days, "retention")).transpose()?,
            schedule: self.schedule,
            next_run_at: maybe_time(self.next_run_at)?,
            source_check: self.source_check.map(|text| json(&text, "source check")).transpose()?,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
        };
        Ok((database, last))
    }
}

/// A macro, so that the text stays a constant.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.*, b.id AS last_backup_id, b.started_at AS last_started_at, b.finished_at AS last_finished_at
             FROM databases d
             LEFT JOIN backup_jobs b ON b.id = (
                 SELECT id FROM backup_jobs WHERE database_id = d.id AND state = 'completed' AND expiring_at IS NULL
                 ORDER BY id DESC LIMIT 1) ",
            $rest
        )
    };
}

impl Store {
    /// Reads a database of the organization, with its newest completed backup.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn database(&self, org_id: OrgId, id: DatabaseId) -> Result<(Database, Option<LastBackup>)> {
        let row: Option<Row> = sqlx::query_as(select!("WHERE d.id = $1 AND d.org_id = $2"))
            .bind(id.to_string())
            .bind(org_id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.ok_or(StoreError::Missing("database"))?.read()
    }

    /// At most `limit` databases of the organization with ids after `after`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn databases(
        &self,
        org_id: OrgId,
        after: Option<DatabaseId>,
        limit: u32,
    ) -> Result<Vec<(Database, Option<LastBackup>)>> {
        let rows: Vec<Row> = sqlx::query_as(select!("WHERE d.org_id = $1 AND d.id > $2 ORDER BY d.id LIMIT $3"))
            .bind(org_id.to_string())
            .bind(after.map_or_else(String::new, |id| id.to_string()))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// At most `limit` databases of any organization whose schedule is due, longest overdue first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_databases(&self, now: Timestamp, limit: u32) -> Result<Vec<Database>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT databases.*, NULL AS last_backup_id, CAST(NULL AS BIGINT) AS last_started_at,
             CAST(NULL AS BIGINT) AS last_finished_at FROM databases
             WHERE next_run_at <= $1 ORDER BY next_run_at, id LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| Ok(row.read()?.0)).collect()
    }

    /// How many databases of the organization had a schedule that was due by `due_by`, and still is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_overdue_databases(&self, org_id: OrgId, due_by: Timestamp) -> Result<u64> {
        let (overdue,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM databases WHERE org_id = $1 AND next_run_at <= $2")
                .bind(org_id.to_string())
                .bind(due_by.as_millis())
                .fetch_one(&self.pool)
                .await?;
        count(overdue, "count")
    }
}

/// A database's schedule, and the run that it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The database.
    pub id: DatabaseId,
    /// Five-field cron expression in UTC.
    pub schedule: String,
    /// When the next run is due.
    pub next_run_at: Timestamp,
}

impl Store {
    /// A page of the databases of any organization that have a schedule, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scheduled_databases(&self, after: Option<DatabaseId>, limit: u32) -> Result<Vec<Scheduled>> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT id, schedule, next_run_at FROM databases
             WHERE id > $1 AND schedule IS NOT NULL AND next_run_at IS NOT NULL ORDER BY id LIMIT $2",
        )
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let read = |(id, schedule, next_run_at): (String, String, i64)| {
            Ok(Scheduled { id: parse(&id, "database id")?, schedule, next_run_at: time(next_run_at)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// Brings the next run of a schedule forward. Answers whether it was still the one that was read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hasten_schedule(&self, read: &Scheduled, next_run_at: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let hastened =
            sqlx::query("UPDATE databases SET next_run_at = $4 WHERE id = $1 AND schedule = $2 AND next_run_at = $3")
                .bind(read.id.to_string())
                .bind(&read.schedule)
                .bind(read.next_run_at.as_millis())
                .bind(next_run_at.as_millis())
                .execute(tx.connection())
                .await?;
        tx.commit().await?;
        Ok(hastened.rows_affected() > 0)
    }
}

/// Moves a due schedule on. Answers whether it was this call that moved it.
pub(crate) async fn advance_schedule(tx: &mut Tx, database: &Database, next: Option<Timestamp>) -> Result<bool> {
    let moved = sqlx::query("UPDATE databases SET next_run_at = $3 WHERE id = $1 AND next_run_at = $2")
        .bind(database.id.to_string())
        .bind(database.next_run_at.map(Timestamp::as_millis))
        .bind(next.map(Timestamp::as_millis))
        .execute(tx.connection())
        .await?;
    Ok(moved.rows_affected() > 0)
}
