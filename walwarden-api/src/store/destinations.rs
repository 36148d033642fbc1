//! Backup destinations. Their credentials are sealed before they come here.

use serde_json::json;
use walwarden_contract::audit::EventKind;
use walwarden_contract::{DestinationId, OrgId, Timestamp};

use super::{Result, Store, StoreError, audit, count, duplicate, parse, time};

/// A bucket that the customer owns, and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its identifier.
    pub id: DestinationId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// The name that the operator gave it.
    pub name: String,
    /// What serves the bucket; see [`crate::engine::storage`].
    pub provider: String,
    /// The endpoint's URL; `None` for the provider's own.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// `path` or `virtual_host`.
    pub addressing: String,
    /// `crc32` or `none`.
    pub checksum_mode: String,
    /// `none`, `governance` or `compliance`.
    pub lock_mode: String,
    /// For how long an artifact is locked.
    pub retention_days: u32,
    /// Whether the destination is for trying only, because nothing there is immutable.
    pub trial: bool,
    /// The sealed credentials.
    pub sealed_credentials: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    name: String,
    provider: String,
    endpoint: Option<String>,
    region: String,
    bucket: String,
    addressing: String,
    checksum_mode: String,
    lock_mode: String,
    retention_days: i64,
    trial: i64,
    sealed_credentials: String,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn read(self) -> Result<Destination> {
        Ok(Destination {
            id: parse(&self.id, "destination id")?,
            org_id: parse(&self.org_id, "organization id")?,
            name: self.name,
            provider: self.provider,
            endpoint: self.endpoint,
            region: self.region,
            bucket: self.bucket,
            addressing: self.addressing,
            checksum_mode: self.checksum_mode,
            lock_mode: self.lock_mode,
            retention_days: count(self.retention_days, "retention")?,
            trial: self.trial != 0,
            sealed_credentials: self.sealed_credentials,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
        })
    }
}

/// What the audit chain may know about a destination.
fn public(destination: &Destination) -> serde_json::Value {
    json!({
        "destinationId": destination.id,
        "name": destination.name,
        "provider": destination.provider,
        "endpoint": destination.endpoint,
        "region": destination.region,
        "bucket": destination.bucket,
        "lockMode": destination.lock_mode,
        "retentionDays": destination.retention_days,
    })
}

impl Store {
    /// Adds a destination.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn create_destination(&self, new: &Destination) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO destinations (id, org_id, name, provider, endpoint, region, bucket, addressing, checksum_mode,
             lock_mode, retention_days, trial, sealed_credentials, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(new.id.to_string())
        .bind(new.org_id.to_string())
        .bind(&new.name)
        .bind(&new.provider)
        .bind(new.endpoint.clone())
        .bind(&new.region)
        .bind(&new.bucket)
        .bind(&new.addressing)
        .bind(&new.checksum_mode)
        .bind(&new.lock_mode)
        .bind(i64::from(new.retention_days))
        .bind(i64::from(new.trial))
        .bind(&new.sealed_credentials)
        .bind(new.created_at.as_millis())
        .bind(new.updated_at.as_millis())
        .execute(tx.connection())
        .await
        .map_err(duplicate("destination"))?;
        let stream = new.org_id.to_string();
        audit::append(&mut tx, new.org_id, &stream, new.created_at, EventKind::DestinationCreated, &public(new))
            .await?;
        tx.commit().await
    }

    /// Replaces what can be changed of a destination: everything but its id, owner, provider and age.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn update_destination(&self, changed: &Destination) -> Result<()> {
        let mut tx = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE destinations SET name = $3, endpoint = $4, region = $5, bucket = $6, addressing = $7,
             checksum_mode = $8, lock_mode = $9, retention_days = $10, sealed_credentials = $11, updated_at = $12
             WHERE id = $1 AND org_id = $2",
        )
        .bind(changed.id.to_string())
        .bind(changed.org_id.to_string())
        .bind(&changed.name)
        .bind(changed.endpoint.clone())
        .bind(&changed.region)
        .bind(&changed.bucket)
        .bind(&changed.addressing)
        .bind(&changed.checksum_mode)
        .bind(&changed.lock_mode)
        .bind(i64::from(changed.retention_days))
        .bind(&changed.sealed_credentials)
        .bind(changed.updated_at.as_millis())
        .execute(tx.connection())
        .await
        .map_err(duplicate("destination"))?;
        if updated.rows_affected() == 0 {
            return Err(StoreError::Missing("destination"));
        }
        let stream = changed.org_id.to_string();
        let payload = public(changed);
        audit::append(&mut tx, changed.org_id, &stream, changed.updated_at, EventKind::DestinationUpdated, &payload)
            .await?;
        tx.commit().await
    }

    /// Removes a destination that no database uses. What is in the bucket stays there.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Missing`], or when the store fails.
    pub async fn delete_destination(&self, org_id: OrgId, id: DestinationId, at: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        let (users,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM databases WHERE destination_id = $1")
            .bind(id.to_string())
            .fetch_one(tx.connection())
            .await?;
        if users > 0 {
            return Err(StoreError::InUse("destination"));
        }
        let deleted = sqlx::query("DELETE FROM destinations WHERE id = $1 AND org_id = $2")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .execute(tx.connection())
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(StoreError::Missing("destination"));
        }
        let payload = json!({ "destinationId": id });
        audit::append(&mut tx, org_id, &org_id.to_string(), at, EventKind::DestinationDeleted, &payload).await?;
        tx.commit().await
    }

    /// Reads a destination of the organization.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn destination(&self, org_id: OrgId, id: DestinationId) -> Result<Destination> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM destinations WHERE id = $1 AND org_id = $2")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.ok_or(StoreError::Missing("destination"))?.read()
    }

    /// Every destination of an organization, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn destinations(&self, org_id: OrgId) -> Result<Vec<Destination>> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM destinations WHERE org_id = $1 ORDER BY id")
            .bind(org_id.to_string())
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }
}
