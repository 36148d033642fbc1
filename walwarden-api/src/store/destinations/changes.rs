//! Changes of destinations, each with its audit event in the caller's transaction.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{DestinationDeleted, DestinationSettings};
use walwarden_contract::{ApiKeyId, BackupJobId, DatabaseId, DestinationId, OrgId, Timestamp};

use super::{Destination, Row};
use crate::store::{Result, Store, StoreError, Tx, audit, duplicate_or_missing, log, parse};

/// What depends on a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationUse {
    /// Databases whose backups go there: the first few, with their names.
    pub databases: Vec<(DatabaseId, String)>,
    /// A backup that is there, or on its way, and could not be restored without it.
    pub backup: Option<BackupJobId>,
}

/// How many databases a refusal names.
const NAMED: i64 = 5;

/// What the audit chain may know about a destination, and who changed it: nobody with an API key when it was done locally.
fn public(destination: &Destination, by: Option<ApiKeyId>) -> DestinationSettings {
    DestinationSettings {
        destination_id: destination.id,
        name: destination.name.clone(),
        provider: destination.provider.clone(),
        endpoint: destination.endpoint.clone(),
        region: destination.region.clone(),
        bucket: destination.bucket.clone(),
        lock_mode: destination.lock_mode.clone(),
        retention_days: destination.retention_days,
        role_arn: destination.role.as_ref().map(|role| role.arn.clone()),
        encryption: Some(destination.encryption.clone()),
        kms_key_id: destination.kms_key_id.clone(),
        state: Some(destination.verification.state),
        api_key_id: by,
    }
}

/// Adds a destination. [`StoreError::Duplicate`] for a name in use.
pub(crate) async fn insert(tx: &mut Tx, new: &Destination, by: Option<ApiKeyId>) -> Result<()> {
    sqlx::query(
        "INSERT INTO destinations (id, org_id, name, provider, endpoint, region, bucket, addressing, checksum_mode,
         lock_mode, retention_days, trial, sealed_credentials, created_at, updated_at, role_arn, external_id,
         encryption, kms_key_id, state, verified_at, preflight, preflight_failures, next_preflight_at, revision,
         left_probes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
         $23, $24, $25, $26)",
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
    .bind(new.role.as_ref().map(|role| role.arn.clone()))
    .bind(new.role.as_ref().map(|role| role.external_id.clone()))
    .bind(&new.encryption)
    .bind(new.kms_key_id.clone())
    .bind(new.verification.state.as_str())
    .bind(new.verification.verified_at.map(Timestamp::as_millis))
    .bind(new.verification.preflight_text())
    .bind(i64::from(new.verification.failures))
    .bind(new.verification.next_run_at.as_millis())
    .bind(new.verification.revision_number())
    .bind(new.verification.left_text())
    .execute(tx.connection())
    .await
    .map_err(duplicate_or_missing("destination", "organization"))?;
    let stream = new.org_id.to_string();
    audit::append(tx, new.org_id, &stream, new.created_at, &Payload::DestinationCreated(public(new, by))).await
}

/// Reads a destination and keeps every other transaction from changing it until this one ends.
pub(crate) async fn lock(tx: &mut Tx, org_id: OrgId, id: DestinationId) -> Result<Destination> {
    let text = tx.locking("SELECT * FROM destinations WHERE id = $1 AND org_id = $2");
    let row: Option<Row> =
        sqlx::query_as(text).bind(id.to_string()).bind(org_id.to_string()).fetch_optional(tx.connection()).await?;
    row.ok_or(StoreError::Missing("destination"))?.read()
}

/// Replaces what can be changed of a destination: everything but its id, owner, provider and age.
/// [`StoreError::Missing`], or [`StoreError::Duplicate`] for a name in use.
pub(crate) async fn save(tx: &mut Tx, changed: &Destination, by: Option<ApiKeyId>) -> Result<()> {
    let updated = sqlx::query(
        "UPDATE destinations SET name = $3, endpoint = $4, region = $5, bucket = $6, addressing = $7,
         checksum_mode = $8, lock_mode = $9, retention_days = $10, sealed_credentials = $11, updated_at = $12,
         role_arn = $13, external_id = $14, encryption = $15, kms_key_id = $16, state = $17, verified_at = $18,
         preflight = $19, preflight_failures = $20, next_preflight_at = $21, revision = $22, left_probes = $23
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
    .bind(changed.role.as_ref().map(|role| role.arn.clone()))
    .bind(changed.role.as_ref().map(|role| role.external_id.clone()))
    .bind(&changed.encryption)
    .bind(changed.kms_key_id.clone())
    .bind(changed.verification.state.as_str())
    .bind(changed.verification.verified_at.map(Timestamp::as_millis))
    .bind(changed.verification.preflight_text())
    .bind(i64::from(changed.verification.failures))
    .bind(changed.verification.next_run_at.as_millis())
    .bind(changed.verification.revision_number())
    .bind(changed.verification.left_text())
    .execute(tx.connection())
    .await
    .map_err(duplicate_or_missing("destination", "organization"))?;
    if updated.rows_affected() == 0 {
        return Err(StoreError::Missing("destination"));
    }
    let stream = changed.org_id.to_string();
    let updated = Payload::DestinationUpdated(public(changed, by));
    audit::append(tx, changed.org_id, &stream, changed.updated_at, &updated).await
}

/// What depends on a destination.
pub(crate) async fn users(tx: &mut Tx, org_id: OrgId, id: DestinationId) -> Result<DestinationUse> {
    let databases: Vec<(String, String)> =
        sqlx::query_as("SELECT id, name FROM databases WHERE destination_id = $1 AND org_id = $2 ORDER BY id LIMIT $3")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .bind(NAMED)
            .fetch_all(tx.connection())
            .await?;
    let backup: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM backup_jobs WHERE destination_id = $1 AND org_id = $2
         AND state NOT IN ('failed_terminal', 'cancelled') AND expired_at IS NULL ORDER BY id DESC LIMIT 1",
    )
    .bind(id.to_string())
    .bind(org_id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    let named = |(id, name): (String, String)| Ok((parse(&id, "database id")?, name));
    Ok(DestinationUse {
        databases: databases.into_iter().map(named).collect::<Result<_>>()?,
        backup: backup.map(|(id,)| parse(&id, "backup id")).transpose()?,
    })
}

/// Removes a destination that neither a database nor a backup uses, or answers what uses it. What is in the bucket stays
/// there.
pub(crate) async fn remove(
    tx: &mut Tx,
    org_id: OrgId,
    id: DestinationId,
    at: Timestamp,
    by: Option<ApiKeyId>,
) -> Result<DestinationUse> {
    lock(tx, org_id, id).await?;
    let users = users(tx, org_id, id).await?;
    if users != DestinationUse::default() {
        return Ok(users);
    }
    sqlx::query("DELETE FROM destinations WHERE id = $1 AND org_id = $2")
        .bind(id.to_string())
        .bind(org_id.to_string())
        .execute(tx.connection())
        .await
        .map_err(|error| match &error {
            // A database was given this destination since it was looked at.
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => StoreError::InUse("destination"),
            _ => error.into(),
        })?;
    log::drop_waiting(tx, id).await?;
    let deleted = Payload::DestinationDeleted(DestinationDeleted { destination_id: id, api_key_id: by });
    audit::append(tx, org_id, &org_id.to_string(), at, &deleted).await?;
    Ok(users)
}

impl Store {
    /// Adds a destination, as it is.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn create_destination(&self, new: &Destination) -> Result<()> {
        let mut tx = self.begin().await?;
        insert(&mut tx, new, None).await?;
        tx.commit().await
    }

    /// Replaces what can be changed of a destination, as it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Duplicate`] for a name in use, or when the store fails.
    pub async fn update_destination(&self, changed: &Destination) -> Result<()> {
        let mut tx = self.begin().await?;
        save(&mut tx, changed, None).await?;
        tx.commit().await
    }
}
