//! Fields of log lines.

/// A field of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogField {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
}

const fn field(name: &'static str, about: &'static str) -> LogField {
    LogField { name, about }
}

/// Every field of a log line, and of the spans around it.
pub const LOG_FIELDS: &[LogField] = &[
    field("timestamp", "When, in UTC."),
    field("level", "`ERROR`, `WARN`, `INFO` or `DEBUG`."),
    field("target", "Which module of the program says it."),
    field("message", "What happened."),
    field("span", "The innermost span, with its `name` and fields."),
    field("spans", "Every span around the line, outermost first."),
    field("name", "Of a span: what is going on."),
    field("request_id", "The request, as its response names it in `x-request-id`."),
    field("operation", "The operation of the API that the request came to; `none` for anything else."),
    field("status", "HTTP status of the answer."),
    field("latency_ms", "How long the answer took."),
    field("org_id", "The organization."),
    field("backup_job_id", "The backup job."),
    field("restore_job_id", "The restore job."),
    field("database_id", "The protected database."),
    field("destination_id", "The destination."),
    field("stream_id", "The audit chain, or what else of an organization's log does not hold."),
    field("leaves", "How many audit events a checkpoint covers."),
    field("attempt", "Which attempt of the job, from 1."),
    field("part", "Which part of the upload, from 1."),
    field("size_bytes", "A length in bytes."),
    field("code", "A code of the error catalog."),
    field("error", "What went wrong, without secrets."),
    field("details", "What went wrong inside the server, which its caller is not told."),
    field("failure", "Why a record does not hold."),
    field("failures", "How many tries in a row failed."),
    field("queued", "How many scheduled backups were queued."),
    field("aborted", "How many unfinished uploads were given up."),
    field("state", "The state that something is in now."),
    field("key", "An object's key in its bucket."),
    field("pg_dump", "The version of `pg_dump`."),
    field("address", "Where the server listens."),
    field("role", "What the process does: `all`, `api` or `worker`."),
    field("key_id", "The key that signs manifests."),
    field("version", "The version of Walwarden."),
    field("task", "A part of the server that has to run as long as the process does."),
    field("failpoint", "In a debug build under test: where it was told to end."),
];
