//! Backup destinations. Their credentials are sealed before they come here.

mod changes;
mod sweeps;
mod verification;

use walwarden_contract::{DestinationId, OrgId, Timestamp};

pub use self::changes::DestinationUse;
pub(crate) use self::changes::{insert, lock, remove, save};
pub(crate) use self::sweeps::take_due_sweep;
pub use self::verification::{LeftProbe, Verification};
pub(crate) use self::verification::{save_verification, take_due};
use super::{Result, Store, StoreError, count, parse, time};

/// A role in the customer's account, in place of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its Amazon Resource Name.
    pub arn: String,
    /// What has to be named to assume it: made here, so that nobody can have this server assume somebody else's role.
    pub external_id: String,
}

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
    /// The sealed credentials; of no use where a role is assumed.
    pub sealed_credentials: String,
    /// The role that is assumed instead of using an access key.
    pub role: Option<Role>,
    /// `none`, `sse_s3` or `sse_kms`.
    pub encryption: String,
    /// The key of `sse_kms`.
    pub kms_key_id: Option<String>,
    /// What preflight has found out, and when it looks again.
    pub verification: Verification,
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
    role_arn: Option<String>,
    external_id: Option<String>,
    encryption: String,
    kms_key_id: Option<String>,
    #[sqlx(flatten)]
    verification: verification::Columns,
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
            role: self.role_arn.zip(self.external_id).map(|(arn, external_id)| Role { arn, external_id }),
            encryption: self.encryption,
            kms_key_id: self.kms_key_id,
            verification: self.verification.read()?,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
        })
    }
}

impl Store {
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

    /// Whether a database has old backups deleted that are, or will be, in this destination.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expires_backups(&self, org_id: OrgId, id: DestinationId) -> Result<bool> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT d.id FROM databases d WHERE d.org_id = $1 AND d.retention_days IS NOT NULL AND (d.destination_id = $2
             OR EXISTS (SELECT 1 FROM backup_jobs b WHERE b.destination_id = $2 AND b.database_id = d.id)) LIMIT 1",
        )
        .bind(org_id.to_string())
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }

    /// At most `limit` ids of destinations of the organization behind `after`, as they stand in the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn destination_ids(&self, org_id: OrgId, after: &str, limit: u32) -> Result<Vec<String>> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM destinations WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(org_id.to_string())
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// At most `limit` destinations of the organization with ids after `after`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn destination_page(
        &self,
        org_id: OrgId,
        after: Option<DestinationId>,
        limit: u32,
    ) -> Result<Vec<Destination>> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT * FROM destinations WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(org_id.to_string())
                .bind(after.map_or_else(String::new, |id| id.to_string()))
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter().map(Row::read).collect()
    }
}
