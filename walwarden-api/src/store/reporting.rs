//! Reading what reports are made of: jobs of a period, and those events of their chains that say what became of them.

use sqlx::AssertSqlSafe;
use walwarden_contract::audit::AuditEvent;
use walwarden_contract::model::BackupState;
use walwarden_contract::{BackupJobId, DatabaseId, OrgId, RestoreJobId, Timestamp};

use super::{Result, Store, count, json, name, parse, time};

/// Jobs are found by their ids, which begin with their time. A job's id is made a moment after its time is read.
const SLACK_MILLIS: i64 = 60_000;
/// Behind every restore's id.
const LAST_RESTORE: &str = "rst_g";
/// The kinds of events that say how a job began, started and ended. Their number is bounded by a job's attempts.
const TELLING: &str = "'backup.running', 'backup.completed', 'backup.failed', 'backup.cancelled', 'restore.triggered',
     'restore.manifest_verified', 'restore.completed', 'restore.failed', 'restore.cancelled', 'restore.timed_out'";

/// The first id that a job of this time can have.
fn first_id(prefix: &str, at: Timestamp) -> String {
    format!("{prefix}_{:012x}", at.as_millis().saturating_sub(SLACK_MILLIS).max(0))
}

/// From one moment, up to but without another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// A backup job, as far as its chain does not tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedBackup {
    /// The job.
    pub id: BackupJobId,
    /// Where it stands by its record.
    pub state: BackupState,
    /// The signed manifest.
    pub manifest: Option<String>,
}

/// A restore job, as far as its chain does not tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedRestore {
    /// The job.
    pub id: RestoreJobId,
    /// The database whose backup it restores.
    pub database_id: DatabaseId,
}

/// Signed checkpoints of the organization's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedCheckpoints {
    /// How many were signed within a time.
    pub signed: u64,
    /// How many copies of these were to be in buckets.
    pub copies: u64,
    /// How many of them are.
    pub copies_written: u64,
    /// The newest that was signed before its end.
    pub newest: Option<ReportedCheckpoint>,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedCheckpoint {
    /// How many events the log had.
    pub size: u64,
    /// The root of the tree over them, lowercase hex.
    pub root: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    stream_id: String,
    seq: i64,
    at: i64,
    kind: String,
    payload: String,
    prev_hash: String,
    hash: String,
}

impl EventRow {
    fn read(self) -> Result<AuditEvent> {
        Ok(AuditEvent {
            kind: name(self.kind, "audit event kind")?,
            seq: count(self.seq, "audit event number")?,
            at: time(self.at)?,
            job_id: self.stream_id,
            payload: json(&self.payload, "audit event payload")?,
            prev_hash: self.prev_hash,
            hash: self.hash,
        })
    }
}

impl Store {
    /// At most `limit` backup jobs of a database with ids after `after`, oldest first: those that were queued within a time, and
    /// those that stand for a run of the schedule within it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reported_backups(
        &self,
        org_id: OrgId,
        database_id: DatabaseId,
        within: Span,
        after: Option<BackupJobId>,
        limit: u32,
    ) -> Result<Vec<ReportedBackup>> {
        let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
            "SELECT id, state, manifest FROM backup_jobs WHERE database_id = $1 AND org_id = $2 AND id > $3
             AND ((created_at >= $4 AND created_at < $5) OR (scheduled_for >= $4 AND scheduled_for < $5))
             ORDER BY id LIMIT $6",
        )
        .bind(database_id.to_string())
        .bind(org_id.to_string())
        .bind(after.map_or_else(|| first_id(BackupJobId::PREFIX, within.from), |id| id.to_string()))
        .bind(within.from.as_millis())
        .bind(within.to.as_millis())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(id, state, manifest)| {
                let (id, state) = (parse(&id, "backup id")?, name(state, "backup state")?);
                Ok(ReportedBackup { id, state, manifest })
            })
            .collect()
    }

    /// At most `limit` restore jobs that were opened within a time, of one database or of all, with ids after `after`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reported_restores(
        &self,
        org_id: OrgId,
        only: Option<DatabaseId>,
        within: Span,
        after: Option<RestoreJobId>,
        limit: u32,
    ) -> Result<Vec<ReportedRestore>> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, database_id FROM restore_jobs WHERE id > $1 AND id < $2 AND org_id = $3
             AND created_at >= $4 AND created_at < $5 AND ($6 = '' OR database_id = $6) ORDER BY id LIMIT $7",
        )
        .bind(after.map_or_else(|| first_id(RestoreJobId::PREFIX, within.from), |id| id.to_string()))
        .bind(LAST_RESTORE)
        .bind(org_id.to_string())
        .bind(within.from.as_millis())
        .bind(within.to.as_millis())
        .bind(only.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(id, database_id)| {
                Ok(ReportedRestore { id: parse(&id, "restore id")?, database_id: parse(&database_id, "database id")? })
            })
            .collect()
    }

    /// Of each of these chains the first event, and those that say how the job started and ended; chain by chain, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn telling_events(&self, org_id: OrgId, streams: &[String]) -> Result<Vec<AuditEvent>> {
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        let places = (2..).take(streams.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        let text = format!(
            "SELECT stream_id, seq, at, kind, payload, prev_hash, hash FROM audit_events
             WHERE org_id = $1 AND stream_id IN ({places}) AND (seq = 1 OR kind IN ({TELLING}))
             ORDER BY stream_id, seq"
        );
        let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(org_id.to_string());
        for stream in streams {
            query = query.bind(stream.clone());
        }
        let rows: Vec<EventRow> = query.fetch_all(&self.pool).await?;
        rows.into_iter().map(EventRow::read).collect()
    }

    /// The checkpoints that were signed within a time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reported_checkpoints(&self, org_id: OrgId, within: Span) -> Result<ReportedCheckpoints> {
        let (signed,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM checkpoints WHERE org_id = $1 AND signed_at >= $2 AND signed_at < $3")
                .bind(org_id.to_string())
                .bind(within.from.as_millis())
                .bind(within.to.as_millis())
                .fetch_one(&self.pool)
                .await?;
        let (copies, written): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(c.written_at) FROM checkpoint_copies c
             JOIN checkpoints k ON k.org_id = c.org_id AND k.size = c.size AND k.day = c.day
             WHERE k.org_id = $1 AND k.signed_at >= $2 AND k.signed_at < $3",
        )
        .bind(org_id.to_string())
        .bind(within.from.as_millis())
        .bind(within.to.as_millis())
        .fetch_one(&self.pool)
        .await?;
        let newest: Option<(i64, String, i64)> = sqlx::query_as(
            "SELECT size, root, signed_at FROM checkpoints WHERE org_id = $1 AND signed_at < $2
             ORDER BY size DESC, day DESC LIMIT 1",
        )
        .bind(org_id.to_string())
        .bind(within.to.as_millis())
        .fetch_optional(&self.pool)
        .await?;
        let newest = match newest {
            Some((size, root, signed_at)) => Some(ReportedCheckpoint {
                size: count(size, "size of a checkpoint")?,
                root,
                signed_at: time(signed_at)?,
            }),
            None => None,
        };
        Ok(ReportedCheckpoints {
            signed: count(signed, "count")?,
            copies: count(copies, "count")?,
            copies_written: count(written, "count")?,
            newest,
        })
    }

    /// At most `limit` events of deletion within a time, of backups of one database or of all, behind this place in the order of
    /// chain and number. Backups of any age are searched.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retention_events(
        &self,
        org_id: OrgId,
        only: Option<DatabaseId>,
        within: Span,
        (stream, seq): (&str, u64),
        limit: u32,
    ) -> Result<Vec<AuditEvent>> {
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT e.stream_id, e.seq, e.at, e.kind, e.payload, e.prev_hash, e.hash
             FROM audit_events e JOIN backup_jobs b ON b.id = e.stream_id
             WHERE e.org_id = $1 AND b.org_id = $1 AND e.kind IN ('retention.deleted', 'retention.refused')
             AND e.at >= $2 AND e.at < $3 AND ($4 = '' OR b.database_id = $4)
             AND (e.stream_id > $5 OR (e.stream_id = $5 AND e.seq > $6)) ORDER BY e.stream_id, e.seq LIMIT $7",
        )
        .bind(org_id.to_string())
        .bind(within.from.as_millis())
        .bind(within.to.as_millis())
        .bind(only.map_or_else(String::new, |id| id.to_string()))
        .bind(stream)
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(EventRow::read).collect()
    }
}
