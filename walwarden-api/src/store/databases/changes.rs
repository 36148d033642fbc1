//! Changes of databases, each with its audit event in the caller's transaction.

use serde_json::json;
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{DatabaseDeleted, DatabaseSettings};
use walwarden_contract::model::SourceCheckSummary;
use walwarden_contract::{ApiKeyId, DatabaseId, OrgId, Timestamp};

use super::{Database, Row};
use crate::store::backups::schedule_looks;
use crate::store::{Result, Store, StoreError, Tx, audit, duplicate_or_missing};

/// What the audit chain may know about a database, and who changed it: nobody with an API key when it was done locally.
fn public(database: &Database, by: Option<ApiKeyId>) -> DatabaseSettings {
    DatabaseSettings {
        database_id: database.id,
        name: database.name.clone(),
        source_redacted_dsn: database.redacted_dsn.clone(),
        destination_id: database.destination_id,
        schedule: database.schedule.clone(),
        codec: database.codec.clone(),
        retention_days: database.retention_days,
        api_key_id: by,
    }
}

/// Adds a database. [`StoreError::Duplicate`] for a name in use, [`StoreError::Missing`] when its destination is gone.
pub(crate) async fn insert(tx: &mut Tx, new: &Database, by: Option<ApiKeyId>) -> Result<()> {
    sqlx::query(
        "INSERT INTO databases (id, org_id, destination_id, name, database_name, redacted_dsn, sealed_dsn, codec,
         schedule, next_run_at, created_at, updated_at, source_check, retention_days)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
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
    .bind(new.source_check.as_ref().map(|summary| json!(summary).to_string()))
    .bind(new.retention_days.map(i64::from))
    .execute(tx.connection())
    .await
    .map_err(duplicate_or_missing("database", "destination"))?;
    let stream = new.org_id.to_string();
    audit::append(tx, new.org_id, &stream, new.created_at, &Payload::DatabaseCreated(public(new, by))).await
}

/// Reads a database and keeps every other transaction from changing it until this one ends.
pub(crate) async fn lock(tx: &mut Tx, org_id: OrgId, id: DatabaseId) -> Result<Database> {
    let text = tx.locking(
        "SELECT *, NULL AS last_backup_id, CAST(NULL AS BIGINT) AS last_started_at, CAST(NULL AS BIGINT) AS last_finished_at
         FROM databases WHERE id = $1 AND org_id = $2",
    );
    let row: Option<Row> =
        sqlx::query_as(text).bind(id.to_string()).bind(org_id.to_string()).fetch_optional(tx.connection()).await?;
    Ok(row.ok_or(StoreError::Missing("database"))?.read()?.0)
}

/// Replaces what can be changed of a database: everything but its id, owner and age. [`StoreError::Missing`], or
/// [`StoreError::Duplicate`] for a name in use.
pub(crate) async fn save(tx: &mut Tx, changed: &Database, by: Option<ApiKeyId>) -> Result<()> {
    let updated = sqlx::query(
        "UPDATE databases SET destination_id = $3, name = $4, database_name = $5, redacted_dsn = $6,
         sealed_dsn = $7, codec = $8, schedule = $9, next_run_at = $10, updated_at = $11, source_check = $12, retention_days = $13
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
    .bind(changed.source_check.as_ref().map(|summary| json!(summary).to_string()))
    .bind(changed.retention_days.map(i64::from))
    .execute(tx.connection())
    .await
    .map_err(duplicate_or_missing("database", "destination"))?;
    if updated.rows_affected() == 0 {
        return Err(StoreError::Missing("database"));
    }
    let stream = changed.org_id.to_string();
    let updated = Payload::DatabaseUpdated(public(changed, by));
    audit::append(tx, changed.org_id, &stream, changed.updated_at, &updated).await
}

/// Removes a database without an active backup; its backups, and their records, stay. [`StoreError::InUse`], or
/// [`StoreError::Missing`].
pub(crate) async fn remove(
    tx: &mut Tx,
    org_id: OrgId,
    id: DatabaseId,
    at: Timestamp,
    by: Option<ApiKeyId>,
) -> Result<()> {
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
    // What a database kept for so long only is nobody's to delete once the database is gone.
    schedule_looks(tx, id, None).await?;
    let deleted = Payload::DatabaseDeleted(DatabaseDeleted { database_id: id, api_key_id: by });
    audit::append(tx, org_id, &org_id.to_string(), at, &deleted).await
}

impl Store {
    /// Keeps what was found at a source, unless the database has another source by now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_source_check(
        &self,
        org_id: OrgId,
        id: DatabaseId,
        sealed_dsn: &str,
        summary: &SourceCheckSummary,
    ) -> Result<()> {
        sqlx::query("UPDATE databases SET source_check = $4 WHERE id = $1 AND org_id = $2 AND sealed_dsn = $3")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .bind(sealed_dsn)
            .bind(json!(summary).to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Adds a database, as it is.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn create_database(&self, new: &Database) -> Result<()> {
        let mut tx = self.begin().await?;
        insert(&mut tx, new, None).await?;
        tx.commit().await
    }

    /// Replaces what can be changed of a database, as it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn update_database(&self, changed: &Database) -> Result<()> {
        let mut tx = self.begin().await?;
        save(&mut tx, changed, None).await?;
        tx.commit().await
    }
}
