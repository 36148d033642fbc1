//! Logs and metrics: how they are set up, and what they are called. Logs go to stderr.

use std::io;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

use crate::config::{LogFormat, Settings};

/// Requests answered, by operation and status.
pub const HTTP_REQUESTS: &str = "walwarden_http_requests_total";
/// How long requests took, in seconds, by operation.
pub const HTTP_REQUEST_SECONDS: &str = "walwarden_http_request_duration_seconds";
/// Backup attempts that ended, by result: `completed`, or the error code.
pub const BACKUPS: &str = "walwarden_backups_total";
/// How long completed backups took, in seconds.
pub const BACKUP_SECONDS: &str = "walwarden_backup_duration_seconds";
/// Bytes that completed backups put into buckets.
pub const BACKUP_BYTES: &str = "walwarden_backup_bytes_total";
/// Unfinished uploads that were given up because no backup needed them any more.
pub const UPLOADS_ABORTED: &str = "walwarden_uploads_aborted_total";

/// Looks at sources, by result.
pub const SOURCE_CHECKS: &str = "walwarden_source_checks_total";

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
    let requests = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
    let backups = [1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(HTTP_REQUEST_SECONDS.to_owned()), &requests)?
        .set_buckets_for_metric(Matcher::Full(BACKUP_SECONDS.to_owned()), &backups)
}

/// Counts what a look at a source found.
pub(crate) fn source_checked(report: &walwarden_contract::model::SourceCheckReport) {
    let result = report.result.to_string();
    metrics::counter!(SOURCE_CHECKS, "result" => result).increment(1);
}

fn describe() {
    metrics::describe_counter!(HTTP_REQUESTS, "Requests answered, by operation and status");
    metrics::describe_histogram!(HTTP_REQUEST_SECONDS, metrics::Unit::Seconds, "How long requests took, by operation");
    metrics::describe_counter!(BACKUPS, "Backup attempts that ended, by result");
    metrics::describe_histogram!(BACKUP_SECONDS, metrics::Unit::Seconds, "How long completed backups took");
    metrics::describe_counter!(UPLOADS_ABORTED, "Unfinished uploads given up because no backup needed them any more");
    metrics::describe_counter!(BACKUP_BYTES, metrics::Unit::Bytes, "Bytes that completed backups put into buckets");
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
