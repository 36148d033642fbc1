//! Rows of restore jobs. Their states change in [`crate::jobs`] only.

use std::collections::{BTreeSet, HashMap};

use sqlx::AssertSqlSafe;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_contract::{BackupJobId, DatabaseId, ErrorCode, OrgId, RestoreJobId, Timestamp};

use super::{Result, Store, StoreError, Tx, maybe_time, name, parse, time};

/// A restore job, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreJob {
    /// Its identifier.
    pub id: RestoreJobId,
    /// The organization it belongs to.
    pub org_id: OrgId,
    /// The database whose backup is restored.
    pub database_id: DatabaseId,
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// How the restore treats its target.
    pub mode: RestoreMode,
    /// Where the restore goes, without any credential.
    pub target_redacted_dsn: String,
    /// The database to create.
    pub created_database: Option<String>,
    pub(crate) state: RestoreState,
    /// The manifest that the artifact must match.
    pub manifest_hash: String,
    /// When the token expires.
    pub token_expires_at: Timestamp,
    /// When the restore machine was last heard of.
    pub last_seen_at: Timestamp,
    /// Why it failed.
    pub error_code: Option<ErrorCode>,
    /// When the session was opened.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl RestoreJob {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> RestoreState {
        self.state
    }
}

/// A restore that was completed, and when.
pub type CompletedRestore = (RestoreJobId, Timestamp);

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    database_id: String,
    backup_job_id: String,
    mode: String,
    target_redacted_dsn: String,
    created_database: Option<String>,
    state: String,
    manifest_hash: String,
    token_expires_at: i64,
    last_seen_at: i64,
    error_code: Option<String>,
    created_at: i64,
    finished_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<RestoreJob> {
        Ok(RestoreJob {
            id: parse(&self.id, "restore id")?,
            org_id: parse(&self.org_id, "organization id")?,
            database_id: parse(&self.database_id, "database id")?,
            backup_job_id: parse(&self.backup_job_id, "backup id")?,
            mode: name(self.mode, "restore mode")?,
            target_redacted_dsn: self.target_redacted_dsn,
            created_database: self.created_database,
            state: name(self.state, "restore state")?,
            manifest_hash: self.manifest_hash,
            token_expires_at: time(self.token_expires_at)?,
            last_seen_at: time(self.last_seen_at)?,
            error_code: self.error_code.map(|code| parse(&code, "error code")).transpose()?,
            created_at: time(self.created_at)?,
            finished_at: maybe_time(self.finished_at)?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, job: &RestoreJob) -> Result<()> {
    sqlx::query(
        "INSERT INTO restore_jobs (id, org_id, database_id, backup_job_id, mode, target_redacted_dsn,
         created_database, state, manifest_hash, token_expires_at, last_seen_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(job.id.to_string())
    .bind(job.org_id.to_string())
    .bind(job.database_id.to_string())
    .bind(job.backup_job_id.to_string())
    .bind(job.mode.as_str())
    .bind(&job.target_redacted_dsn)
    .bind(job.created_database.clone())
    .bind(job.state.as_str())
    .bind(&job.manifest_hash)
    .bind(job.token_expires_at.as_millis())
    .bind(job.last_seen_at.as_millis())
    .bind(job.created_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Reads a job and keeps every other transaction from changing it until this one ends.
pub(crate) async fn lock(tx: &mut Tx, id: RestoreJobId) -> Result<RestoreJob> {
    let text = tx.locking("SELECT * FROM restore_jobs WHERE id = $1");
    let row: Option<Row> = sqlx::query_as(text).bind(id.to_string()).fetch_optional(tx.connection()).await?;
    row.ok_or(StoreError::Missing("restore job"))?.read()
}

/// Locks one unfinished job that was last heard of before `cutoff`, or whose token expired unused before `now`.
pub(crate) async fn take_silent(tx: &mut Tx, cutoff: Timestamp, now: Timestamp) -> Result<Option<RestoreJob>> {
    let text = format!(
        "SELECT * FROM restore_jobs WHERE finished_at IS NULL AND
             ((state = 'token_issued' AND token_expires_at <= $1) OR (state <> 'token_issued' AND last_seen_at <= $2))
             LIMIT 1 {}",
        tx.skip_locked()
    );
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(text))
        .bind(now.as_millis())
        .bind(cutoff.as_millis())
        .fetch_optional(tx.connection())
        .await?;
    row.map(Row::read).transpose()
}

/// Writes everything of a job that can change.
pub(crate) async fn save(tx: &mut Tx, job: &RestoreJob) -> Result<()> {
    sqlx::query(
        "UPDATE restore_jobs SET state = $2, last_seen_at = $3, error_code = $4, finished_at = $5 WHERE id = $1",
    )
    .bind(job.id.to_string())
    .bind(job.state.as_str())
    .bind(job.last_seen_at.as_millis())
    .bind(job.error_code.map(|code| code.as_str().to_owned()))
    .bind(job.finished_at.map(Timestamp::as_millis))
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl Store {
    /// Reads a restore job of the organization.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn restore(&self, org_id: OrgId, id: RestoreJobId) -> Result<RestoreJob> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM restore_jobs WHERE id = $1 AND org_id = $2")
            .bind(id.to_string())
            .bind(org_id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.ok_or(StoreError::Missing("restore job"))?.read()
    }

    /// The restore of this backup that was completed last, if one was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn completed_restore(&self, org_id: OrgId, id: BackupJobId) -> Result<Option<CompletedRestore>> {
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT id, finished_at FROM restore_jobs WHERE backup_job_id = $1 AND org_id = $2 AND state = 'completed'
             ORDER BY id DESC LIMIT 1",
        )
        .bind(id.to_string())
        .bind(org_id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|(id, at)| Ok((parse(&id, "restore id")?, time(at)?))).transpose()
    }

    /// For each of these backups of which a restore was completed: the one that was completed last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn completed_restores(
        &self,
        org_id: OrgId,
        backups: &[BackupJobId],
    ) -> Result<HashMap<BackupJobId, CompletedRestore>> {
        if backups.is_empty() {
            return Ok(HashMap::new());
        }
        let places = (2..).take(backups.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        let text = format!(
            "SELECT backup_job_id, id, finished_at FROM restore_jobs WHERE id IN (
                 SELECT MAX(id) FROM restore_jobs WHERE org_id = $1 AND state = 'completed'
                 AND backup_job_id IN ({places}) GROUP BY backup_job_id)"
        );
        let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(org_id.to_string());
        for backup in backups {
            query = query.bind(backup.to_string());
        }
        let rows: Vec<(String, String, i64)> = query.fetch_all(&self.pool).await?;
        rows.into_iter()
            .map(|(backup, id, at)| Ok((parse(&backup, "backup id")?, (parse(&id, "restore id")?, time(at)?))))
            .collect()
    }

    /// Of a backup's restores that the log had an event of when it had `size` leaves: the newest, `limit` at most, and the one that
    /// was completed last by then; oldest first. What happened since changes nothing of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn restores_as_of(
        &self,
        org_id: OrgId,
        id: BackupJobId,
        size: u64,
        limit: u32,
    ) -> Result<Vec<RestoreJobId>> {
        let newest = "SELECT r.id, l.leaf FROM restore_jobs r JOIN audit_leaves l ON l.stream_id = r.id AND l.seq = 1
             WHERE r.backup_job_id = $1 AND r.org_id = $2 AND l.leaf < $3 ORDER BY l.leaf DESC LIMIT $4";
        let completed = "SELECT r.id, f.leaf FROM restore_jobs r
             JOIN audit_events e ON e.stream_id = r.id AND e.kind = 'restore.completed'
             JOIN audit_leaves l ON l.stream_id = e.stream_id AND l.seq = e.seq
             JOIN audit_leaves f ON f.stream_id = r.id AND f.seq = 1
             WHERE r.backup_job_id = $1 AND r.org_id = $2 AND l.leaf < $3 ORDER BY l.leaf DESC LIMIT $4";
        let mut found = BTreeSet::new();
        for (query, limit) in [(newest, limit), (completed, 1)] {
            let rows: Vec<(String, i64)> = sqlx::query_as(query)
                .bind(id.to_string())
                .bind(org_id.to_string())
                .bind(i64::try_from(size).unwrap_or(i64::MAX))
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await?;
            found.extend(rows.into_iter().map(|(id, leaf)| (leaf, id)));
        }
        found.into_iter().map(|(_, id)| parse(&id, "restore id")).collect()
    }

    /// The organization that a restore job belongs to: for a token that was refused, and so proves nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn restore_owner(&self, id: RestoreJobId) -> Result<Option<OrgId>> {
        let row: Option<(String,)> = sqlx::query_as("SELECT org_id FROM restore_jobs WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|(org_id,)| parse(&org_id, "organization id")).transpose()
    }

    /// Whether there is a job to seal. Cheap, so that an idle watchdog does not write.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_silent_restore(&self, cutoff: Timestamp, now: Timestamp) -> Result<bool> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT id FROM restore_jobs WHERE finished_at IS NULL AND
             ((state = 'token_issued' AND token_expires_at <= $1) OR (state <> 'token_issued' AND last_seen_at <= $2))
             LIMIT 1",
        )
        .bind(now.as_millis())
        .bind(cutoff.as_millis())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }
}
