//! Audit chains and logs that do not hold: one row for each, for as long as it does not.

use std::fmt;

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::AuditAnomaly;
use walwarden_contract::{DestinationId, OrgId, StreamId, Timestamp};

use super::{Result, Store, audit, count};

/// What does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A chain.
    Chain(StreamId),
    /// The organization's log.
    Log(OrgId),
    /// What a bucket holds of the log's checkpoints.
    Copies(DestinationId),
}

impl From<StreamId> for Subject {
    fn from(id: StreamId) -> Self {
        Self::Chain(id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(id) => write!(formatter, "{id}"),
            Self::Log(id) => write!(formatter, "{id}/log"),
            Self::Copies(id) => write!(formatter, "{id}/checkpoints"),
        }
    }
}

impl Subject {
    /// What the event of an anomaly says. What is no single chain counts against the organization's own.
    fn anomaly(self, org_id: OrgId, failure: &str) -> AuditAnomaly {
        let (stream_id, destination_id) = match self {
            Self::Chain(id) => (id, None),
            Self::Log(_) => (StreamId::Organization(org_id), None),
            Self::Copies(id) => (StreamId::Organization(org_id), Some(id)),
        };
        AuditAnomaly { stream_id, destination_id, failure: failure.to_owned() }
    }
}

/// A chain or a log that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is about, as it stands in the store: the id of a chain, or see [`Subject`].
    pub stream_id: String,
    /// Where it breaks.
    pub failure: String,
}

impl Store {
    /// Notes that something does not hold. This depends on no chain, since any may be the broken one:
    /// [`raise_anomaly`](Self::raise_anomaly) appends the event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_anomaly(
        &self,
        org_id: OrgId,
        subject: Subject,
        failure: &str,
        detected_at: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO audit_anomalies (org_id, stream_id, detected_at, failure) VALUES ($1, $2, $3, $4)
             ON CONFLICT (org_id, stream_id) DO UPDATE SET failure = excluded.failure",
        )
        .bind(org_id.to_string())
        .bind(subject.to_string())
        .bind(detected_at.as_millis())
        .bind(failure)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Appends the event of a noted anomaly to the organization's own chain, unless that was done. Answers whether it was now.
    ///
    /// # Errors
    /// When the store fails, or the organization's chain takes no event.
    pub async fn raise_anomaly(&self, org_id: OrgId, subject: Subject, failure: &str, at: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let raised = sqlx::query(
            "UPDATE audit_anomalies SET raised_at = $3 WHERE org_id = $1 AND stream_id = $2 AND raised_at IS NULL",
        )
        .bind(org_id.to_string())
        .bind(subject.to_string())
        .bind(at.as_millis())
        .execute(tx.connection())
        .await?;
        if raised.rows_affected() == 0 {
            return Ok(false);
        }
        let anomaly = Payload::AuditAnomalyDetected(subject.anomaly(org_id, failure));
        audit::append(&mut tx, org_id, &org_id.to_string(), at, &anomaly).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets that something did not hold, now that it does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clear_anomaly(&self, org_id: OrgId, subject: Subject) -> Result<bool> {
        let cleared = sqlx::query("DELETE FROM audit_anomalies WHERE org_id = $1 AND stream_id = $2")
            .bind(org_id.to_string())
            .bind(subject.to_string())
            .execute(&self.pool)
            .await?;
        Ok(cleared.rows_affected() > 0)
    }

    /// At most `limit` chains, and what else of the organization does not hold.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn anomalies(&self, org_id: OrgId, limit: u32) -> Result<Vec<Anomaly>> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT stream_id, failure FROM audit_anomalies WHERE org_id = $1 ORDER BY stream_id LIMIT $2",
        )
        .bind(org_id.to_string())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(stream_id, failure)| Anomaly { stream_id, failure }).collect())
    }

    /// How many chains and logs do not hold: of one organization, or of all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_anomalies(&self, org_id: Option<OrgId>) -> Result<u64> {
        let (anomalies,): (i64,) = match org_id {
            Some(id) => {
                sqlx::query_as("SELECT COUNT(*) FROM audit_anomalies WHERE org_id = $1")
                    .bind(id.to_string())
                    .fetch_one(&self.pool)
                    .await?
            }
            None => sqlx::query_as("SELECT COUNT(*) FROM audit_anomalies").fetch_one(&self.pool).await?,
        };
        count(anomalies, "count")
    }

    /// At most `limit` ids, as they stand in the store, of jobs of the organization, and of the organization itself, that have no
    /// chain there, behind `after`. Each of them had its first event when it was made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn without_chain(&self, org_id: OrgId, after: &str, limit: u32) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT id FROM (
                 SELECT id, org_id FROM backup_jobs UNION ALL SELECT id, org_id FROM restore_jobs
                 UNION ALL SELECT id, id AS org_id FROM organizations) owners
             WHERE org_id = $1 AND id > $2 AND NOT EXISTS (
                 SELECT 1 FROM audit_streams s WHERE s.stream_id = owners.id AND s.org_id = owners.org_id)
             ORDER BY id LIMIT $3",
        )
        .bind(org_id.to_string())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
