//! Answers of the API that are lost where it matters most: when the token is used, and when the end is reported.

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::RestoreState;
use walwarden_tests::fault_proxy::{Action, FaultProxy, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::process::Output;
use walwarden_tests::walwarden::Store;

use super::stage::{Session, Stage, assert_ending};

/// Restores through an API that loses some answers.
fn restore(stage: &Stage<'_>, session: &Session, rule: Rule) -> Result<Output> {
    let api = FaultProxy::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    api.add(rule);
    stage.restore(session, &stage.maintenance())?.env("WALWARDEN_BASE_URL", api.endpoint()).output()
}

fn next_action(output: &Output) -> Result<String> {
    let last = output.json_lines()?.pop().context("a line")?;
    ensure!(last["payload"]["error"]["nextAction"].is_string(), "{output}");
    Ok(last["payload"]["error"]["nextAction"].as_str().unwrap_or_default().to_owned())
}

pub(super) fn trigger(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let session = stage.session()?;
    let matcher = Matcher::method("POST").path_ends("/trigger");
    let output = restore(&stage, &session, Rule::new(matcher, Action::DropAfterForward))?;
    // The server has used the token, and learns how the job ended.
    let (code, ended_in) = (ErrorCode::NetworkError, RestoreState::FailedRetryable);
    stage.assert_failed(&session, &output, code, ended_in, K::RestoreTriggered)?;
    stage.assert_untouched(&session)?;
    ensure!(next_action(&output)?.contains("Open a new restore session"), "{output}");
    stage.succeeds(&stage.session()?, &stage.maintenance()).map(drop)
}

pub(super) fn completed(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let session = stage.session()?;
    // The sixth report is the last; a heartbeat is due long after.
    let matcher = Matcher::method("POST").path_ends("/states");
    let rule = Rule::new(matcher, Action::DropBeforeForward).nth(6).times(100);
    let output = restore(&stage, &session, rule)?;
    assert_ending(&output, "failed_terminal", ErrorCode::RestoreUnreported)?;
    let last = output.json_lines()?.pop().context("a line")?;
    ensure!(last["payload"]["error"]["retryable"] == false, "{output}");
    ensure!(next_action(&output)?.starts_with("Do not restore again"), "{output}");
    ensure!(stage.job(session.id)?.state == RestoreState::Finalizing, "{output}");
    stage.assert_restored(session.created.as_ref().context("a name")?)
}
