//! What is looked at again and again, organization by organization: when next, how far a look is, and what the last one found.

use sqlx::AssertSqlSafe;
use walwarden_contract::{OrgId, Timestamp};

use super::{Result, Store, StoreError, Tx, parse};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookKind {
    /// Whether the audit chains hold.
    Audit,
    /// Whether schedule, chains, manifests and bucket agree.
    Inventory,
}

impl LookKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Inventory => "inventory",
        }
    }
}

/// A look to take on, or to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLook {
    /// Whose records are looked at.
    pub org_id: OrgId,
    /// How far an earlier process came.
    pub progress: Option<String>,
}

/// How long after an organization was created its inventory is first looked at: there is nothing in it before.
const FIRST_INVENTORY_MILLIS: i64 = 86_400_000;

/// Begins to look at a new organization.
pub(super) async fn begin(tx: &mut Tx, org_id: OrgId, created_at: Timestamp) -> Result<()> {
    for (kind, delay) in [(LookKind::Audit, 0), (LookKind::Inventory, FIRST_INVENTORY_MILLIS)] {
        sqlx::query("INSERT INTO periodic_looks (kind, org_id, due_at) VALUES ($1, $2, $3)")
            .bind(kind.as_str())
            .bind(org_id.to_string())
            .bind(created_at.as_millis().saturating_add(delay))
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

impl Store {
    /// Takes the look that is longest due, and lets nobody else take it before `again_at`. Cheap when nothing is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take_due_look(&self, kind: LookKind, now: Timestamp, again_at: Timestamp) -> Result<Option<DueLook>> {
        let due: Option<(String,)> =
            sqlx::query_as("SELECT org_id FROM periodic_looks WHERE due_at <= $1 AND kind = $2 LIMIT 1")
                .bind(now.as_millis())
                .bind(kind.as_str())
                .fetch_optional(&self.pool)
                .await?;
        if due.is_none() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let text = format!(
            "UPDATE periodic_looks SET due_at = $3 WHERE kind = $2 AND org_id = (
                 SELECT org_id FROM periodic_looks WHERE due_at <= $1 AND kind = $2 ORDER BY due_at LIMIT 1 {})
             RETURNING org_id, progress",
            tx.skip_locked()
        );
        let taken: Option<(String, Option<String>)> = sqlx::query_as(AssertSqlSafe(text))
            .bind(now.as_millis())
            .bind(kind.as_str())
            .bind(again_at.as_millis())
            .fetch_optional(tx.connection())
            .await?;
        tx.commit().await?;
        taken.map(|(id, progress)| Ok(DueLook { org_id: parse(&id, "organization id")?, progress })).transpose()
    }

    /// Keeps how far a look is, so that another process can go on with it from `again_at`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_look(&self, kind: LookKind, org_id: OrgId, progress: &str, again_at: Timestamp) -> Result<()> {
        sqlx::query("UPDATE periodic_looks SET progress = $3, due_at = $4 WHERE kind = $1 AND org_id = $2")
            .bind(kind.as_str())
            .bind(org_id.to_string())
            .bind(progress)
            .bind(again_at.as_millis())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What the last whole look found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_result(&self, kind: LookKind, org_id: OrgId) -> Result<Option<String>> {
        let row: Option<(Option<String>,)> =
            sqlx::query_as("SELECT result FROM periodic_looks WHERE kind = $1 AND org_id = $2")
                .bind(kind.as_str())
                .bind(org_id.to_string())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.and_then(|(result,)| result))
    }

    /// Brings every look forward that is due later than `latest`: somebody wants them more often.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bring_looks_forward(&self, kind: LookKind, latest: Timestamp) -> Result<()> {
        sqlx::query("UPDATE periodic_looks SET due_at = $2 WHERE kind = $1 AND due_at > $2")
            .bind(kind.as_str())
            .bind(latest.as_millis())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Ends a look: what it found, and when the next is due.
pub(crate) async fn end(
    tx: &mut Tx,
    kind: LookKind,
    org_id: OrgId,
    result: &str,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE periodic_looks SET progress = NULL, result = $3, due_at = $4 WHERE kind = $1 AND org_id = $2")
        .bind(kind.as_str())
        .bind(org_id.to_string())
        .bind(result)
        .bind(due_at.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}
