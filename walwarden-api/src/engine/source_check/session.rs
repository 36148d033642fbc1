//! How the session came about, or why it did not.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::SourceCheckId as Check;
use walwarden_sdk::postgres::{Dsn, Inspection, Pooling, QueryError};

use super::notes::Notes;
use crate::engine::backup::BackupError;

const NAME_THE_SERVER: &str =
    "Put the server itself into the connection string, in place of the pooler, or a pooler that pools sessions.";

/// What an open session says of the way to the server.
pub(super) fn established(dsn: &Dsn, seen: &Inspection, notes: &mut Notes) {
    notes.passed(Check::Reachability, "a server answers");
    notes.passed(Check::Authentication, format!("the server let {} in", seen.facts.role));
    notes.passed(Check::Database, format!("connected to {}", seen.facts.database_name));
    tls(dsn, seen.tls.as_deref(), notes);
    match seen.pooling {
        Pooling::Unnoticed => notes.passed(Check::Pooler, "two sessions had two backends: no pooler was noticed"),
        Pooling::Sessions => notes.passed(
            Check::Pooler,
            "a pooler stands between and hands backends out by the session, which pg_dump can work with",
        ),
        Pooling::Transactions => notes.failed(
            Check::Pooler,
            ErrorCode::SourcePooled,
            "two sessions had the same backend, and the second found what the first had set: a pooler hands backends out by the transaction",
            NAME_THE_SERVER.to_owned(),
        ),
    }
}

fn is_on_this_machine(dsn: &Dsn) -> bool {
    let local = |name: &str| {
        name.is_empty()
            || name.starts_with(['/', '@'])
            || name == "localhost"
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    // Addresses that are given apart are what is connected to, whatever the names say.
    match dsn.parameter("hostaddr") {
        Some(addresses) => addresses.split(',').all(|address| !address.is_empty() && local(address)),
        None => !dsn.hosts().is_empty() && dsn.hosts().iter().all(|host| local(&host.name)),
    }
}

fn tls(dsn: &Dsn, version: Option<&str>, notes: &mut Notes) {
    let mode = dsn.parameter("sslmode").unwrap_or("prefer");
    let demand = "Add sslmode=verify-full to the connection string, with sslrootcert=system, or (by `walwarden-api admin database update`) the file of the server's authority.";
    match (version, mode) {
        (None, _) if is_on_this_machine(dsn) => {
            notes.passed(Check::Tls, "there is no TLS, on a connection that does not leave this machine");
        }
        (None, _) => {
            let evidence = format!("there is no TLS (sslmode={mode}): passwords and data can be read on the way");
            notes.warning(Check::Tls, evidence, format!("Enable TLS on the server (`ssl = on`). {demand}"));
        }
        (Some(version @ ("TLSv1" | "TLSv1.0" | "TLSv1.1")), _) => notes.warning(
            Check::Tls,
            format!("{version}, which is broken"),
            "Set `ssl_min_protocol_version = 'TLSv1.2'` on the server.".to_owned(),
        ),
        (Some(version), "verify-full" | "verify-ca") => {
            notes.passed(Check::Tls, format!("{version}, and the server's certificate is verified (sslmode={mode})"));
        }
        (Some(version), _) if is_on_this_machine(dsn) => {
            let evidence = format!("{version}, on a connection that does not leave this machine");
            notes.passed(Check::Tls, evidence);
        }
        (Some(version), _) => {
            let evidence = format!("{version}, but nobody verifies whose certificate it is (sslmode={mode})");
            notes.warning(Check::Tls, evidence, demand.to_owned());
        }
    }
}

/// What is known of a source that gave no session.
pub(super) fn refused(error: &QueryError, notes: &mut Notes) {
    let BackupError { code, message } = BackupError::from_source(error);
    let remedy = code.next_action().to_owned();
    let answers = |notes: &mut Notes| notes.passed(Check::Reachability, "a server answers");
    let lets_in = |notes: &mut Notes| notes.passed(Check::Authentication, "the server let the role in");
    match error {
        QueryError::AuthFailed { .. } => {
            answers(notes);
            notes.failed(Check::Authentication, code, message, remedy);
        }
        QueryError::TlsFailed { .. } => {
            answers(notes);
            let remedy = "Correct sslmode and sslrootcert in the connection string, or the server's certificate.";
            notes.failed(Check::Tls, code, message, remedy.to_owned());
        }
        QueryError::DatabaseMissing { .. } => {
            answers(notes);
            lets_in(notes);
            notes.failed(Check::Database, code, message, remedy);
        }
        QueryError::PermissionDenied { .. } => {
            answers(notes);
            lets_in(notes);
            let remedy = "Run as the owner: `GRANT CONNECT ON DATABASE <name> TO <role>;`".to_owned();
            notes.failed(Check::Database, code, message, remedy);
        }
        QueryError::Other { message: said, .. } if said.contains("unsupported startup parameter") => {
            answers(notes);
            let evidence = format!("only PgBouncer refuses a session like this: {said}");
            notes.failed(Check::Pooler, ErrorCode::SourcePooled, evidence, NAME_THE_SERVER.to_owned());
        }
        _ => notes.failed(Check::Reachability, code, message, remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_connected_to_decides_whether_a_connection_leaves_the_machine() {
        for (dsn, local) in [
            ("host=localhost dbname=x", true),
            ("host=/run/postgresql dbname=x", true),
            ("host=127.0.0.1,::1 dbname=x", true),
            ("host=db.example.com dbname=x", false),
            ("host=localhost hostaddr=203.0.113.7 dbname=x", false),
            ("hostaddr=203.0.113.7 dbname=x", false),
            ("host=db.example.com hostaddr=127.0.0.1 dbname=x", true),
        ] {
            assert_eq!(is_on_this_machine(&Dsn::parse(dsn).expect(dsn)), local, "{dsn}");
        }
    }
}
