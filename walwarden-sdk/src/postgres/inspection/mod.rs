//! One look at a source, in two sessions of `psql`: what it is, what the role may read of it, and what stands between.

use std::time::Duration;

use serde::Deserialize;

use super::failure::FailureClass;
use super::passfile::LibpqEnv;
use super::query::{QueryError, parse_csv, query, quote_literal, run_commands};
use super::tools::Tools;

/// Parts what `\conninfo` says from the rows that follow; no name of a server or a role holds it.
const PARTING: &str = "--walwarden-inspection--";
const SETTING: &str = "walwarden.inspection";
const SOURCE: &str = include_str!("source.sql");

/// Things of one kind, those that are refused among them, and the first few names: of the refused where something can be
/// refused, otherwise of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// How many there are.
    pub total: u64,
    /// How many are refused.
    pub refused: u64,
    /// Names, quoted as SQL needs them, 20 at most (extensions: 50).
    pub names: Vec<String>,
}

/// What a server says of itself and of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceFacts {
    /// `server_version_num`, such as 170006.
    pub version_num: u32,
    /// `server_version`, such as `17.6 (Debian 17.6-1)`.
    pub version_text: String,
    /// Name of the database connected to.
    pub database_name: String,
    /// `pg_database_size`, in bytes on the server's disk.
    pub size_bytes: u64,
    /// The role that looked.
    pub role: String,
    /// Whether the server is a standby.
    pub in_recovery: bool,
    /// `idle_session_timeout` as the server shows it; `0` when there is none.
    pub idle_session_timeout: String,
    /// Schemas with something to dump; refused without USAGE.
    pub schemas: Listed,
    /// Tables, partitioned ones included; refused without SELECT.
    pub tables: Listed,
    /// Sequences; refused without SELECT.
    pub sequences: Listed,
    /// Tables with row-level security; refused where it would hide rows from the role.
    pub hidden_rows: Listed,
    /// Large objects, counted up to 10,001; refused without SELECT.
    pub large_objects: Listed,
    /// Unlogged tables.
    pub unlogged: Listed,
    /// Roles of the server.
    pub roles: Listed,
    /// Tablespaces that the database uses, beside the server's default.
    pub tablespaces: Listed,
    /// Installed extensions with their versions.
    pub extensions: Listed,
    /// Names of roles and functions that only some providers have.
    pub traits: Vec<String>,
}

/// What stands between the client and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Nothing was noticed: two sessions had two backends of their own.
    Unnoticed,
    /// One backend served two sessions, and was reset in between.
    Sessions,
    /// One backend served two sessions and kept a setting of the first: it is handed out by the transaction.
    Transactions,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The TLS version of the client's own connection; `None` without TLS.
    pub tls: Option<String>,
    /// What the server says.
    pub facts: SourceFacts,
    /// What stands between.
    pub pooling: Pooling,
}

/// Looks at the database. `marker` is a random text that no other look uses.
///
/// # Errors
/// [`QueryError`] of the first session. Should the second not come about, nothing is said about a pooler.
pub async fn inspect(
    tools: &Tools,
    connection: &LibpqEnv,
    marker: &str,
    deadline: Duration,
) -> Result<Inspection, QueryError> {
    let mark = format!("SELECT pg_catalog.set_config('{SETTING}', {}, false)", quote_literal(marker));
    let parting = format!("\\echo {PARTING}");
    let commands = [
        "\\conninfo",
        &parting,
        &mark,
        BACKEND,
        "BEGIN READ ONLY",
        // Nothing that others put into the database stands before the catalogs.
        "SET LOCAL search_path = pg_catalog, pg_temp",
        SOURCE,
        "COMMIT",
    ];
    let output = run_commands(tools, connection, &commands, deadline).await?;
    let (connected, rows) = output.split_once(PARTING).ok_or_else(unrecognized)?;
    let rows = parse_csv(rows.trim_start_matches('\n'));
    let field = |index: usize| rows.get(index).and_then(|row| row.first()).ok_or_else(unrecognized);
    let facts = serde_json::from_str(field(2)?).map_err(|_| unrecognized())?;
    let pooling = pooling(tools, connection, marker, field(1)?, deadline).await;
    Ok(Inspection { tls: tls_version(connected), facts, pooling })
}

/// Names the backend that serves a session: a process id alone may come again.
const BACKEND: &str = "SELECT pg_catalog.concat_ws('@', a.pid, a.backend_start) FROM pg_catalog.pg_stat_activity a \
                       WHERE a.pid = pg_catalog.pg_backend_pid()";

/// A server gives every session a backend of its own. Asks with a second one, and takes the mark away again.
async fn pooling(tools: &Tools, connection: &LibpqEnv, marker: &str, first: &str, deadline: Duration) -> Pooling {
    let sql = format!(
        "SELECT pg_catalog.concat_ws('@', a.pid, a.backend_start), m.mark, \
         CASE WHEN m.mark IS NOT NULL THEN pg_catalog.set_config('{SETTING}', '', false) END \
         FROM (SELECT pg_catalog.current_setting('{SETTING}', true) AS mark) m, pg_catalog.pg_stat_activity a \
         WHERE a.pid = pg_catalog.pg_backend_pid()"
    );
    let Ok(rows) = query(tools, connection, &sql, deadline).await else { return Pooling::Unnoticed };
    match rows.first().map(Vec::as_slice) {
        Some([backend, mark, _]) if backend == first && mark == marker => Pooling::Transactions,
        Some([backend, ..]) if backend == first => Pooling::Sessions,
        _ => Pooling::Unnoticed,
    }
}

/// Finds `TLSv1.3` in what `\conninfo` says, in whichever way this psql says it.
fn tls_version(text: &str) -> Option<String> {
    let start = text.find("TLSv")?;
    let version = text[start..].split(|character: char| !character.is_ascii_alphanumeric() && character != '.');
    version.into_iter().next().map(str::to_owned)
}

fn unrecognized() -> QueryError {
    QueryError::Other { class: FailureClass::Other, message: "the server's answer is not understood".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tls_version_is_found_in_what_every_psql_says() {
        let old = "You are connected to database \"d\" as user \"u\".\n\
                   SSL connection (protocol: TLSv1.3, cipher: TLS_AES_256_GCM_SHA384, bits: 256, compression: off)\n";
        let new = "SSL Connection,true\nSSL Library,OpenSSL\nSSL Protocol,TLSv1.2\nSSL Key Bits,256\n";
        assert_eq!(tls_version(old).as_deref(), Some("TLSv1.3"));
        assert_eq!(tls_version(new).as_deref(), Some("TLSv1.2"));
        assert_eq!(tls_version("You are connected to database \"d\" as user \"u\".\n"), None);
    }
}
