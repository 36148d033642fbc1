//! What is found at a source.

use super::facts::{at, database as id};
use crate::error::ErrorCode;
use crate::model::{SourceCheck, SourceCheckId as Id, SourceCheckReport, SourceCheckStatus as Status, SourceProvider};

fn check(id: Id, evidence: &str) -> SourceCheck {
    let status = Status::Passed.into();
    SourceCheck { id: id.into(), status, code: None, evidence: evidence.to_owned(), remediation: None }
}

pub(super) fn passed() -> SourceCheckReport {
    SourceCheckReport {
        database_id: Some(id()),
        provider: SourceProvider::Postgres.into(),
        result: Status::Passed.into(),
        checked_at: at(0),
        checks: vec![
            check(Id::Provider, "nothing tells of a provider"),
            check(Id::Pooler, "two sessions, two backends: no pooler stands between"),
            check(Id::ClientTools, "psql and pg_dump 17.10"),
            check(Id::Reachability, "a server answers"),
            check(Id::Tls, "TLSv1.3, and the server's certificate is verified (sslmode=verify-full)"),
            check(Id::Authentication, "the server let walwarden in"),
            check(Id::Database, "connected to shop"),
            check(Id::ServerVersion, "the server is 17.10 and pg_dump is 17.10"),
            check(Id::Schemas, "the role may use all of 2"),
            check(Id::Tables, "the role may read all of 41"),
            check(Id::Sequences, "the role may read all of 12"),
            check(Id::RowLevelSecurity, "no table hides rows from the role"),
            check(Id::LargeObjects, "there are none"),
            check(Id::UnloggedTables, "there are none"),
            check(Id::Extensions, "plpgsql 1.0"),
            check(Id::Size, "3.2 GiB on disk: parts of 16 MiB, 8 of them in memory"),
            check(Id::Roles, "3 roles are not in the dump"),
            check(Id::Tablespaces, "everything is in pg_default"),
            check(Id::IdleSessionTimeout, "idle sessions are not ended"),
        ],
    }
}

fn unreadable() -> SourceCheck {
    SourceCheck {
        status: Status::Failed.into(),
        code: Some(ErrorCode::SourcePermissionDenied.into()),
        remediation: Some("Run as the owner: `GRANT SELECT ON TABLE public.invoices TO walwarden;`".to_owned()),
        ..check(Id::Tables, "the role may not read 1 of 41: public.invoices")
    }
}

/// What createDatabase refuses with.
pub(super) fn failed() -> SourceCheckReport {
    let mut report = passed();
    report.result = Status::Failed.into();
    for check in &mut report.checks {
        if check.id == Id::Tables {
            *check = unreadable();
        }
    }
    report
}
