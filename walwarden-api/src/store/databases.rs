//! Protected databases. Their DSNs are sealed before they come here.

use serde_json::json;
use walwarden_contract::audit::EventKind;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId, Timestamp};

use super::{Result, Store, StoreError, Tx, audit, duplicate, maybe_time, parse, time};

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
    /// Five-field cron expression in UTC.
    pub schedule: Option<String>,
    /// When the schedule next starts a backup.
    pub next_run_at: Option<Timestamp>,
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
    schedule: Option<String>,
    next_run_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    last_backup_id: Option<String>,
    last_started_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<(Database, Option<LastBackup>)> {
        let last = match (self.last_backup_id, maybe_time(self.last_started_at)?) {
            (Some(id), Some(started_at)) => Some(LastBackup { id: parse(&id, "backup id")?, started_at }),
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
            schedule: self.schedule,
            next_run_at: maybe_time(self.next_run_at)?,
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
            "SELECT d.*, b.id AS last_backup_id, b.started_at AS last_started_at FROM databases d
             LEFT JOIN backup_jobs b ON b.id = (
                 SELECT id FROM backup_jobs WHERE database_id = d.id AND state = 'completed' ORDER BY id DESC LIMIT 1) ",
            $rest
        )
    };
}

/// What the audit chain may know about a database.
fn public(database: &Database) -> serde_json::Value {
    json!({
        "databaseId": database.id,
        "name": database.name,
        "sourceRedactedDsn": database.redacted_dsn,
        "destinationId": database.destination_id,
        "schedule": database.schedule,
        "codec": database.codec,
    })
}

impl Store {
    /// Adds a database.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn create_database(&self, new: &Database) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO databases (id, org_id, destination_id, name, database_name, redacted_dsn, sealed_dsn, codec,
             schedule, next_run_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(new.id.to_string())
        .bind(new.org_id.to_string())
        .bind(new.destination_id.to_string())
        .bind(&new.name)
        .bind(&new.database_name)
        .bind(&new.redacted_dsn)
        .bind(&new.sealed_dsn)
        .bind(&new.codec)
        .bind(new.schedule.clone())
        .bind(new.next_run_at.map(Timestamp::as_millis))
        .bind(new.created_at.as_millis())
        .bind(new.updated_at.as_millis())
        .execute(tx.connection())
        .await
        .map_err(duplicate("database"))?;
        let stream = new.org_id.to_string();
        audit::append(&mut tx, new.org_id, &stream, new.created_at, EventKind::DatabaseCreated, &public(new)).await?;
        tx.commit().await
    }

    /// Replaces what can be changed of a database: everything but its id, owner and age.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn update_database(&self, changed: &Database) -> Result<()> {
        let mut tx = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE databases SET destination_id = $3, name = $4, database_name = $5, redacted_dsn = $6,
             sealed_dsn = $7, codec = $8, schedule = $9, next_run_at = $10, updated_at = $11
             WHERE id = $1 AND org_id = $2",
        )
        .bind(changed.id.to_string())
        .bind(changed.org_id.to_string())
        .bind(changed.destination_id.to_string())
        .bind(&changed.name)
        .bind(&changed.database_name)
        .bind(&changed.redacted_dsn)
        .bind(&changed.sealed_dsn)
        .bind(&changed.codec)
        .bind(changed.schedule.clone())
        .bind(changed.next_run_at.map(Timestamp::as_millis))
        .bind(changed.updated_at.as_millis())
        .execute(tx.connection())
        .await
        .map_err(duplicate("database"))?;
        if updated.rows_affected() == 0 {
            return Err(StoreError::Missing("database"));
        }
        let stream = changed.org_id.to_string();
        let payload = public(changed);
        audit::append(&mut tx, changed.org_id, &stream, changed.updated_at, EventKind::DatabaseUpdated, &payload)
            .await?;
        tx.commit().await
    }

    /// Removes a database without an active backup. Its backups, and their records, stay.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Missing`], or when the store fails.
    pub async fn delete_database(&self, org_id: OrgId, id: DatabaseId, at: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM databases WHERE id = $1 AND org_id = $2")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .execute(tx.connection())
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(StoreError::Missing("database"));
        }
        let (active,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM backup_jobs
             WHERE database_id = $1 AND state NOT IN ('completed', 'failed_terminal', 'cancelled')",
        )
        .bind(id.to_string())
        .fetch_one(tx.connection())
        .await?;
        if active > 0 {
            return Err(StoreError::InUse("database"));
        }
        let payload = json!({ "databaseId": id });
        audit::append(&mut tx, org_id, &org_id.to_string(), at, EventKind::DatabaseDeleted, &payload).await?;
        tx.commit().await
    }

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
            "SELECT databases.*, NULL AS last_backup_id, CAST(NULL AS BIGINT) AS last_started_at FROM databases
             WHERE next_run_at <= $1 ORDER BY next_run_at LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| Ok(row.read()?.0)).collect()
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
