//! The keys that sign and signed, and the statements about them. Each change goes into every organization's chain as well: keys are the
//! installation's.

use serde_json::Value;
use walwarden_contract::audit::EventKind;
use walwarden_contract::key::{Revocation, Rotation};
use walwarden_contract::{OrgId, Timestamp};

use super::{Result, Store, StoreError, Tx, audit, duplicate, json, maybe_time, name, parse, time};

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It signs.
    Current,
    /// It signed, and what it signed stays valid.
    Retired,
    /// Only what was completed before its revocation counts.
    Revoked,
}

/// A key of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its id.
    pub key_id: String,
    /// Its public half, SPKI PEM.
    pub public_key: String,
    /// What it is good for.
    pub state: KeyState,
    /// Where its private half is.
    pub kept_in: String,
    /// When it began to sign.
    pub created_at: Timestamp,
    /// When another key took over.
    pub retired_at: Option<Timestamp>,
    /// From when on it is not trusted.
    pub revoked_at: Option<Timestamp>,
    /// The statement with which it took over.
    pub rotation: Option<Value>,
    /// The statement with which it was revoked.
    pub revocation: Option<Value>,
}

#[derive(sqlx::FromRow)]
struct Row {
    key_id: String,
    public_key: String,
    state: String,
    kept_in: String,
    created_at: i64,
    retired_at: Option<i64>,
    revoked_at: Option<i64>,
    rotation: Option<String>,
    revocation: Option<String>,
}

impl Row {
    fn read(self) -> Result<KnownKey> {
        let statement =
            |text: Option<String>| text.map(|text| json(&text, "statement about a signing key")).transpose();
        Ok(KnownKey {
            key_id: self.key_id,
            public_key: self.public_key,
            state: name(self.state, "state of a signing key")?,
            kept_in: self.kept_in,
            created_at: time(self.created_at)?,
            retired_at: maybe_time(self.retired_at)?,
            revoked_at: maybe_time(self.revoked_at)?,
            rotation: statement(self.rotation)?,
            revocation: statement(self.revocation)?,
        })
    }
}

/// Appends a statement to the chain of every organization.
async fn tell_everybody(tx: &mut Tx, at: Timestamp, kind: EventKind, statement: &Value) -> Result<usize> {
    let organizations: Vec<(String,)> =
        sqlx::query_as("SELECT id FROM organizations ORDER BY id").fetch_all(tx.connection()).await?;
    for (id,) in &organizations {
        let org_id: OrgId = parse(id, "organization id")?;
        audit::append(tx, org_id, id, at, kind, statement).await?;
    }
    Ok(organizations.len())
}

/// The current key, which nobody else changes until the transaction ends.
async fn hold_current(tx: &mut Tx) -> Result<Option<String>> {
    let select = tx.locking("SELECT key_id FROM signing_keys WHERE state = 'current'");
    let row: Option<(String,)> = sqlx::query_as(select).fetch_optional(tx.connection()).await?;
    Ok(row.map(|(id,)| id))
}

fn text<T: serde::Serialize>(statement: &T) -> Result<(Value, String)> {
    let value = serde_json::to_value(statement).map_err(|_| StoreError::Corrupt("statement about a signing key"))?;
    let text = value.to_string();
    Ok((value, text))
}

impl Store {
    /// Every key, in the order in which they signed. There is one more for each rotation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signing_keys(&self) -> Result<Vec<KnownKey>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT key_id, public_key, state, kept_in, created_at, retired_at, revoked_at, rotation, revocation
             FROM signing_keys ORDER BY created_at, COALESCE(retired_at, 9223372036854775807), key_id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// Records the key of an installation that has none on record. Nothing happens where there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_first_signing_key(
        &self,
        key_id: &str,
        public_key: &str,
        kept_in: &str,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO signing_keys (key_id, public_key, state, kept_in, created_at)
             SELECT $1, $2, 'current', $3, $4 WHERE NOT EXISTS (SELECT 1 FROM signing_keys) ON CONFLICT DO NOTHING",
        )
        .bind(key_id)
        .bind(public_key)
        .bind(kept_in)
        .bind(now.as_millis())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Lets one key follow another, and answers how many organizations were told. Nothing happens, and the answer is `None`, when the
    /// previous key is not the current one any more.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when the new key is on record already, or when the store fails.
    pub async fn rotate_signing_key(&self, rotation: &Rotation, kept_in: &str) -> Result<Option<usize>> {
        let (statement, written) = text(rotation)?;
        let at = rotation.rotated_at;
        let mut tx = self.begin().await?;
        if hold_current(&mut tx).await?.as_ref() != Some(&rotation.previous_key_id) {
            return Ok(None);
        }
        sqlx::query("UPDATE signing_keys SET state = 'retired', retired_at = $2 WHERE key_id = $1")
            .bind(&rotation.previous_key_id)
            .bind(at.as_millis())
            .execute(tx.connection())
            .await?;
        sqlx::query(
            "INSERT INTO signing_keys (key_id, public_key, state, kept_in, created_at, rotation)
             VALUES ($1, $2, 'current', $3, $4, $5)",
        )
        .bind(&rotation.key_id)
        .bind(&rotation.public_key)
        .bind(kept_in)
        .bind(at.as_millis())
        .bind(written)
        .execute(tx.connection())
        .await
        .map_err(duplicate("signing key"))?;
        let told = tell_everybody(&mut tx, at, EventKind::SigningKeyRotated, &statement).await?;
        tx.commit().await?;
        Ok(Some(told))
    }

    /// Revokes a retired key, and answers how many organizations were told. Nothing happens, and the answer is `None`, when the key is
    /// not a retired one, or the key that signed the statement is not the current one any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revoke_signing_key(&self, revocation: &Revocation, now: Timestamp) -> Result<Option<usize>> {
        let (statement, written) = text(revocation)?;
        let mut tx = self.begin().await?;
        if hold_current(&mut tx).await?.as_ref() != Some(&revocation.signed_by) {
            return Ok(None);
        }
        let changed = sqlx::query(
            "UPDATE signing_keys SET state = 'revoked', revoked_at = $2, revocation = $3
             WHERE key_id = $1 AND state = 'retired'",
        )
        .bind(&revocation.key_id)
        .bind(revocation.revoked_at.as_millis())
        .bind(written)
        .execute(tx.connection())
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(None);
        }
        let told = tell_everybody(&mut tx, now, EventKind::SigningKeyRevoked, &statement).await?;
        tx.commit().await?;
        Ok(Some(told))
    }
}
