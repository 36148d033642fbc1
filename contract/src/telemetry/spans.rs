//! Spans of traces: what they are called, what they say, and which is within which.

/// An attribute of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanAttribute {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
}

/// Something that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its name; words in braces stand for attributes.
    pub name: &'static str,
    /// Names of the spans that it can be directly within; none for one that begins a trace, or goes on with its caller's.
    pub within: &'static [&'static str],
    /// Attributes that it has when it ended well.
    pub attributes: &'static [&'static str],
    /// Attributes that it may have besides.
    pub sometimes: &'static [&'static str],
    /// What it spans.
    pub about: &'static str,
}

/// HTTP method.
pub const METHOD: &str = "http.request.method";
/// Path of the operation.
pub const ROUTE: &str = "http.route";
/// HTTP status.
pub const STATUS: &str = "http.response.status_code";
/// The request.
pub const REQUEST_ID: &str = "request_id";
/// The operation.
pub const OPERATION: &str = "operation";
/// Why it failed.
pub const ERROR_TYPE: &str = "error.type";
/// The backup job.
pub const BACKUP_JOB_ID: &str = "backup_job_id";
/// The protected database.
pub const DATABASE_ID: &str = "database_id";
/// Whose it is.
pub const ORGANIZATION_ID: &str = "organization_id";
/// Which attempt.
pub const ATTEMPT: &str = "attempt";
/// How the attempt ended.
pub const RESULT: &str = "result";
/// A length.
pub const SIZE_BYTES: &str = "size_bytes";
/// Which part.
pub const PART: &str = "part";
/// How often it was sent again.
pub const RETRIES: &str = "retries";
/// Which transaction.
pub const TRANSACTION: &str = "transaction";
/// Where it begins.
pub const LINE: &str = "code.line.number";
/// Whether it was made durable.
pub const COMMITTED: &str = "committed";

const fn attribute(name: &'static str, about: &'static str) -> SpanAttribute {
    SpanAttribute { name, about }
}

/// Every attribute, in the order of the reference page.
pub const SPAN_ATTRIBUTES: &[SpanAttribute] = &[
    attribute(METHOD, "The method, or `_OTHER` for one that the API does not know."),
    attribute(ROUTE, "The path, with the names of its parameters in braces: never their values."),
    attribute(STATUS, "The status of the answer."),
    attribute(REQUEST_ID, "The request, as its response names it in `x-request-id`, and the log."),
    attribute(OPERATION, "The operation of the API; `none` where the path has none of this method."),
    attribute(
        ERROR_TYPE,
        "The code of the error catalog, where something failed or was refused. It is the description of the span's status, too, unless the caller was at fault.",
    ),
    attribute(BACKUP_JOB_ID, "The backup job."),
    attribute(DATABASE_ID, "The protected database."),
    attribute(ORGANIZATION_ID, "The organization."),
    attribute(ATTEMPT, "Which attempt of the job, from 1."),
    attribute(
        RESULT,
        "How the attempt ended: `completed`, `cancelled`, `handed_back` when the process stopped, `lease_lost`, or the error code.",
    ),
    attribute(SIZE_BYTES, "Length of the dump or of the part."),
    attribute(PART, "Which part of the upload, from 1."),
    attribute(RETRIES, "How often the part was sent again."),
    attribute(TRANSACTION, "Which module of the program makes the transaction."),
    attribute(LINE, "The line there at which it begins."),
    attribute(COMMITTED, "`true` once it is durable. One that was rolled back does not have it."),
];

/// One request.
pub const REQUEST: Span = Span {
    name: "{http.request.method} {http.route}",
    within: &[],
    attributes: &[METHOD, ROUTE, STATUS, REQUEST_ID, OPERATION],
    sometimes: &[ERROR_TYPE],
    about: "One request to the API, from its headers to its answer; of kind `server`, where all others are `internal`. It goes on with its caller's trace when it brings a W3C `traceparent`.",
};
/// One attempt at a backup.
pub const BACKUP: Span = Span {
    name: "backup",
    within: &[],
    attributes: &[BACKUP_JOB_ID, DATABASE_ID, ORGANIZATION_ID, ATTEMPT, RESULT],
    sometimes: &[ERROR_TYPE],
    about: "One attempt at a backup, from the claim to its recorded end. Each begins a trace.",
};
/// The look at the source.
pub const SOURCE: Span = Span {
    name: "source",
    within: &[BACKUP.name],
    attributes: &[],
    sometimes: &[ERROR_TYPE],
    about: "The look at the source and at `pg_dump`.",
};
/// The dump.
pub const DUMP: Span = Span {
    name: "dump",
    within: &[BACKUP.name],
    attributes: &[SIZE_BYTES],
    sometimes: &[ERROR_TYPE],
    about: "`pg_dump`, from its start to the last acknowledged part.",
};
/// One part on its way.
pub const UPLOAD_PART: Span = Span {
    name: "upload_part",
    within: &[DUMP.name],
    attributes: &[PART, SIZE_BYTES, RETRIES],
    sometimes: &[ERROR_TYPE],
    about: "One part on its way to the bucket, tries of the same part included.",
};
/// The completion of the upload.
pub const COMPLETE: Span = Span {
    name: "complete",
    within: &[BACKUP.name],
    attributes: &[],
    sometimes: &[ERROR_TYPE],
    about: "The completion of the upload, or the finding that it had been completed.",
};
/// The proof of the object.
pub const READ_BACK: Span = Span {
    name: "read_back",
    within: &[BACKUP.name],
    attributes: &[],
    sometimes: &[ERROR_TYPE],
    about: "The artifact and its lock, read from the bucket and compared.",
};
/// The manifest.
pub const MANIFEST: Span = Span {
    name: "manifest",
    within: &[BACKUP.name],
    attributes: &[],
    sometimes: &[ERROR_TYPE],
    about: "The manifest, written and read back.",
};
/// One change in the store.
pub const STORE_TRANSACTION: Span = Span {
    name: "store_transaction",
    within: &[REQUEST.name, BACKUP.name],
    attributes: &[TRANSACTION, LINE],
    sometimes: &[COMMITTED, ERROR_TYPE],
    about: "One transaction of the store, the wait for its beginning included, within a request or an attempt.",
};

/// Every span, in the order of the reference page.
pub const SPANS: &[Span] =
    &[REQUEST, BACKUP, SOURCE, DUMP, UPLOAD_PART, COMPLETE, READ_BACK, MANIFEST, STORE_TRANSACTION];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn spans_name_spans_and_attributes_that_there_are() {
        let spans: BTreeSet<_> = SPANS.iter().map(|span| span.name).collect();
        let attributes: BTreeSet<_> = SPAN_ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
        assert_eq!((spans.len(), attributes.len()), (SPANS.len(), SPAN_ATTRIBUTES.len()), "each comes once");
        let used = SPANS.iter().flat_map(|span| span.attributes.iter().chain(span.sometimes)).copied();
        assert_eq!(used.collect::<BTreeSet<_>>(), attributes);
        assert!(SPANS.iter().flat_map(|span| span.within).all(|name| spans.contains(name)));
    }
}
