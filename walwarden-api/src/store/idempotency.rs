//! Stored responses of POST requests, written in the transaction of what they answer for.

use walwarden_contract::{ApiKeyId, Timestamp};

use super::{Result, Store, Tx, count};

/// Which request a stored response answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyScope {
    /// Who asked: an API key's id, or a restore job's.
    pub principal: String,
    /// Which operation, with the ids in its path.
    pub operation: String,
    /// The caller's Idempotency-Key.
    pub key: String,
    /// SHA-256 of the canonical body, lowercase hex.
    pub body_hash: String,
}

impl IdempotencyScope {
    /// The API key that asked, where it was one.
    #[must_use]
    pub fn api_key(&self) -> Option<ApiKeyId> {
        self.principal.parse().ok()
    }
}

/// A response that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Whether the stored request had the same body.
    pub same_request: bool,
}

async fn find(connection: &mut sqlx::AnyConnection, scope: &IdempotencyScope) -> Result<Option<StoredResponse>> {
    let row: Option<(String, i64, String)> = sqlx::query_as(
        "SELECT body_hash, response_status, response_body FROM idempotency_keys
         WHERE principal = $1 AND operation = $2 AND idempotency_key = $3",
    )
    .bind(&scope.principal)
    .bind(&scope.operation)
    .bind(&scope.key)
    .fetch_optional(connection)
    .await?;
    row.map(|(body_hash, status, body)| {
        Ok(StoredResponse { status: count(status, "HTTP status")?, body, same_request: body_hash == scope.body_hash })
    })
    .transpose()
}

/// Keeps a response. Answers the one that was kept before, if there is one: then nothing else may be written.
pub(crate) async fn keep(
    tx: &mut Tx,
    scope: &IdempotencyScope,
    status: u16,
    body: &str,
    at: Timestamp,
) -> Result<Option<StoredResponse>> {
    let kept = sqlx::query(
        "INSERT INTO idempotency_keys (principal, operation, idempotency_key, body_hash, response_status,
         response_body, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (principal, operation, idempotency_key) DO NOTHING",
    )
    .bind(&scope.principal)
    .bind(&scope.operation)
    .bind(&scope.key)
    .bind(&scope.body_hash)
    .bind(i64::from(status))
    .bind(body)
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    if kept.rows_affected() > 0 { Ok(None) } else { find(tx.connection(), scope).await }
}

impl Store {
    /// The response that was given to this request before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stored_response(&self, scope: &IdempotencyScope) -> Result<Option<StoredResponse>> {
        let mut connection = self.pool.acquire().await?;
        find(&mut connection, scope).await
    }

    /// Forgets responses from before `cutoff`, and answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_responses(&self, cutoff: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let forgotten = sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
            .bind(cutoff.as_millis())
            .execute(tx.connection())
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(forgotten)
    }
}
