//! Targets that accept the connection and then not the data.

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::RestoreState;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::stage::Stage;

pub(super) fn pg_restore_fails(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    // May create databases, but gives nothing to the source's owner, whom the archive names.
    let stranger = context.database()?.sibling("postgres");
    let session = stage.session()?;
    let output = stage.restore(&session, &stranger)?.output()?;
    let code = ErrorCode::RestoreFailed;
    stage.assert_failed(&session, &output, code, RestoreState::FailedTerminal, K::RestoreRestoring)?;
    let lines = output.json_lines()?;
    let message = lines.last().context("a line")?.pointer("/payload/error/message").cloned();
    let message = message.unwrap_or_default().to_string();
    let created = session.created.as_deref().context("a name")?;
    ensure!(message.contains("may hold part of the data") && message.contains(created), "{message}");
    // The mistake mended, another session restores beside what the failed one left.
    let session = stage.session()?;
    let run = stage.restore(&session, &stranger)?.args(["--no-owner", "--no-acl"]);
    stage.assert_completed(&session, &run.output()?)?;
    stage.assert_restored(session.created.as_ref().context("a name")?)
}
