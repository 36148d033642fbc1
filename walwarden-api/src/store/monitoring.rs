//! What operators watch: the same for every organization, and nothing that a caller of the API may see.

use serde::Deserialize;
use walwarden_contract::model::BackupState;
use walwarden_contract::{DatabaseId, Timestamp};

use super::looks::LookKind;
use super::{Result, Store, StoreError, count, json, maybe_time, name, parse, time};

/// What waits, and what is late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Monitored {
    /// Protected databases.
    pub databases: u64,
    /// Backup jobs that wait for a worker.
    pub waiting: u64,
    /// Backup jobs that a worker holds.
    pub held: u64,
    /// Since when the one that waits longest could have been taken.
    pub oldest_waiting: Option<Timestamp>,
    /// When the schedule was due that is due longest.
    pub oldest_due: Option<Timestamp>,
    /// Working processes.
    pub workers: u64,
    /// Audit chains that did not hold when they were last checked.
    pub anomalies: u64,
    /// When the event was due that has waited longest to be in a checkpoint.
    pub oldest_due_event: Option<Timestamp>,
    /// Since when the checkpoint waits that waits longest to be in a bucket.
    pub oldest_waiting_copy: Option<Timestamp>,
    /// What the last comparison of each inventory found.
    pub findings: Findings,
}

/// Findings of inventories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Findings {
    /// All of them.
    #[serde(rename = "findingCount")]
    pub all: u64,
    /// Those that are critical.
    #[serde(rename = "criticalCount")]
    pub critical: u64,
}

/// A database, and when its newest verified backup began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseAge {
    /// Its identifier.
    pub id: DatabaseId,
    /// Its name.
    pub name: String,
    /// Its schedule.
    pub schedule: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When the dump of its newest completed backup began, and when that backup was completed.
    pub verified: Option<(Timestamp, Timestamp)>,
}

impl Store {
    /// Counts what waits and what is late, everywhere.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn monitored(&self, now: Timestamp, seen_since: Timestamp) -> Result<Monitored> {
        let (databases,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM databases").fetch_one(&self.pool).await?;
        let (due,): (Option<i64>,) = sqlx::query_as("SELECT MIN(next_run_at) FROM databases WHERE next_run_at <= $1")
            .bind(now.as_millis())
            .fetch_one(&self.pool)
            .await?;
        let jobs: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT state, COUNT(*), MIN(not_before) FROM backup_jobs
             WHERE state NOT IN ('completed', 'failed_terminal', 'cancelled') GROUP BY state",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut monitored = Monitored {
            databases: count(databases, "count")?,
            oldest_due: maybe_time(due)?,
            workers: self.workers_seen_since(seen_since).await?.workers,
            anomalies: self.count_anomalies(None).await?,
            oldest_due_event: self.oldest_due_event(now).await?,
            oldest_waiting_copy: self.oldest_waiting_copy().await?,
            findings: self.findings().await?,
            ..Monitored::default()
        };
        for (state, jobs, oldest) in jobs {
            let jobs: u64 = count(jobs, "count")?;
            if matches!(name(state, "backup state")?, BackupState::Queued | BackupState::FailedRetryable) {
                let oldest = time(oldest)?;
                monitored.waiting += jobs;
                monitored.oldest_waiting = Some(monitored.oldest_waiting.map_or(oldest, |other| other.min(oldest)));
            } else {
                monitored.held += jobs;
            }
        }
        Ok(monitored)
    }

    /// Adds up what the last comparison of each inventory found, one report at a time.
    async fn findings(&self) -> Result<Findings> {
        let (mut sum, mut last) = (Findings::default(), String::new());
        loop {
            let row: Option<(String, String)> = sqlx::query_as(
                "SELECT org_id, result FROM periodic_looks
                 WHERE kind = $1 AND org_id > $2 AND result IS NOT NULL ORDER BY org_id LIMIT 1",
            )
            .bind(LookKind::Inventory.as_str())
            .bind(&last)
            .fetch_optional(&self.pool)
            .await?;
            let Some((org_id, report)) = row else { return Ok(sum) };
            let found: Findings = json(&report, "inventory report")?;
            sum = Findings { all: sum.all + found.all, critical: sum.critical + found.critical };
            last = org_id;
        }
    }

    /// At most `limit` databases of any organization with ids after `after`, in the order of their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn database_ages(&self, after: Option<DatabaseId>, limit: u32) -> Result<Vec<DatabaseAge>> {
        type Row = (String, String, Option<String>, i64, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT d.id, d.name, d.schedule, d.created_at, d.updated_at, b.started_at, b.finished_at FROM databases d
             LEFT JOIN backup_jobs b ON b.id = (
                 SELECT id FROM backup_jobs WHERE database_id = d.id AND state = 'completed' ORDER BY id DESC LIMIT 1)
             WHERE d.id > $1 ORDER BY d.id LIMIT $2",
        )
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let read = |(id, name, schedule, created_at, updated_at, began, ended): Row| {
            Ok(DatabaseAge {
                id: parse(&id, "database id")?,
                name,
                schedule,
                created_at: time(created_at)?,
                updated_at: time(updated_at)?,
                verified: maybe_time(began)?
                    .map(|began| Ok::<_, StoreError>((began, maybe_time(ended)?.unwrap_or(began))))
                    .transpose()?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
