//! API keys: only their SHA-256 fingerprints are stored.

use serde_json::json;
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{Actor, ApiKeyIssued, ApiKeyRevoked};
use walwarden_contract::model::ClientKind;
use walwarden_contract::{ApiKeyId, OrgId, Scope, Timestamp};

use super::{Result, Store, StoreError, audit, json as read_json, maybe_time, name, parse, time};

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// The name under which it was issued.
    pub name: String,
    /// SHA-256 of the key's text, lowercase hex.
    pub fingerprint: String,
    /// What kind of client it was issued to.
    pub client_kind: ClientKind,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    name: String,
    fingerprint: String,
    client_kind: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<ApiKey> {
        Ok(ApiKey {
            id: parse(&self.id, "API key id")?,
            org_id: parse(&self.org_id, "organization id")?,
            name: self.name,
            fingerprint: self.fingerprint,
            client_kind: name(self.client_kind, "client kind")?,
            scopes: read_json(&self.scopes, "scopes")?,
            created_at: time(self.created_at)?,
            expires_at: maybe_time(self.expires_at)?,
            revoked_at: maybe_time(self.revoked_at)?,
        })
    }
}

impl Store {
    /// Records a key that was issued.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create_api_key(&self, key: &ApiKey) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO api_keys (id, org_id, name, fingerprint, client_kind, scopes, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key.id.to_string())
        .bind(key.org_id.to_string())
        .bind(&key.name)
        .bind(&key.fingerprint)
        .bind(key.client_kind.as_str())
        .bind(json!(key.scopes).to_string())
        .bind(key.created_at.as_millis())
        .bind(key.expires_at.map(Timestamp::as_millis))
        .execute(tx.connection())
        .await?;
        let issued = Payload::ApiKeyIssued(ApiKeyIssued {
            api_key_id: key.id,
            name: key.name.clone(),
            client_kind: key.client_kind,
            scopes: key.scopes.clone(),
            expires_at: key.expires_at,
            by: Some(Actor::Operator),
        });
        audit::append(&mut tx, key.org_id, &key.org_id.to_string(), key.created_at, &issued).await?;
        tx.commit().await
    }

    /// Revokes a key. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn revoke_api_key(&self, org_id: OrgId, id: ApiKeyId, at: Timestamp) -> Result<ApiKey> {
        let mut tx = self.begin().await?;
        let revoked =
            sqlx::query("UPDATE api_keys SET revoked_at = $3 WHERE id = $1 AND org_id = $2 AND revoked_at IS NULL")
                .bind(id.to_string())
                .bind(org_id.to_string())
                .bind(at.as_millis())
                .execute(tx.connection())
                .await?
                .rows_affected();
        if revoked > 0 {
            let revoked = Payload::ApiKeyRevoked(ApiKeyRevoked { api_key_id: id, by: Some(Actor::Operator) });
            audit::append(&mut tx, org_id, &org_id.to_string(), at, &revoked).await?;
        }
        tx.commit().await?;
        let key = self.api_keys(org_id).await?.into_iter().find(|key| key.id == id);
        key.ok_or(StoreError::Missing("API key"))
    }

    /// Every key of an organization, revoked ones included, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn api_keys(&self, org_id: OrgId) -> Result<Vec<ApiKey>> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM api_keys WHERE org_id = $1 ORDER BY id")
            .bind(org_id.to_string())
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The key with this fingerprint, whatever its state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn api_key_by_fingerprint(&self, fingerprint: &str) -> Result<Option<ApiKey>> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM api_keys WHERE fingerprint = $1")
            .bind(fingerprint)
            .fetch_optional(&self.pool)
            .await?;
        row.map(Row::read).transpose()
    }
}
