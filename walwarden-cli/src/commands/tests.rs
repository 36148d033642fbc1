//! What a person reads: every command's result, at a fixed time, made of the answers that the API's description shows.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use walwarden_contract::capabilities::capability;
use walwarden_contract::model::cli::{PlannedCreation, RestorePlanData};
use walwarden_contract::model::{
    Backup, BackupList, Database, DatabaseList, Destination, DestinationList, Evidence, EvidenceList, EvidenceQuery,
    Profile, Restore, RestoreSession, TriggeredBackup,
};
use walwarden_contract::page::PageQuery;

use super::*;
use crate::config::Source;
use crate::context::command;
use crate::output::view::View;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/walwarden.v1.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
});

/// One of the examples of what an operation answers.
fn example<T: DeserializeOwned>(operation: &str, name: &str) -> T {
    let paths = DESCRIPTION["paths"].as_object().expect("paths").values();
    let mut operations = paths.flat_map(|path| path.as_object().expect("methods").values());
    let found = operations.find(|it| it["operationId"] == operation).expect("an operation");
    let mut answers = found["responses"].as_object().expect("responses").values();
    let value = answers.find_map(|it| it.pointer(&format!("/content/application~1json/examples/{name}/value")));
    serde_json::from_value(value.unwrap_or_else(|| panic!("no example {name}")).clone()).expect("it fits")
}

/// Two and a half days after the backups of the examples.
fn at(colour: bool) -> View {
    View::new("2026-02-02T14:03:11.000Z".parse().expect("a time"), colour, Vec::new())
}

fn page() -> PageQuery {
    PageQuery { limit: Some(2), cursor: None }
}

fn later() -> PageQuery {
    PageQuery { limit: None, cursor: Some("c".to_owned()) }
}

fn assert_reads(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}

#[test]
fn what_is_read_of_one_thing() {
    let view = at(false);
    let profile: Profile = example("getProfile", "profile");
    let source = Source::Environment("WALWARDEN_API_KEY_FILE");
    let address = "https://walwarden.example.com, from WALWARDEN_BASE_URL";
    assert_reads("profile-validate", &profile::validate::human(&profile, address, &source, &view));
    let mut found: Database = example("getDatabase", "database");
    assert_reads("database-get", &database::get::human(&found, &view));
    (found.schedule, found.next_run_at) = (None, None);
    (found.last_backup_job_id, found.rpo_minutes) = (None, None);
    assert_reads("database-get-new", &database::get::human(&found, &view));
    let found: Destination = example("getDestination", "destination");
    assert_reads("destination-get", &destination::get::human(&found, &view));
    for name in ["completed", "failed"] {
        let found: Backup = example("getBackup", name);
        assert_reads(&format!("backup-status-{name}"), &backup::describe(&found, &view));
    }
    let mut found: Evidence = example("getEvidence", "evidence");
    assert_reads("evidence-get", &evidence::get::human(&found, &view));
    found.integrity_verification = serde_json::from_value(json!({
        "result": "failed", "checks": [], "verifiedAt": "2026-01-31T02:04:00.000Z", "failure": "the hash differs",
    }))
    .expect("it fits");
    found.lock =
        serde_json::from_value(json!({"status": "not_locked", "mode": "none", "retainUntil": null})).expect("it fits");
    found.drill = serde_json::from_value(json!({"status": "not_drilled", "restoreJobId": null, "finishedAt": null}))
        .expect("it fits");
    assert_reads("evidence-get-failed", &evidence::get::human(&found, &view));
    let triggered: TriggeredBackup = example("triggerBackup", "queued");
    assert_reads("backup-trigger", &backup::trigger::queued(&triggered));
}

#[test]
fn what_is_read_of_lists() {
    let view = at(false);
    let found: DatabaseList = example("listDatabases", "page");
    assert_reads("database-list", &database::list::human(&found, &page(), None, &view));
    let more = database::list::more(&DatabaseList { next_cursor: Some("abc".to_owned()), ..found.clone() }, &page());
    assert_reads("database-list-more", &database::list::human(&found, &page(), more.as_deref(), &view));
    assert_reads("database-list-last", &database::list::human(&found, &later(), None, &view));
    let none = DatabaseList { databases: Vec::new(), next_cursor: None };
    assert_reads("database-list-none", &database::list::human(&none, &page(), None, &view));
    let found: DestinationList = example("listDestinations", "page");
    assert_reads("destination-list", &destination::list::human(&found, &page(), None, &view));
    let none = DestinationList { destinations: Vec::new(), next_cursor: None };
    assert_reads("destination-list-none", &destination::list::human(&none, &page(), None, &view));
    let found: BackupList = example("listDatabaseBackups", "page");
    let database = found.backups[0].database_id;
    let next = backup::list::next_of(&found, database, &page());
    assert_reads("backup-list", &backup::list::human(&found, &page(), next.as_deref(), &view));
    let painted = backup::list::human(&found, &page(), next.as_deref(), &at(true));
    assert_reads("backup-list-colour", &painted.replace('\u{1b}', "ESC"));
    let none = BackupList { backups: Vec::new(), next_cursor: None };
    let next = backup::list::next_of(&none, database, &page());
    assert_reads("backup-list-none", &backup::list::human(&none, &page(), next.as_deref(), &view));
    let found: EvidenceList = example("listEvidence", "page");
    let query = EvidenceQuery::default();
    assert_reads("evidence-list", &evidence::list::human(&found, &query, None, &view));
    let none = EvidenceList { evidence: Vec::new(), next_cursor: None };
    assert_reads("evidence-list-none", &evidence::list::human(&none, &query, None, &view));
    let query = EvidenceQuery { database_id: Some(database), ..query };
    assert_reads("evidence-list-none-of-database", &evidence::list::human(&none, &query, None, &view));
}

#[test]
fn what_is_read_of_restores() {
    let view = at(false);
    let session: RestoreSession = example("createRestore", "session");
    let next = command(&["restore", "--manifest", &session.manifest_hash, "--mode", "new_database"]);
    assert_reads("restore-create", &restore::create::human(&session, &next, &view));
    let found: Restore = example("getRestore", "completed");
    assert_reads("restore-status", &restore::status::human(&found, &view));
    let failed: Restore = example("getRestore", "failed");
    assert_reads("restore-status-failed", &restore::status::human(&failed, &view));
    let hash = "ab".repeat(32);
    let outcome = json!({
        "restoreJobId": found.id, "database": "recovery", "mode": "new_database", "sizeBytes": 35_861_291,
        "checksumSha256": hash, "warnings": [], "ignoredErrors": 2, "jobs": 4,
        "timings": {"preflightMs": 210, "claimMs": 40, "downloadMs": 8240, "verifyMs": 310, "restoreMs": 95_100, "analyzeMs": 0},
    });
    let outcome = serde_json::from_value(outcome).expect("it fits");
    assert_reads("restore-execute", &restore::session::describe(&outcome, &view));
    let target = json!({
        "redactedDsn": "postgresql://owner@db.example.com:5432/shop", "host": "db.example.com", "port": 5432,
        "database": "shop", "user": "owner", "serverVersion": "17.6", "systemIdentifier": "7520938475620938475",
        "databaseOid": 16384,
    });
    let plan = json!({
        "backup": {
            "backupJobId": found.backup_job_id, "databaseId": found.database_id, "finishedAt": "2026-01-31T02:03:09.000Z",
            "manifestHash": found.manifest_hash, "sizeBytes": 35_861_291, "checksumSha256": hash, "compression": "zstd:3",
        },
        "mode": "in_place", "target": target, "creates": null,
        "overwrites": {"database": "shop", "tables": 41, "sizeBytes": 1_200_000_000, "otherSessions": 1},
        "options": {"jobs": 4, "noOwner": true, "noAcl": false, "noAnalyze": false, "publicKeyPinned": true},
        "tools": {"pgRestore": "17.6", "psql": "17.6"},
        "disk": {"directory": "/tmp", "neededBytes": 102_970_155, "freeBytes": 60_000_000_000_u64}, "warnings": [],
        "pinned": {
            "schema": "walwarden.plan.v1", "manifestHash": found.manifest_hash,
            "mode": {"mode": "in_place", "noOwner": true, "noAcl": false, "noAnalyze": false},
            "target": {
                "redactedDsn": "postgresql://owner@db.example.com:5432/shop", "user": "owner", "database": "shop",
                "connectionSha256": found.manifest_hash, "currentUser": "owner", "databaseOid": 16384, "systemIdentifier": "7520938475620938475", "createdDatabase": null,
            },
        },
    });
    let mut planned = RestorePlanData { plan_digest: hash, plan: serde_json::from_value(plan).expect("it fits") };
    let next = command(&["restore", "execute", "--mode", "in_place", "--plan", &planned.plan_digest]);
    assert_reads("restore-plan-in-place", &restore::plan::human(&planned, &next, &view));
    (planned.plan.overwrites, planned.plan.target.system_identifier) = (None, None);
    planned.plan.creates = Some(PlannedCreation { database: None });
    planned.plan.mode = walwarden_contract::model::RestoreMode::NewDatabase;
    let next = command(&["restore", "execute", "--mode", "new_database", "--plan", &planned.plan_digest]);
    assert_reads("restore-plan-new-database", &restore::plan::human(&planned, &next, &view));
}

#[test]
fn what_is_read_without_the_api() {
    assert_reads("capabilities-list", &capabilities::list::human(&at(false)));
    let described = capabilities::describe::describe(capability("backup.trigger").expect("a capability"));
    assert_reads("capabilities-describe", &capabilities::describe::for_a_person(&described, &at(false)));
    let explained = explain_error::explain(br#"{"code": "token_used", "message": "The token was used at noon."}"#);
    assert_reads("explain-error", &explain_error::human(&explained.expect("explained"), &at(false)));
    let pages = PathBuf::from("/usr/local/share/man/man1");
    assert_reads("man-directory", &man::written(26, &pages));
}

#[test]
fn a_page_is_asked_for_as_the_one_before_and_never_by_something_that_looks_like_a_flag() {
    assert_eq!(page_flags(None, "abc"), ["--cursor", "abc"]);
    assert_eq!(page_flags(Some(3), "-abc"), ["--limit", "3", "--cursor=-abc"]);
    let words = command(&["database", "list"]).into_iter().chain(page_flags(Some(3), "--json"));
    let words: Vec<_> = words.map(std::ffi::OsString::from).collect();
    assert!(crate::cli::parse(&words).is_ok(), "{words:?}");
}
