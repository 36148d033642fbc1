//! Logs, metrics and traces: how they are set up. What they are called is the contract's. Logs go to stderr.

mod board;
pub(crate) mod traces;

use std::io;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{BackupState, SourceCheckReport};
use walwarden_contract::telemetry as names;
use walwarden_contract::telemetry::spans::RESULT;
use walwarden_contract::telemetry::{METRICS, MetricKind};

pub use self::board::Board;
use self::traces::Traced;
pub use self::traces::{Traces, TracesError};
use crate::config::{LogFormat, Settings};
use crate::store::backups::BackupJob;

/// Sends logs to stderr, in the format of the settings.
///
/// # Errors
/// When logs go somewhere already.
pub fn init_logs(settings: &Settings) -> Result<(), TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = EnvFilter::new(&settings.log);
    // What cannot be logged is not complained about on the same stderr: that would be a panic, on a disk that is full.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    match settings.log_format {
        LogFormat::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    METRICS.iter().try_fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
        MetricKind::Histogram(bounds) => builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds),
        MetricKind::Counter | MetricKind::Gauge => Ok(builder),
    })
}

/// Says what every metric is, and shows the counters that can be known before anything happens: a rate needs a beginning.
fn describe() {
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.about),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.about),
            MetricKind::Histogram(_) => metrics::describe_histogram!(metric.name, metric.about),
        }
        match (metric.kind, metric.labels) {
            (MetricKind::Counter, []) => metrics::counter!(metric.name).increment(0),
            (MetricKind::Counter, [label]) => {
                for value in metric.known_values {
                    metrics::counter!(metric.name, *label => *value).increment(0);
                }
            }
            _ => {}
        }
    }
    metrics::gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Makes the process count, and answers the handle from which `/metrics` is rendered. Call
/// [`PrometheusHandle::run_upkeep`] every few seconds.
///
/// # Errors
/// When something counts already.
pub fn init_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = builder()?.install_recorder()?;
    describe();
    Ok(handle)
}

/// A handle that stands for itself: what is counted elsewhere does not show. For tests, and for processes within
/// another.
///
/// # Errors
/// Never, as long as the buckets are not empty.
pub fn detached_metrics() -> Result<PrometheusHandle, BuildError> {
    Ok(builder()?.build_recorder().handle())
}

/// An attempt at a backup begins.
pub(crate) fn attempt_began() {
    metrics::counter!(names::ATTEMPTS).increment(1);
}

/// An attempt completed a backup.
pub(crate) fn backup_completed(took: Duration, size_bytes: u64) {
    metrics::histogram!(names::BACKUP_SECONDS).record(took);
    metrics::counter!(names::BACKUP_BYTES).increment(size_bytes);
}

/// An attempt ended, and the job is now like this.
pub(crate) fn attempt_ended(job: &BackupJob) {
    let result = match &job.error {
        Some((code, _)) => code.as_str(),
        None if job.state() == BackupState::Completed => "completed",
        None if job.state() == BackupState::Cancelled => "cancelled",
        None => "handed_back",
    };
    metrics::counter!(names::BACKUPS, "result" => result).increment(1);
    let traced = Traced::current();
    traced.set(RESULT, result);
    if let Some((code, _)) = &job.error {
        traced.fail(*code);
    }
    retried(job);
}

/// Counts a job that failed and waits for its next attempt.
fn retried(job: &BackupJob) {
    if let (BackupState::Queued, Some((code, _))) = (job.state(), &job.error) {
        metrics::counter!(names::RETRIES, "code" => code.as_str()).increment(1);
    }
}

/// The backup was called off while it ran.
pub(crate) fn backup_cancelled() {
    metrics::counter!(names::BACKUPS, "result" => ErrorCode::Cancelled.as_str()).increment(1);
    Traced::current().set(RESULT, ErrorCode::Cancelled.as_str());
}

/// An attempt ended because its lease was lost.
pub(crate) fn lease_lost() {
    metrics::counter!(names::LEASE_LOSSES).increment(1);
    let traced = Traced::current();
    traced.set(RESULT, "lease_lost");
    traced.fail(ErrorCode::WorkerLost);
}

/// A job was taken from a worker that stopped answering, and is now like this.
pub(crate) fn job_reaped(job: &BackupJob) {
    metrics::counter!(names::REAPED).increment(1);
    retried(job);
}

/// A restore was sealed because its machine fell silent.
pub(crate) fn restore_timed_out() {
    metrics::counter!(names::RESTORES_TIMED_OUT).increment(1);
}

/// A multipart upload was given up.
pub(crate) fn upload_aborted() {
    metrics::counter!(names::UPLOADS_ABORTED).increment(1);
}

/// A part was acknowledged.
#[expect(clippy::cast_precision_loss, reason = "parts are far smaller than 2^53 bytes")]
pub(crate) fn part_sent(bytes: usize, took: Duration) {
    metrics::counter!(names::UPLOAD_BYTES).increment(bytes as u64);
    metrics::histogram!(names::UPLOAD_RATE).record(bytes as f64 / took.as_secs_f64().max(1e-6));
}

/// A destination was looked at.
pub(crate) fn preflighted(passed: bool) {
    let result = if passed { "passed" } else { "failed" };
    metrics::counter!(names::PREFLIGHTS, "result" => result).increment(1);
}

/// A source was looked at.
pub(crate) fn source_checked(report: &SourceCheckReport) {
    metrics::counter!(names::SOURCE_CHECKS, "result" => report.result.to_string()).increment(1);
}

/// Old backups were looked at: `deleted`, `waiting` or `refused`.
pub(crate) fn retention_looked(result: &'static str, backups: usize) {
    metrics::counter!(names::RETENTION, "result" => result).increment(backups as u64);
}

/// A checkpoint was `signed`, or `failed` because the log is not what it was, or the signer did not sign.
pub(crate) fn checkpoint(result: &'static str) {
    metrics::counter!(names::CHECKPOINTS, "result" => result).increment(1);
}

/// An attempt to write a checkpoint into a bucket ended: `written`, `failed` or `occupied`.
pub(crate) fn checkpoint_copied(result: &'static str) {
    metrics::counter!(names::CHECKPOINT_COPIES, "result" => result).increment(1);
}

/// A record does not hold: `audit_chain`, `manifest`, `log` or `checkpoint`.
pub(crate) fn integrity_failed(what: &'static str) {
    metrics::counter!(names::INTEGRITY_FAILURES, "what" => what).increment(1);
}
