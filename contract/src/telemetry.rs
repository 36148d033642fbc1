//! What a running server tells of itself: metrics, fields of log lines and spans of traces, as data.

mod logs;
pub mod spans;

pub use self::logs::{LOG_FIELDS, LogField};

/// How a metric's value moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only up, from 0 at the start of the process.
    Counter,
    /// Up and down.
    Gauge,
    /// Counts values by size; the upper bounds of the buckets.
    Histogram(&'static [f64]),
}

impl MetricKind {
    /// The kind as Prometheus names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// Which processes have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// All of them.
    Everywhere,
    /// Those with a worker and a scheduler (`--role all` or `worker`).
    Workers,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its name, which does not change.
    pub name: &'static str,
    /// How its value moves.
    pub kind: MetricKind,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
    /// Values of the only label of a counter that are there from the start, at 0.
    pub known_values: &'static [&'static str],
    /// Which processes have it.
    pub found: Where,
    /// What it tells.
    pub about: &'static str,
}

const fn metric(name: &'static str, kind: MetricKind, labels: &'static [&'static str], about: &'static str) -> Metric {
    Metric { name, kind, labels, known_values: &[], found: Where::Everywhere, about }
}

impl Metric {
    const fn of_workers(self) -> Self {
        Self { found: Where::Workers, ..self }
    }

    const fn known_values(self, values: &'static [&'static str]) -> Self {
        Self { known_values: values, ..self }
    }
}

/// The version that runs.
pub const BUILD_INFO: &str = "walwarden_build_info";
/// Requests answered.
pub const HTTP_REQUESTS: &str = "walwarden_http_requests_total";
/// How long requests took.
pub const HTTP_REQUEST_SECONDS: &str = "walwarden_http_request_duration_seconds";
/// Backup attempts that began.
pub const ATTEMPTS: &str = "walwarden_backup_attempts_total";
/// Backup attempts that ended.
pub const BACKUPS: &str = "walwarden_backups_total";
/// Backup attempts that failed and are followed by another.
pub const RETRIES: &str = "walwarden_backup_retries_total";
/// How long completed backups took.
pub const BACKUP_SECONDS: &str = "walwarden_backup_duration_seconds";
/// Bytes of completed backups.
pub const BACKUP_BYTES: &str = "walwarden_backup_bytes_total";
/// Age of the data in the newest verified backup.
pub const BACKUP_AGE: &str = "walwarden_last_verified_backup_age_seconds";
/// Whether a scheduled backup is missing.
pub const BACKUP_OVERDUE: &str = "walwarden_backup_overdue";
/// Databases.
pub const DATABASES: &str = "walwarden_databases";
/// Databases without series of their own.
pub const DATABASES_UNLISTED: &str = "walwarden_databases_unlisted";
/// Jobs that have not ended.
pub const QUEUE_JOBS: &str = "walwarden_queue_jobs";
/// How long the oldest waits.
pub const QUEUE_OLDEST: &str = "walwarden_queue_oldest_wait_seconds";
/// How late the scheduler is.
pub const SCHEDULER_LAG: &str = "walwarden_scheduler_lag_seconds";
/// Working processes.
pub const WORKERS: &str = "walwarden_workers";
/// When the gauges of the store were read.
pub const REFRESHED: &str = "walwarden_store_gauges_refreshed_timestamp_seconds";
/// Leases lost.
pub const LEASE_LOSSES: &str = "walwarden_lease_losses_total";
/// Jobs taken from dead workers.
pub const REAPED: &str = "walwarden_jobs_reaped_total";
/// Restores that fell silent.
pub const RESTORES_TIMED_OUT: &str = "walwarden_restores_timed_out_total";
/// Multipart uploads given up.
pub const UPLOADS_ABORTED: &str = "walwarden_uploads_aborted_total";
/// Bytes of acknowledged parts.
pub const UPLOAD_BYTES: &str = "walwarden_upload_bytes_total";
/// How fast parts went.
pub const UPLOAD_RATE: &str = "walwarden_upload_part_bytes_per_second";
/// Audit chains that do not hold.
pub const AUDIT_ANOMALIES: &str = "walwarden_audit_anomalies";
/// Checkpoints of audit logs.
pub const CHECKPOINTS: &str = "walwarden_checkpoints_total";
/// Attempts to write checkpoints into buckets.
pub const CHECKPOINT_COPIES: &str = "walwarden_checkpoint_copies_total";
/// How long the oldest event waits for a checkpoint.
pub const LOG_OLDEST: &str = "walwarden_log_oldest_wait_seconds";
/// How long the oldest checkpoint waits for a bucket.
pub const COPIES_OLDEST: &str = "walwarden_checkpoint_copies_oldest_wait_seconds";
/// Findings of the inventory.
pub const INVENTORY_FINDINGS: &str = "walwarden_inventory_findings";
/// Looks at old backups.
pub const RETENTION: &str = "walwarden_retention_total";
/// Looks at destinations.
pub const PREFLIGHTS: &str = "walwarden_preflights_total";
/// Looks at sources.
pub const SOURCE_CHECKS: &str = "walwarden_source_checks_total";
/// Spans on their way to a collector.
pub const TRACE_SPANS: &str = "walwarden_trace_spans_total";
/// Records that do not hold.
pub const INTEGRITY_FAILURES: &str = "walwarden_integrity_failures_total";

const REQUEST_BOUNDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const BACKUP_BOUNDS: &[f64] = &[1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];
const RATE_BOUNDS: &[f64] = &[1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9];
const DATABASE: &[&str] = &["database_id", "database_name"];

use MetricKind::{Counter, Gauge, Histogram};

/// How an attempt at a backup can end. An alert on an increase needs a beginning for each: the first failure of a kind would go unseen.
const ENDS_OF_ATTEMPTS: &[&str] = &[
    "completed",
    "cancelled",
    "handed_back",
    "archive_incomplete",
    "artifact_key_occupied",
    "artifact_mismatch",
    "artifact_too_large",
    "clock_skewed",
    "destination_access_denied",
    "destination_bucket_missing",
    "destination_encryption_refused",
    "destination_full",
    "destination_key_unusable",
    "destination_lock_refused",
    "destination_not_ready",
    "destination_throttled",
    "destination_unreachable",
    "dump_failed",
    "dump_killed",
    "internal_error",
    "service_unavailable",
    "source_auth_failed",
    "source_changed",
    "source_connection_lost",
    "source_data_corrupted",
    "source_database_missing",
    "source_disk_full",
    "source_lock_timeout",
    "source_permission_denied",
    "source_tls_failed",
    "source_unreachable",
    "source_version_unsupported",
    "timeout",
    "tool_missing",
    "upload_failed",
    "worker_disk_full",
    "worker_lost",
];
/// Those after which another attempt follows.
const RETRIED: &[&str] = &[
    "clock_skewed",
    "destination_full",
    "destination_throttled",
    "destination_unreachable",
    "dump_killed",
    "internal_error",
    "service_unavailable",
    "source_changed",
    "source_connection_lost",
    "source_disk_full",
    "source_lock_timeout",
    "source_unreachable",
    "timeout",
    "upload_failed",
    "worker_disk_full",
    "worker_lost",
];

/// Every metric, in the order of the reference page.
pub const METRICS: &[Metric] = &[
    metric(BUILD_INFO, Gauge, &["version"], "1, with the version that runs."),
    metric(HTTP_REQUESTS, Counter, &["operation", "status"], "Requests answered; `operation` is `none` for what is no operation of the API."),
    metric(HTTP_REQUEST_SECONDS, Histogram(REQUEST_BOUNDS), &["operation"], "How long requests took."),
    metric(ATTEMPTS, Counter, &[], "Backup attempts that began here.").of_workers(),
    metric(BACKUPS, Counter, &["result"], "Backup attempts that ended here: `completed`, `cancelled`, `handed_back` when the process stopped or the destination had to be looked at first, or the error code.")
        .known_values(ENDS_OF_ATTEMPTS)
        .of_workers(),
    metric(RETRIES, Counter, &["code"], "Backup attempts that failed and are followed by another, by error code.").known_values(RETRIED).of_workers(),
    metric(BACKUP_SECONDS, Histogram(BACKUP_BOUNDS), &[], "How long attempts took that completed a backup, from claim to manifest.").of_workers(),
    metric(BACKUP_BYTES, Counter, &[], "Bytes of artifacts of completed backups.").of_workers(),
    metric(BACKUP_AGE, Gauge, DATABASE, "Age of the data in the newest verified backup; of a database without one, the time since it was added.").of_workers(),
    metric(BACKUP_OVERDUE, Gauge, DATABASE, "1 when the newest verified backup is older than its schedule promises (`freshness` is `stale`), or when there is none although the first run since the database was last changed should have become one; 0 otherwise, and without a schedule.").of_workers(),
    metric(DATABASES, Gauge, &[], "Protected databases, all organizations.").of_workers(),
    metric(DATABASES_UNLISTED, Gauge, &[], "Databases beyond the first 25,000, which have no series of their own.").of_workers(),
    metric(QUEUE_JOBS, Gauge, &["state"], "Backup jobs that have not ended: `waiting` for a worker, or `held` by one.").of_workers(),
    metric(QUEUE_OLDEST, Gauge, &[], "For how long the job that waits longest could have been taken; 0 when none waits.").of_workers(),
    metric(SCHEDULER_LAG, Gauge, &[], "How long the schedule that is due longest has been due; 0 when none is.").of_workers(),
    metric(WORKERS, Gauge, &[], "Working processes that were seen within the last minute.").of_workers(),
    metric(REFRESHED, Gauge, &[], "When the gauges that come from the store were read, in seconds since 1970.").of_workers(),
    metric(LEASE_LOSSES, Counter, &[], "Attempts that ended because their lease was lost.").of_workers(),
    metric(REAPED, Counter, &[], "Jobs that this process took from workers that stopped answering.").of_workers(),
    metric(RESTORES_TIMED_OUT, Counter, &[], "Restores that were sealed because their machine fell silent.").of_workers(),
    metric(UPLOADS_ABORTED, Counter, &[], "Multipart uploads that were given up."),
    metric(UPLOAD_BYTES, Counter, &[], "Bytes of parts that buckets acknowledged.").of_workers(),
    metric(UPLOAD_RATE, Histogram(RATE_BOUNDS), &[], "Bytes per second of each part on its way, tries of the same part included.").of_workers(),
    metric(RETENTION, Counter, &["result"], "Old backups that were looked at: `deleted`, `waiting` for what holds them, or `refused` by the bucket.").known_values(&["deleted", "waiting", "refused"]).of_workers(),
    metric(AUDIT_ANOMALIES, Gauge, &[], "Audit chains and logs that did not hold when they were last checked, all organizations.").of_workers(),
    metric(CHECKPOINTS, Counter, &["result"], "Checkpoints of audit logs: `signed`, or `failed` because the log is not what was signed before, or nothing signs.").known_values(&["signed", "failed"]).of_workers(),
    metric(CHECKPOINT_COPIES, Counter, &["result"], "Attempts to write a checkpoint into a bucket: `written`, `failed`, or `occupied` where something else stands in its place.").known_values(&["written", "failed", "occupied"]).of_workers(),
    metric(LOG_OLDEST, Gauge, &[], "For how long the event has been due that has waited longest to be in a checkpoint; 0 when none is.").of_workers(),
    metric(COPIES_OLDEST, Gauge, &[], "For how long the checkpoint has waited that waits longest to be in a bucket; 0 when none does.").of_workers(),
    metric(INVENTORY_FINDINGS, Gauge, &["severity"], "What the last comparison of each inventory found, all organizations: `critical` or `warning`.").of_workers(),
    metric(PREFLIGHTS, Counter, &["result"], "Looks at destinations: `passed` or `failed`.").known_values(&["passed", "failed"]),
    metric(SOURCE_CHECKS, Counter, &["result"], "Looks at sources: `passed`, `warning`, `failed` or `skipped`.").known_values(&["passed", "warning", "failed", "skipped"]),
    metric(TRACE_SPANS, Counter, &["result"], "Spans of traces: `exported`, `failed` where the collector did not take them, or `dropped` because too many waited. All stay 0 where no traces are exported.").known_values(&["exported", "failed", "dropped"]),
    metric(INTEGRITY_FAILURES, Counter, &["what"], "What was found not to hold: `audit_chain`, `manifest`, the `log` over all chains, or a `checkpoint` in a bucket.").known_values(&["audit_chain", "manifest", "log", "checkpoint"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ErrorCode;

    #[test]
    fn every_failure_of_a_source_or_a_destination_is_counted_from_nought() {
        let code = |value: &&str| ErrorCode::ALL.iter().find(|code| code.as_str() == *value).copied();
        for value in ENDS_OF_ATTEMPTS.iter().skip(3) {
            let code = code(value).unwrap_or_else(|| panic!("{value} is no code"));
            assert_eq!(RETRIED.contains(value), code.retryable(), "{value}");
        }
        assert!(RETRIED.iter().all(|value| ENDS_OF_ATTEMPTS.contains(value)));
        for code in ErrorCode::ALL.iter().map(|code| code.as_str()) {
            let of_a_backup = code.starts_with("source_") || code.starts_with("destination_");
            // Found when a database is added, before any attempt.
            let ends = of_a_backup && !["source_pooled", "source_check_failed"].contains(&code);
            assert!(!ends || ENDS_OF_ATTEMPTS.contains(&code), "{code}");
        }
    }

    #[test]
    fn names_say_what_they_are_and_come_once() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert!(metric.name.starts_with("walwarden_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == MetricKind::Counter, "{}", metric.name);
            assert!(metric.known_values.is_empty() || metric.labels.len() == 1, "{}", metric.name);
        }
    }
}
