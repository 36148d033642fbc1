//! Looking at sources: what a backup would fail at is told before it is tried, all of it at once.

mod servers;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::{ErrorCode, Scope};
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::postgres::free_port;
use walwarden_tests::process::Output;
use walwarden_tests::walwarden::{Role, Store, Walwarden};

use crate::setting::{Options, Setting, assert_failure, field};

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("source_check_tells_everything_at_once_and_how_to_mend_it", everything_at_once)
        .trial("source_check_tells_closed_doors_apart", closed_doors)
        .trial("source_check_stands_before_a_database_is_added", before_adding)
        .trial("source_check_answers_through_the_api", through_the_api)
        .trial("source_check_refuses_a_transaction_pooler_and_takes_a_session_pooler", servers::poolers)
        .trial("source_check_sees_tls_as_the_client_does", servers::tls)
}

/// Looks at a source that is not added, which must end with this code.
fn look(walwarden: &Walwarden<'_>, dsn: &str, code: Option<ErrorCode>) -> Result<Value> {
    let output = walwarden.admin_run(&["database", "check"], &[("WALWARDEN_SOURCE_DSN", dsn)])?.output()?;
    report(&output, code)
}

fn report(output: &Output, code: Option<ErrorCode>) -> Result<Value> {
    match code {
        Some(code) => assert_failure(output, code)?,
        None => drop(output.clone().success()?),
    }
    Ok(output.json()?["data"].clone())
}

fn check<'a>(report: &'a Value, id: &str) -> Result<&'a Value> {
    let checks = report["checks"].as_array().with_context(|| format!("no checks: {report}"))?;
    checks.iter().find(|check| check["id"] == id).with_context(|| format!("no {id}: {report}"))
}

fn assert_status(report: &Value, wanted: &[(&str, &str)]) -> Result<()> {
    for (id, status) in wanted {
        let found = check(report, id)?;
        ensure!(found["status"] == *status, "{id} is not {status}: {report}");
        ensure!((*status == "failed") != found["code"].is_null(), "{found}");
    }
    Ok(())
}

/// A role that lacks all kinds of rights learns of each, and the remedies mend them as they stand.
fn everything_at_once(context: &TestContext) -> Result<()> {
    let walwarden = Walwarden::init(context, Store::Sqlite)?;
    let (source, postgres) = (context.database()?, context.postgres());
    let other = context.database()?;
    let reader = &other.user;
    postgres.psql(
        &source.name,
        "CREATE TABLE open (a int); CREATE TABLE shut (a int); CREATE TABLE \"Odd, table\" (a int); \
         CREATE TABLE hidden (a int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE SEQUENCE counted; \
         CREATE SCHEMA away; CREATE TABLE away.t (a int); CREATE UNLOGGED TABLE fleeting (a int); SELECT lo_create(4711)",
    )?;
    postgres.psql(&source.name, &format!("GRANT SELECT ON open, hidden, away.t, fleeting TO {reader}"))?;
    let dsn = walwarden_tests::postgres::Database { name: source.name.clone(), ..other.clone() }.dsn();

    let found = look(&walwarden, &dsn, Some(ErrorCode::SourcePermissionDenied))?;
    assert_status(
        &found,
        &[
            ("reachability", "passed"),
            ("authentication", "passed"),
            ("server_version", "passed"),
            ("schemas", "failed"),
            ("tables", "failed"),
            ("sequences", "failed"),
            ("row_level_security", "failed"),
            ("large_objects", "failed"),
            ("unlogged_tables", "warning"),
            ("pooler", "passed"),
            ("size", "passed"),
        ],
    )?;
    ensure!(found["result"] == "failed" && found["databaseId"].is_null(), "{found}");
    let evidence = check(&found, "tables")?["evidence"].as_str().unwrap_or_default().to_owned();
    ensure!(evidence.contains("2 of 6") && evidence.contains("public.\"Odd, table\""), "{evidence}");

    // Each remedy holds its SQL between the first two backticks.
    for id in ["schemas", "tables", "sequences", "row_level_security", "large_objects"] {
        let remedy = check(&found, id)?["remediation"].as_str().unwrap_or_default().to_owned();
        let sql = remedy.split('`').nth(1).with_context(|| format!("no SQL: {remedy}"))?;
        postgres.psql(&source.name, sql)?;
    }
    let found = look(&walwarden, &dsn, None)?;
    ensure!(found["result"] == "warning", "{found}");
    assert_status(&found, &[("tables", "passed"), ("row_level_security", "passed"), ("large_objects", "passed")])?;

    let found = look(&walwarden, &source.dsn(), Some(ErrorCode::SourcePermissionDenied))?;
    assert_status(&found, &[("tables", "failed")])
}

/// No server, no password, no database: each is told by its own code, and what could not be looked at is not called passed.
fn closed_doors(context: &TestContext) -> Result<()> {
    let walwarden = Walwarden::init(context, Store::Sqlite)?;
    let source = context.database()?;
    let found = look(&walwarden, &source.dsn_with(&source.password, free_port()?), Some(ErrorCode::SourceUnreachable))?;
    assert_status(&found, &[("reachability", "failed"), ("authentication", "skipped"), ("tables", "skipped")])?;
    let wrong = context.canaries().password("a wrong source password");
    let found = look(&walwarden, &source.dsn_with(&wrong, source.port), Some(ErrorCode::SourceAuthFailed))?;
    assert_status(&found, &[("reachability", "passed"), ("authentication", "failed"), ("database", "skipped")])?;
    let found = look(&walwarden, &source.sibling("nobody_made_this").dsn(), Some(ErrorCode::SourceDatabaseMissing))?;
    assert_status(&found, &[("authentication", "passed"), ("database", "failed"), ("tables", "skipped")])?;
    let none = [("WALWARDEN_SOURCE_DSN", source.dsn()), ("WALWARDEN_PG_BIN_DIR", "/nowhere".to_owned())];
    let none = none.each_ref().map(|(name, value)| (*name, value.as_str()));
    let output = walwarden.admin_run(&["database", "check"], &none)?.output()?;
    let found = report(&output, Some(ErrorCode::ToolMissing))?;
    ensure!(found["result"] == "skipped", "{found}");
    Ok(())
}

/// A source that fails is not added unless somebody insists; what was found stays with the database until its source changes.
fn before_adding(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options { role: Role::Worker, ..Options::default() })?;
    let walwarden = &setting.walwarden;
    let id = setting.database_id.to_string();
    let shown = || walwarden.admin(&["database", "show", &id], &[]);
    ensure!(shown()?["sourceCheck"]["failed"] == json!([]), "{}", shown()?);

    let dead = setting.source.dsn_with(&setting.source.password, free_port()?);
    let (destination, env) = (setting.destination_id.to_string(), [("WALWARDEN_SOURCE_DSN", dead.as_str())]);
    let add = ["database", "add", "--name", "dead", "--destination", &destination];
    let output = walwarden.admin_run(&add, &env)?.output()?;
    let refused = report(&output, Some(ErrorCode::SourceCheckFailed))?;
    assert_status(&refused, &[("reachability", "failed")])?;
    ensure!(output.json()?["error"]["findings"][0]["code"] == "source_unreachable", "{output}");
    let update = ["database", "update", &id];
    report(&walwarden.admin_run(&update, &env)?.output()?, Some(ErrorCode::SourceCheckFailed))?;
    let listed = walwarden.admin(&["database", "list"], &[])?;
    ensure!(listed["databases"].as_array().is_some_and(|all| all.len() == 1), "{listed}");

    let forced = walwarden.admin(&[add.as_slice(), &["--force"]].concat(), &env)?;
    ensure!(forced["sourceCheck"]["failed"] == json!(["reachability"]), "{forced}");
    let unseen = walwarden.admin(&[update.as_slice(), &["--no-check"]].concat(), &env)?;
    ensure!(unseen["sourceCheck"].is_null(), "{unseen}");
    report(&walwarden.admin_run(&["database", "check", &id], &[])?.output()?, Some(ErrorCode::SourceUnreachable))?;
    ensure!(shown()?["sourceCheck"]["failed"] == json!(["reachability"]), "{}", shown()?);
    Ok(())
}

/// The API refuses with every finding, and looks again when asked.
fn through_the_api(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options::default())?;
    let authorization = format!("Bearer {}", setting.issue_key(Scope::ALL)?);
    let ask = |path: &str, key: &str, body: &Value| {
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", key)];
        setting.server()?.request("POST", path, &headers, Some(body))
    };
    let mut body = json!({
        "name": "dead",
        "destinationId": setting.destination_id,
        "sourceDsn": setting.source.dsn_with(&setting.source.password, free_port()?),
    });
    let answer = ask("/api/v1/databases", "one", &body)?;
    let problem = answer.json()?;
    ensure!(answer.status == 422 && problem["code"] == "source_check_failed", "{problem}");
    ensure!(problem["findings"][0]["id"] == "reachability", "{problem}");
    body["sourceCheck"] = json!("skip");
    let added = ask("/api/v1/databases", "two", &body)?;
    ensure!(added.status == 201 && added.json()?["sourceCheck"].is_null(), "{}", added.json()?);

    let id: String = field(&added.json()?, "/id")?;
    for (database, result) in [(id, "failed"), (setting.database_id.to_string(), "passed")] {
        let path = format!("/api/v1/databases/{database}");
        let found = ask(&format!("{path}/check"), &database, &json!({}))?;
        ensure!(found.status == 200, "{}", found.json()?);
        let found = found.json()?;
        ensure!(found["databaseId"] == database.as_str(), "{found}");
        // The sample may warn of this or that.
        ensure!((found["result"] == "failed") == (result == "failed"), "{found}");
        ensure!(setting.get(&path)?["sourceCheck"]["result"] == found["result"], "{found}");
    }
    Ok(())
}
