//! What a Postgres tool's stderr means, in the few classes on which decisions rest.

/// Why a tool or a query failed, as far as its stderr tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// No server answers there, or it takes no connections now.
    Unreachable,
    /// The server refused the role or its password.
    AuthFailed,
    /// TLS could not be agreed on, or a certificate was not trusted.
    TlsFailed,
    /// The role lacks a privilege, or row-level security would hide rows from it.
    PermissionDenied,
    /// The database does not exist.
    DatabaseMissing,
    /// The database exists already.
    DatabaseExists,
    /// The tool is older than the server or the archive.
    VersionMismatch,
    /// The connection broke, or an administrator ended it, after it was established.
    ConnectionLost,
    /// A lock was not granted in time.
    LockTimeout,
    /// What was to be read was dropped or changed at that moment.
    Changed,
    /// A disk is full, here or on the server.
    DiskFull,
    /// The server cannot read its own data.
    DataCorrupted,
    /// Nothing this table knows.
    Other,
}

impl FailureClass {
    /// Whether the same attempt may succeed later without anyone changing anything.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::ConnectionLost | Self::LockTimeout | Self::Changed | Self::DiskFull)
    }
}

/// Texts of libpq, the server (English, or any language by SQLSTATE) and the tools, most telling first.
///
/// With several hosts, libpq reports one failure for each: a refused password says more than a refused connection.
const PATTERNS: &[(FailureClass, &[&str])] = &[
    (FailureClass::DiskFull, &["no space left on device", "53100:", "disk full", "disk quota exceeded"]),
    (
        FailureClass::DataCorrupted,
        &[
            "invalid page in block",
            "could not read block",
            "could not open file \"base/",
            "could not open file \"pg_tblspc/",
            "missing chunk number",
            "unexpected chunk",
            "pglz data is corrupt",
            "data is corrupt",
            "input/output error",
            "58030:",
            "xx001:",
            "xx002:",
        ],
    ),
    (
        FailureClass::VersionMismatch,
        &["server version mismatch", "aborting because of server version", "unsupported version (", "server version:"],
    ),
    (
        FailureClass::AuthFailed,
        &[
            "password authentication failed",
            "authentication failed for user",
            "no password supplied",
            "no pg_hba.conf entry",
            "pg_hba.conf rejects",
            "authentication error",
            "channel binding required",
            "28p01:",
            "28000:",
        ],
    ),
    // The end of an encrypted connection, not a failure to agree on one.
    (
        FailureClass::ConnectionLost,
        &["ssl syscall error", "unexpected eof while reading", "ssl connection has been closed unexpectedly"],
    ),
    (
        FailureClass::TlsFailed,
        &[
            "certificate verify failed",
            "server does not support ssl",
            "ssl error",
            "server certificate for",
            "root certificate file",
            "certificate file",
            "private key file",
        ],
    ),
    (
        FailureClass::Changed,
        &["due to conflict with recovery", "could not open relation with oid", "cache lookup failed for", "42p01:"],
    ),
    (FailureClass::LockTimeout, &["lock timeout", "could not obtain lock", "55p03:"]),
    (
        FailureClass::PermissionDenied,
        &["permission denied", "row-level security", "must be owner", "must be superuser", "must be member", "42501:"],
    ),
    (
        FailureClass::ConnectionLost,
        &[
            "server closed the connection unexpectedly",
            "terminating connection due to",
            "connection to server was lost",
            "connection not open",
            "lost synchronization with server",
            "connection reset by peer",
            "could not receive data from server",
            "could not send data to server",
            "57p01:",
            "57p02:",
            "25p03:",
        ],
    ),
    (
        FailureClass::Unreachable,
        &[
            "connection refused",
            "could not translate host name",
            "timeout expired",
            "network is unreachable",
            "no route to host",
            "the database system is",
            "too many clients",
            "remaining connection slots",
            "too many connections",
            "session is read-only",
            "session is not read-only",
            "server is not in hot standby mode",
            "server is in hot standby mode",
            "53300:",
            "57p03:",
        ],
    ),
    (FailureClass::DatabaseExists, &["42p04:"]),
    (FailureClass::DatabaseMissing, &["3d000:"]),
];

/// Classifies what psql, `pg_dump` or `pg_restore` wrote to stderr.
#[must_use]
pub fn classify_stderr(stderr: &str) -> FailureClass {
    let text = stderr.to_lowercase();
    for (class, patterns) in PATTERNS {
        if patterns.iter().any(|pattern| text.contains(pattern)) {
            return *class;
        }
    }
    let names = |line: &str, object: &str, end: &str| line.contains(object) && line.contains(end);
    for line in text.lines() {
        if names(line, "database \"", "\" already exists") {
            return FailureClass::DatabaseExists;
        }
        if names(line, "database \"", "\" does not exist") {
            return FailureClass::DatabaseMissing;
        }
        if names(line, "relation \"", "\" does not exist") {
            return FailureClass::Changed;
        }
        if line.contains("fatal:") && names(line, "role \"", "\" does not exist") {
            return FailureClass::AuthFailed;
        }
        // libpq's own failures carry no SQLSTATE; the server's start with FATAL.
        if line.contains("connection to server") && line.contains("failed:") && !line.contains("fatal:") {
            return FailureClass::Unreachable;
        }
    }
    FailureClass::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stderr_texts_fall_into_their_classes() {
        let cases = [
            (
                "psql: error: connection to server at \"127.0.0.1\", port 1 failed: Connection refused",
                FailureClass::Unreachable,
            ),
            (
                "psql: error: could not translate host name \"nope\" to address: Name or service not known",
                FailureClass::Unreachable,
            ),
            (
                "connection to server on socket \"/x/.s.PGSQL.5432\" failed: No such file or directory",
                FailureClass::Unreachable,
            ),
            ("FATAL:  the database system is starting up", FailureClass::Unreachable),
            ("FATAL:  sorry, too many clients already", FailureClass::Unreachable),
            ("failed: FATAL:  password authentication failed for user \"u\"", FailureClass::AuthFailed),
            ("fe_sendauth: no password supplied", FailureClass::AuthFailed),
            ("connection to server at \"h\" failed: FATAL:  role \"x\" does not exist", FailureClass::AuthFailed),
            ("failed: server does not support SSL, but SSL was required", FailureClass::TlsFailed),
            ("SSL error: certificate verify failed", FailureClass::TlsFailed),
            ("failed: FATAL:  database \"nope\" does not exist", FailureClass::DatabaseMissing),
            ("ERROR:  42P04: Datenbank »a« existiert bereits", FailureClass::DatabaseExists),
            ("ERROR:  database \"a\" already exists", FailureClass::DatabaseExists),
            ("pg_dump: error: query failed: ERROR:  permission denied for table t", FailureClass::PermissionDenied),
            (
                "ERROR:  query would be affected by row-level security policy for table \"t\"",
                FailureClass::PermissionDenied,
            ),
            ("pg_dump: error: aborting because of server version mismatch", FailureClass::VersionMismatch),
            ("pg_restore: error: unsupported version (1.16) in file header", FailureClass::VersionMismatch),
            ("FATAL:  terminating connection due to administrator command", FailureClass::ConnectionLost),
            ("server closed the connection unexpectedly", FailureClass::ConnectionLost),
            ("ERROR:  canceling statement due to lock timeout", FailureClass::LockTimeout),
            ("pg_dump: error: query failed: ERROR:  relation \"public.t\" does not exist", FailureClass::Changed),
            ("ERROR:  could not open relation with OID 16385", FailureClass::Changed),
            ("ERROR:  canceling statement due to conflict with recovery", FailureClass::Changed),
            ("ERROR:  could not extend file: No space left on device", FailureClass::DiskFull),
            ("ERROR:  syntax error at or near \"x\"", FailureClass::Other),
            ("", FailureClass::Other),
        ];
        for (text, class) in cases {
            assert_eq!(classify_stderr(text), class, "{text}");
        }
    }

    #[test]
    fn a_refused_password_says_more_than_a_refused_connection() {
        let text = "connection to server at \"a\" failed: Connection refused\n\
                    connection to server at \"b\" failed: FATAL:  password authentication failed for user \"u\"";
        assert_eq!(classify_stderr(text), FailureClass::AuthFailed);
        assert!(!classify_stderr(text).is_retryable());
    }
}
