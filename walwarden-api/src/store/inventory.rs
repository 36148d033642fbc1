//! Reading backup jobs as an inventory needs them: in the order of the bucket's keys, without their manifests.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};
use walwarden_contract::model::BackupState;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId, Timestamp};

use super::{Result, Store, StoreError, json, maybe_time, name, parse, time};
use crate::store::backups::StoredArtifact;

/// A backup job, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryRow {
    /// The database.
    pub database_id: DatabaseId,
    /// The job.
    pub id: BackupJobId,
    /// Where it stands.
    pub state: BackupState,
    /// The artifact's key.
    pub object_key: Option<String>,
    /// The artifact of a completed job.
    pub artifact: Option<StoredArtifact>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When its deletion began.
    pub expiring_at: Option<Timestamp>,
    /// When it was gone.
    pub expired_at: Option<Timestamp>,
}

/// A backup job as it stands in the store: what cannot be read must not keep the rest from being compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryEntry {
    /// The database's id.
    pub database_id: String,
    /// The job's id.
    pub id: String,
    /// The job, or what of it cannot be read.
    pub row: Result<InventoryRow, &'static str>,
}

#[derive(sqlx::FromRow)]
struct Row {
    database_id: String,
    id: String,
    state: String,
    object_key: Option<String>,
    artifact: Option<String>,
    finished_at: Option<i64>,
    expiring_at: Option<i64>,
    expired_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<InventoryRow> {
        Ok(InventoryRow {
            database_id: parse(&self.database_id, "database id")?,
            id: parse(&self.id, "backup id")?,
            state: name(self.state, "backup state")?,
            object_key: self.object_key,
            artifact: self.artifact.map(|text| json(&text, "artifact")).transpose()?,
            finished_at: maybe_time(self.finished_at)?,
            expiring_at: maybe_time(self.expiring_at)?,
            expired_at: maybe_time(self.expired_at)?,
        })
    }
}

fn entry(row: &AnyRow) -> Result<InventoryEntry> {
    let read = match Row::from_row(row).map_err(StoreError::from).and_then(Row::read) {
        Ok(read) => Ok(read),
        Err(StoreError::Corrupt(what)) => Err(what),
        Err(error) => return Err(error),
    };
    Ok(InventoryEntry { database_id: row.try_get("database_id")?, id: row.try_get("id")?, row: read })
}

/// A run that happened: when its job was queued, and when that ended.
pub type Run = (BackupJobId, Timestamp, Option<Timestamp>);

impl Store {
    /// At most `limit` backup jobs of a destination, all or of one database, after this place in the order of database and job.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inventory(
        &self,
        org_id: OrgId,
        destination_id: DestinationId,
        only: Option<DatabaseId>,
        after: (&str, &str),
        limit: u32,
    ) -> Result<Vec<InventoryEntry>> {
        let rows = sqlx::query(
            "SELECT database_id, id, state, object_key, artifact, finished_at, expiring_at, expired_at FROM backup_jobs
             WHERE destination_id = $1 AND org_id = $2 AND (database_id > $3 OR (database_id = $3 AND id > $4))
             AND ($5 = '' OR database_id = $5) ORDER BY database_id, id LIMIT $6",
        )
        .bind(destination_id.to_string())
        .bind(org_id.to_string())
        .bind(after.0)
        .bind(after.1)
        .bind(only.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(entry).collect()
    }

    /// At most `limit` jobs of a database, queued at or after `since`, with ids after `after`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn runs(
        &self,
        org_id: OrgId,
        database_id: DatabaseId,
        since: Timestamp,
        after: Option<BackupJobId>,
        limit: u32,
    ) -> Result<Vec<Run>> {
        let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT id, created_at, finished_at FROM backup_jobs WHERE org_id = $1 AND database_id = $2
             AND created_at >= $3 AND id > $4 ORDER BY id LIMIT $5",
        )
        .bind(org_id.to_string())
        .bind(database_id.to_string())
        .bind(since.as_millis())
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(id, created, finished)| Ok((parse(&id, "backup id")?, time(created)?, maybe_time(finished)?)))
            .collect()
    }

    /// At most `limit` ids, as they stand in the store, of backup jobs of the organization that have an audit chain and no record, with ids after `after`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chains_without_job(&self, org_id: OrgId, after: Option<&str>, limit: u32) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT s.stream_id FROM audit_streams s WHERE s.org_id = $1 AND s.stream_id > $2 AND s.stream_id < 'bkp_g'
             AND NOT EXISTS (SELECT 1 FROM backup_jobs b WHERE b.id = s.stream_id) ORDER BY s.stream_id LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(after.unwrap_or("bkp_"))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
