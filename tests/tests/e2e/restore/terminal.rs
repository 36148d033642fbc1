//! Restores by a person at a terminal: what they are asked, and that nothing happens unless they answer.

use anyhow::{Context, Result, ensure};
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_tests::canary::random_hex;
use walwarden_tests::fault_proxy::{FaultProxy, Matcher};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::Database;
use walwarden_tests::process::{CTRL_C, CTRL_D, Run, Terminal};
use walwarden_tests::walwarden::Store;

use super::stage::{Session, Stage, redacted};
use crate::SOON;
use crate::setting::assert_failure;

const QUESTION: &str = " to overwrite it: ";

/// `walwarden restore execute` of the backup, without a password.
fn execute(stage: &Stage<'_>, api: &FaultProxy, target: &Database, words: &[&str]) -> Result<Run> {
    let (backup, dsn) = (stage.backup.id.to_string(), redacted(target));
    let run = stage.setting.cli(&[&["restore", "execute", "--backup", &backup, "--target", &dsn], words].concat())?;
    Ok(run.env("WALWARDEN_BASE_URL", api.endpoint()).env("TMPDIR", &stage.work))
}

fn asked(run: Run, question: &str) -> Result<Terminal> {
    let mut terminal = run.on_terminal(false)?;
    terminal.wait_shown(question, SOON)?;
    Ok(terminal)
}

fn sessions(api: &FaultProxy) -> usize {
    api.count(&Matcher::method("POST"))
}

pub(super) fn consent(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let api = FaultProxy::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    let target = stage.precious()?;
    let before = context.postgres().table_digests(&target.name)?;
    let in_place = || {
        let run = execute(&stage, &api, &target, &["--mode", "in_place"])?;
        Ok::<_, anyhow::Error>(run.env("PGPASSWORD", &target.password))
    };
    let answers: [(&[u8], i32, &str); 5] = [
        (b"yes\r", 2, "confirmation_required"),
        (format!("{} \r", target.name).leak().as_bytes(), 2, "confirmation_required"),
        (b"\r", 2, "confirmation_required"),
        (CTRL_D, 2, "confirmation_required"),
        (CTRL_C, 4, "cancelled"),
    ];
    for (answer, code, error) in answers {
        let mut terminal = asked(in_place()?, QUESTION)?;
        let shown = terminal.shown();
        let target_shown = [redacted(&target), format!("{:?}: 5 tables", target.name), "PostgreSQL 1".to_owned()];
        for text in target_shown {
            ensure!(shown.contains(&text), "{text} is not shown:\n{shown}");
        }
        terminal.type_bytes(answer)?;
        let output = terminal.wait(SOON)?.exit(code)?;
        let shown = output.stderr_text();
        ensure!(shown.contains(&format!("[{error}]")) && shown.contains("the target was not touched"), "{output}");
    }
    // Nobody to ask: refused before anything is called or connected to.
    assert_failure(&in_place()?.arg("--json").output()?, walwarden_contract::ErrorCode::ConfirmationRequired)?;
    let mut terminal = in_place()?.arg("--json").on_terminal(true)?;
    terminal.ended(SOON)?;
    ensure!(terminal.shown().is_empty(), "{}", terminal.shown());
    terminal.wait(SOON)?.exit(2)?;
    ensure!(sessions(&api) == 0, "a session was opened: {:?}", api.requests());
    ensure!(context.postgres().table_digests(&target.name)? == before, "the target changed");

    let mut terminal = asked(in_place()?, QUESTION)?;
    terminal.type_line(&target.name)?;
    terminal.wait(SOON)?.success()?;
    stage.assert_restored(&target.name)?;
    // With the flag there is no question.
    let output = in_place()?.arg("--confirm-destructive").on_terminal(false)?.wait(SOON)?.success()?;
    ensure!(!output.stderr_text().contains(QUESTION), "{output}");
    stage.assert_clean()
}

pub(super) fn legacy_consent(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let target = stage.precious()?;
    let session = stage.open(RestoreMode::InPlace, None)?;
    let run = || legacy(&stage, &session, &target);
    let mut terminal = asked(run()?, QUESTION)?;
    terminal.type_line("postgres")?;
    let output = terminal.wait(SOON)?.exit(2)?;
    ensure!(output.stderr_text().contains("[confirmation_required]"), "{output}");
    ensure!(stage.job(session.id)?.state == RestoreState::TokenIssued, "the token was used");
    let mut terminal = asked(run()?, QUESTION)?;
    terminal.type_line(&target.name)?;
    let output = terminal.wait(SOON)?.success()?;
    // On a terminal there is nothing for programs.
    ensure!(!output.stderr_text().contains("{\"state\""), "{output}");
    stage.assert_restored(&target.name)?;
    stage.assert_clean()
}

/// The token's command without `--confirm-destructive`, for a person.
fn legacy(stage: &Stage<'_>, session: &Session, target: &Database) -> Result<Run> {
    let server = stage.setting.server()?;
    let words = ["restore", "--manifest", &session.manifest_hash, "--mode", session.mode.as_str()];
    let run = stage.setting.walwarden.cli(server, None, &words)?.args(["--target", &redacted(target)]);
    let run = run.env("WALWARDEN_TOKEN", &session.token).env("PGPASSWORD", &target.password);
    Ok(run.env("TMPDIR", &stage.work))
}

pub(super) fn password(context: &TestContext) -> Result<()> {
    const QUESTION: &str = "Password for ";
    let stage = Stage::new(context, Store::Sqlite)?;
    let api = FaultProxy::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    let (target, created) = (stage.maintenance(), format!("r_{}", random_hex(6)));
    let run = || execute(&stage, &api, &target, &["--mode", "new_database", "--created-database", &created]);
    // Without a person the ways to give one are named.
    let output = run()?.output()?.exit(2)?;
    for way in ["[target_auth_failed]", "PGPASSWORD", "PGPASSFILE", "--target-file", "WALWARDEN_TARGET_DSN"] {
        ensure!(output.stderr_text().contains(way), "{way} is not named:\n{output}");
    }
    for (answer, code) in [(CTRL_C, 4), (CTRL_D, 2), (b"\r", 2)] {
        let mut terminal = asked(run()?, QUESTION)?;
        ensure!(!terminal.echoes()?, "a password would be shown");
        terminal.type_bytes(answer)?;
        terminal.ended(SOON)?;
        ensure!(terminal.echoes()?, "the terminal was left mute");
        terminal.wait(SOON)?.exit(code)?;
    }
    let mut terminal = asked(run()?, QUESTION)?;
    terminal.type_line("wrong")?;
    terminal.wait(SOON)?.exit(2)?;
    stage.assert_clean()?;
    // A session was opened by none of these but the one with a wrong password, whose token is unused.
    ensure!(!context.postgres().database_exists(&created)?, "{created} was created");

    let mut terminal = asked(run()?, QUESTION)?;
    terminal.type_line(&target.password)?;
    terminal.ended(SOON)?;
    let shown = terminal.shown();
    ensure!(terminal.echoes()? && !shown.contains(&target.password), "{shown}");
    terminal.wait(SOON)?.success().context("with the right password")?;
    stage.assert_restored(&created)?;
    stage.assert_clean()
}
