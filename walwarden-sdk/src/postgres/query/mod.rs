//! Control queries through `psql`: exactly libpq's way of connecting, and no second one to keep in step with it.

use std::time::Duration;

use super::failure::{FailureClass, classify_stderr};
use super::passfile::LibpqEnv;
use super::process::SpawnError;
use super::tools::{ToolError, ToolName, Tools};

/// Why a control query gave no rows. Messages are redacted and fit to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// No server answers there, or it takes no connections now.
    #[error("the server cannot be reached: {message}")]
    Unreachable {
        /// What psql said.
        message: String,
    },
    /// The server refused the role or its password.
    #[error("the server refused the credentials: {message}")]
    AuthFailed {
        /// What psql said.
        message: String,
    },
    /// TLS could not be agreed on, or a certificate was not trusted.
    #[error("no secure connection: {message}")]
    TlsFailed {
        /// What psql said.
        message: String,
    },
    /// The database does not exist.
    #[error("the database does not exist: {message}")]
    DatabaseMissing {
        /// What psql said.
        message: String,
    },
    /// The database exists already.
    #[error("the database exists already: {message}")]
    DatabaseExists {
        /// What psql said.
        message: String,
    },
    /// The role lacks a privilege.
    #[error("the role lacks a privilege: {message}")]
    PermissionDenied {
        /// What psql said.
        message: String,
    },
    /// psql is missing or cannot be run.
    #[error(transparent)]
    ToolMissing(ToolError),
    /// The query did not finish in time; psql was killed.
    #[error("the query did not finish within {} s", deadline.as_secs())]
    DeadlineExceeded {
        /// The time it was given.
        deadline: Duration,
    },
    /// Anything else, with its class where one is known.
    #[error("the query failed: {message}")]
    Other {
        /// What stderr tells.
        class: FailureClass,
        /// What psql said.
        message: String,
    },
}

impl QueryError {
    /// Whether the same query may succeed later without anyone changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::DeadlineExceeded { .. } => true,
            Self::Other { class, .. } => class.is_retryable(),
            _ => false,
        }
    }

    fn from_stderr(stderr: &str) -> Self {
        let message = readable(stderr);
        match classify_stderr(stderr) {
            FailureClass::Unreachable => Self::Unreachable { message },
            FailureClass::AuthFailed => Self::AuthFailed { message },
            FailureClass::TlsFailed => Self::TlsFailed { message },
            FailureClass::DatabaseMissing => Self::DatabaseMissing { message },
            FailureClass::DatabaseExists => Self::DatabaseExists { message },
            FailureClass::PermissionDenied => Self::PermissionDenied { message },
            class => Self::Other { class, message },
        }
    }
}

impl From<SpawnError> for QueryError {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::DeadlineExceeded { deadline, .. } => Self::DeadlineExceeded { deadline },
            other => Self::ToolMissing(ToolError::Failed(other)),
        }
    }
}

/// Runs one SQL command and returns its rows as text; NULL and the empty string look alike.
///
/// The SQL is visible in the machine's process list: it must not hold a secret.
///
/// # Errors
/// [`QueryError`].
pub async fn query(
    tools: &Tools,
    connection: &LibpqEnv,
    sql: &str,
    deadline: Duration,
) -> Result<Vec<Vec<String>>, QueryError> {
    if sql.trim_start().starts_with('\\') {
        return Err(QueryError::Other { class: FailureClass::Other, message: "not an SQL command".to_owned() });
    }
    Ok(parse_csv(&run_commands(tools, connection, &[sql], deadline).await?))
}

/// Runs commands of SQL or psql in one session, each by itself, and returns what they wrote: rows as CSV.
pub(super) async fn run_commands(
    tools: &Tools,
    connection: &LibpqEnv,
    commands: &[&str],
    deadline: Duration,
) -> Result<String, QueryError> {
    let mut spawn = tools
        .spawn(ToolName::Psql)
        .map_err(QueryError::ToolMissing)?
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--csv", "--set=ON_ERROR_STOP=1"])
        // SQLSTATEs, because the server speaks whatever language it is set to.
        .args(["--set=VERBOSITY=verbose", "--set=SHOW_CONTEXT=never"])
        .connect(connection)
        .env("PGCLIENTENCODING", "UTF8");
    for command in commands {
        spawn = spawn.arg("--command").arg(command);
    }
    let output = spawn.output(deadline).await?;
    if output.exit.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(QueryError::from_stderr(&output.exit.stderr))
    }
}

/// What a server says about itself and the database connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// `server_version_num`, such as 170006.
    pub version_num: u32,
    /// `server_version`, such as `17.6 (Debian 17.6-1)`.
    pub version_text: String,
    /// Name of the database connected to.
    pub database_name: String,
    /// `pg_database_size`, in bytes on the server's disk.
    pub size_bytes: u64,
}

impl ServerInfo {
    /// Major version, such as 17.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.version_num / 10_000
    }
}

/// Asks the server for its version, and the database for its name and size.
///
/// # Errors
/// [`QueryError`].
pub async fn server_info(tools: &Tools, connection: &LibpqEnv, deadline: Duration) -> Result<ServerInfo, QueryError> {
    let sql = "SELECT current_setting('server_version_num'), current_setting('server_version'), \
               pg_catalog.current_database(), pg_catalog.pg_database_size(pg_catalog.current_database())";
    let rows = query(tools, connection, sql, deadline).await?;
    let info = match rows.as_slice() {
        [row] => match row.as_slice() {
            [number, text, name, size] => number.parse().ok().zip(size.parse().ok()).map(|(number, size)| ServerInfo {
                version_num: number,
                version_text: text.clone(),
                database_name: name.clone(),
                size_bytes: size,
            }),
            _ => None,
        },
        _ => None,
    };
    let unrecognized = || "the server's answer is not understood".to_owned();
    info.ok_or_else(|| QueryError::Other { class: FailureClass::Other, message: unrecognized() })
}

/// Quotes a name for SQL: `a"b` becomes `"a""b"`.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a text for SQL, whatever `standard_conforming_strings` is set to.
#[must_use]
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Leaves out what only psql's source can be read with, and keeps the message short.
fn readable(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("LOCATION:"));
    let text = lines.take(8).collect::<Vec<_>>().join("; ");
    text.chars().take(1000).collect()
}

/// Reads RFC 4180 as psql writes it.
pub(super) fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    rows
}

#[cfg(test)]
mod tests;
