//! What is found without a server.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::{SourceCheckId as Check, SourceCheckReport, SourceCheckStatus as Status};
use walwarden_sdk::postgres::{Dsn, Listed, Pooling, SourceFacts};

use super::*;
use crate::system::tests::manual;

const MEMORY: u64 = 128 << 20;

fn nowhere() -> SourceChecker {
    SourceChecker::with(Tools::discover(None, None), MEMORY)
}

fn dsn(text: &str) -> Dsn {
    Dsn::parse(text).expect("a connection string")
}

fn status(report: &SourceCheckReport, id: Check) -> Status {
    let check = report.checks.iter().find(|check| check.id == id).expect("every report has every check");
    check.status.known().expect("known")
}

#[tokio::test]
async fn without_a_tool_to_look_with_nothing_is_called_passed() {
    let (system, _) = manual();
    let report = nowhere().run(&system, &dsn("postgresql://u@db.example/shop")).await;
    assert_eq!(report.result, Status::Skipped);
    assert!(report.checks.iter().all(|check| check.status == Status::Skipped), "{report:?}");
    assert_eq!(report.checks.len(), 19);
}

#[tokio::test]
async fn a_pooler_by_its_name_fails_even_where_nothing_can_be_asked() {
    let (system, _) = manual();
    let report = nowhere().run(&system, &dsn("postgresql://u@ep-a-pooler.eu.aws.neon.tech/shop")).await;
    assert_eq!((report.result.clone(), status(&report, Check::Pooler)), (Status::Failed.into(), Status::Failed));
    let remedy = report.checks.iter().find_map(|check| check.remediation.clone()).expect("a remedy");
    assert!(remedy.contains("ep-a.eu.aws.neon.tech "), "{remedy}");
}

fn report_of(dsn: &Dsn, seen: &Inspection) -> SourceCheckReport {
    let mut notes = Notes::new(providers::of_hosts(dsn));
    findings::hosts(dsn, &mut notes);
    session::established(dsn, seen, &mut notes);
    findings::server(&seen.facts, None, &mut notes);
    findings::privileges(&seen.facts, &mut notes);
    findings::contents(&seen.facts, &mut notes);
    findings::size(&seen.facts, MEMORY, &mut notes);
    notes.into_report(manual().0.now())
}

fn seen(facts: SourceFacts) -> Inspection {
    let idle_session_timeout = "0".to_owned();
    let facts = SourceFacts { version_num: 150_018, role: "reader".to_owned(), idle_session_timeout, ..facts };
    Inspection { tls: Some("TLSv1.3".to_owned()), facts, pooling: Pooling::Unnoticed }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let refused = |names: &[&str]| Listed {
        total: 9,
        refused: names.len() as u64,
        names: names.iter().map(ToString::to_string).collect(),
    };
    let facts = SourceFacts {
        tables: refused(&["public.a", "\"odd Name\".b"]),
        hidden_rows: refused(&["public.c"]),
        large_objects: refused(&["16400"]),
        size_bytes: 100 << 40,
        ..SourceFacts::default()
    };
    let report = report_of(
        &dsn("postgresql://u@db.example/shop?sslmode=require"),
        &Inspection { pooling: Pooling::Transactions, ..seen(facts) },
    );
    let failed: Vec<_> = report.summary().failed.iter().filter_map(walwarden_contract::Open::known).collect();
    assert_eq!(failed, [Check::Pooler, Check::Tables, Check::RowLevelSecurity, Check::LargeObjects, Check::Size]);
    assert_eq!(status(&report, Check::Tls), Status::Warning);
    let tables = report.checks.iter().find(|check| check.id == Check::Tables).expect("it is there");
    assert_eq!(tables.code, Some(ErrorCode::SourcePermissionDenied.into()));
    let remedy = tables.remediation.as_deref().unwrap_or_default();
    assert!(remedy.contains("GRANT SELECT ON TABLE public.a, \"odd Name\".b TO \"reader\";"), "{remedy}");
    assert!(remedy.contains("pg_read_all_data"), "{remedy}");
}

#[test]
fn tls_passes_only_where_somebody_verifies_or_nothing_leaves_the_machine() {
    let tls = |text: &str, version: Option<&str>| {
        let seen = Inspection { tls: version.map(str::to_owned), ..seen(SourceFacts::default()) };
        status(&report_of(&dsn(text), &seen), Check::Tls)
    };
    assert_eq!(tls("postgresql://u@db.example/d?sslmode=verify-full", Some("TLSv1.3")), Status::Passed);
    assert_eq!(tls("postgresql://u@db.example/d?sslmode=require", Some("TLSv1.3")), Status::Warning);
    assert_eq!(tls("postgresql://u@db.example/d?sslmode=verify-full", Some("TLSv1.1")), Status::Warning);
    assert_eq!(tls("postgresql://u@db.example/d", None), Status::Warning);
    assert_eq!(tls("postgresql://u@127.0.0.1/d", None), Status::Passed);
    assert_eq!(tls("postgresql://u@localhost,db.example/d", None), Status::Warning);
}

#[test]
fn a_session_pooler_is_no_reason_to_refuse() {
    let seen = Inspection { pooling: Pooling::Sessions, ..seen(SourceFacts::default()) };
    let report = report_of(&dsn("postgresql://u@aws-0.pooler.supabase.com:5432/d"), &seen);
    assert_eq!(status(&report, Check::Pooler), Status::Passed);
}

#[test]
fn long_lists_are_told_by_their_beginning() {
    let tables =
        Listed { total: 900, refused: 500, names: (0..20).map(|number| format!("public.t{number}")).collect() };
    let report = report_of(&dsn("postgresql://u@h/d"), &seen(SourceFacts { tables, ..SourceFacts::default() }));
    let evidence = &report.checks.iter().find(|check| check.id == Check::Tables).expect("it is there").evidence;
    assert!(evidence.contains("500 of 900") && evidence.ends_with("and 480 more"), "{evidence}");
}
