//! Restores that are refused before the token is used: the same token works once the mistake is mended.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_tests::fault_proxy::FaultProxy;
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::{Database, free_port};
use walwarden_tests::process::Run;
use walwarden_tests::walwarden::Store;

use super::stage::{Session, Stage, assert_ending};

/// The mistake mended, the same token restores.
fn still_works(stage: &Stage<'_>, session: &Session) -> Result<()> {
    stage.succeeds(session, &stage.maintenance())?;
    stage.assert_restored(session.created.as_ref().context("a name")?)
}

/// Refused, then mended.
fn refused(
    context: &TestContext,
    store: Store,
    code: ErrorCode,
    attempt: impl FnOnce(&Stage<'_>, &Session) -> Result<Run>,
) -> Result<()> {
    let stage = Stage::new(context, store)?;
    let session = stage.session()?;
    let output = attempt(&stage, &session)?.output()?;
    stage.assert_unused(&session, &output, code)?;
    still_works(&stage, &session)
}

pub(super) fn wrong_password(context: &TestContext) -> Result<()> {
    refused(context, Store::Sqlite, ErrorCode::TargetAuthFailed, |stage, session| {
        let password = context.canaries().password("a wrong password");
        let target = Database { password, ..stage.maintenance() };
        stage.restore(session, &target)
    })
}

pub(super) fn unreachable(context: &TestContext) -> Result<()> {
    refused(context, Store::Postgres, ErrorCode::TargetUnreachable, |stage, session| {
        let target = Database { port: free_port()?, ..stage.maintenance() };
        stage.restore(session, &target)
    })
}

pub(super) fn no_tools(context: &TestContext) -> Result<()> {
    refused(context, Store::Sqlite, ErrorCode::ToolMissing, |stage, session| {
        let empty = context.directory().join("empty");
        fs::create_dir(&empty)?;
        Ok(stage.restore(session, &stage.maintenance())?.env("PATH", empty))
    })
}

pub(super) fn other_manifest(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let session = stage.session()?;
    let other = Session { manifest_hash: "ab".repeat(32), ..session.clone() };
    let output = stage.restore(&other, &stage.maintenance())?.output()?;
    stage.assert_unused(&session, &output, ErrorCode::ManifestHashMismatch)?;
    let kinds = stage.setting.audit_kinds(session.id)?;
    ensure!(kinds == [K::RestoreTokenIssued], "{kinds:?}");
    // A client that does not look for itself is refused as well, and that is on record.
    let path = format!("/api/v1/restores/{}/trigger", session.id);
    let body = json!({"manifestHash": other.manifest_hash, "mode": session.mode});
    let answer = stage.post(&path, &format!("Bearer {}", session.token), &body)?;
    ensure!(
        answer.status == 409 && answer.json()?["code"] == ErrorCode::ManifestHashMismatch.as_str(),
        "{}",
        answer.json()?
    );
    let chain = stage.setting.audit_chain(&session.id.to_string())?;
    let last = chain.last().context("an event")?;
    ensure!(last.kind == K::RestoreTokenRejected && last.payload["reason"] == "manifest_hash_mismatch", "{last:?}");
    still_works(&stage, &session)
}

pub(super) fn unconfirmed(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let target = stage.setting.source.clone();
    let before = context.postgres().table_digests(&target.name)?;
    let session = stage.open(RestoreMode::InPlace, None)?;
    let api = FaultProxy::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    let (manifest, dsn) = (&session.manifest_hash, target.dsn());
    let output = stage
        .setting
        .walwarden
        .cli(stage.setting.server()?, None, &["--json", "--api-url", &api.endpoint(), "restore"])?
        .args(["--manifest", manifest, "--mode", "in_place"])
        .env("WALWARDEN_TARGET_DSN", dsn)
        .env("WALWARDEN_TOKEN", &session.token)
        .env("TMPDIR", &stage.work)
        .output()?;
    stage.assert_unused(&session, &output, ErrorCode::ConfirmationRequired)?;
    ensure!(api.requests().is_empty(), "{:?}", api.requests());
    ensure!(context.postgres().table_digests(&target.name)? == before, "the target changed");
    // The API refuses to open such a session, too.
    let request = json!({
        "backupJobId": stage.backup.id, "mode": "in_place", "targetRedactedDsn": "postgresql://u@h:5432/d",
    });
    let answer = stage.post("/api/v1/restores", &format!("Bearer {}", stage.setting.api_key), &request)?;
    ensure!(answer.json()?["code"] == ErrorCode::ConfirmationRequired.as_str(), "{}", answer.json()?);
    Ok(())
}

pub(super) fn database_exists(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let existing = context.database()?;
    context.postgres().psql_as_owner(&existing, "CREATE TABLE precious AS SELECT n FROM generate_series(1, 9) n")?;
    let before = context.postgres().table_digests(&existing.name)?;

    // By the name that was asked for, before the token is used.
    let session = stage.open(RestoreMode::NewDatabase, Some(existing.name.clone()))?;
    let output = stage.restore(&session, &stage.maintenance())?.output()?;
    assert_ending(&output, "rejected", ErrorCode::TargetDatabaseExists)?;
    let kinds = stage.setting.audit_kinds(session.id)?;
    ensure!(kinds == [K::RestoreTokenIssued], "{kinds:?}");
    ensure!(context.postgres().table_digests(&existing.name)? == before, "the database changed");

    // By the source's own name, which only the manifest tells.
    let session = stage.open(RestoreMode::NewDatabase, None)?;
    let output = stage.restore(&session, &stage.maintenance())?.output()?;
    let code = ErrorCode::TargetDatabaseExists;
    stage.assert_failed(&session, &output, code, RestoreState::FailedTerminal, K::RestoreClaimed)?;
    stage.assert_restored(&stage.setting.source.name)
}
