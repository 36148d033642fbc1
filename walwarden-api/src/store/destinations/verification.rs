//! What preflight has found out about a destination, and when it is looked at next.

use serde::{Deserialize, Serialize};
use walwarden_contract::Timestamp;
use walwarden_contract::model::{DestinationState, PreflightSummary};

use super::{Destination, Row};
use crate::store::{Result, Store, StoreError, Tx, count, json, maybe_time, name, time};

/// A probe that stayed in the bucket because a lock holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftProbe {
    /// Its key.
    pub key: String,
    /// Its version, where the bucket has versions.
    pub version: Option<String>,
    /// Until when it is locked.
    pub until: Timestamp,
}

/// What preflight has found out about a destination, and when it looks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Whether the destination takes backups.
    pub state: DestinationState,
    /// When preflight last passed since the last change.
    pub verified_at: Option<Timestamp>,
    /// The last run since the last change.
    pub preflight: Option<PreflightSummary>,
    /// How many runs in a row did not pass.
    pub failures: u32,
    /// When the next run is due. A run under way is due again only once it must have died.
    pub next_run_at: Timestamp,
    /// Counts the changes that matter to the bucket: what was found out about an earlier one says nothing about this one.
    pub revision: u64,
    /// Probes that locks hold, to be deleted by a later run.
    pub left: Vec<LeftProbe>,
}

impl Verification {
    /// Of a destination that nobody has looked at, and that is to be looked at then.
    #[must_use]
    pub const fn due(next_run_at: Timestamp) -> Self {
        Self {
            state: DestinationState::Unverified,
            verified_at: None,
            preflight: None,
            failures: 0,
            next_run_at,
            revision: 1,
            left: Vec::new(),
        }
    }

    pub(super) fn preflight_text(&self) -> Option<String> {
        self.preflight.as_ref().map(|summary| serde_json::json!(summary).to_string())
    }

    pub(super) fn left_text(&self) -> String {
        serde_json::json!(self.left).to_string()
    }

    pub(super) fn revision_number(&self) -> i64 {
        i64::try_from(self.revision).unwrap_or(i64::MAX)
    }
}

/// The columns of a row that a [`Verification`] is made of.
#[derive(sqlx::FromRow)]
pub(super) struct Columns {
    state: String,
    verified_at: Option<i64>,
    preflight: Option<String>,
    preflight_failures: i64,
    next_preflight_at: i64,
    revision: i64,
    left_probes: String,
}

impl Columns {
    pub(super) fn read(self) -> Result<Verification> {
        Ok(Verification {
            state: name(self.state, "destination state")?,
            verified_at: maybe_time(self.verified_at)?,
            preflight: self.preflight.map(|text| json(&text, "preflight")).transpose()?,
            failures: count(self.preflight_failures, "count")?,
            next_run_at: time(self.next_preflight_at)?,
            revision: count(self.revision, "revision")?,
            left: json(&self.left_probes, "list of probes")?,
        })
    }
}

/// Takes the destination that is longest overdue, so that nobody else looks at it before `until`.
pub(crate) async fn take_due(tx: &mut Tx, now: Timestamp, until: Timestamp) -> Result<Option<Destination>> {
    let sql = format!(
        "UPDATE destinations SET next_preflight_at = $2 WHERE id = (
             SELECT id FROM destinations WHERE next_preflight_at <= $1 ORDER BY next_preflight_at LIMIT 1 {})
         RETURNING *",
        tx.skip_locked()
    );
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(now.as_millis())
        .bind(until.as_millis())
        .fetch_optional(tx.connection())
        .await?;
    row.map(Row::read).transpose()
}

/// Writes what was found out. The caller holds the row, and appends the audit event.
pub(crate) async fn save_verification(tx: &mut Tx, destination: &Destination) -> Result<()> {
    let verification = &destination.verification;
    let updated = sqlx::query(
        "UPDATE destinations SET state = $3, verified_at = $4, preflight = $5, preflight_failures = $6,
         next_preflight_at = $7, left_probes = $8 WHERE id = $1 AND org_id = $2",
    )
    .bind(destination.id.to_string())
    .bind(destination.org_id.to_string())
    .bind(verification.state.as_str())
    .bind(verification.verified_at.map(Timestamp::as_millis))
    .bind(verification.preflight_text())
    .bind(i64::from(verification.failures))
    .bind(verification.next_run_at.as_millis())
    .bind(verification.left_text())
    .execute(tx.connection())
    .await?;
    if updated.rows_affected() == 0 { Err(StoreError::Missing("destination")) } else { Ok(()) }
}

impl Store {
    /// Whether any destination is due to be looked at.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_due_preflight(&self, now: Timestamp) -> Result<bool> {
        let found: Option<(String,)> =
            sqlx::query_as("SELECT id FROM destinations WHERE next_preflight_at <= $1 LIMIT 1")
                .bind(now.as_millis())
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }
}
