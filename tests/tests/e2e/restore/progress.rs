//! What a restore shows on its way: to a person at a terminal, to a log, and to a program that reads its output.

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_tests::fault_proxy::{Action, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::Database;
use walwarden_tests::process::{CTRL_C, Run};
use walwarden_tests::walwarden::Store;

use super::download::presigned_get;
use super::stage::{Session, Stage, redacted};
use crate::SOON;
use crate::setting::{Options, field};

/// What only the live line holds.
const LIVE: [&str; 3] = ["downloading [", "pg_restore into", "analyzing"];

/// The token's command as a person types it.
fn restore(stage: &Stage<'_>, session: &Session, target: &Database) -> Result<Run> {
    let words = ["restore", "--manifest", &session.manifest_hash, "--mode", session.mode.as_str()];
    let mut run = stage.setting.walwarden.cli(stage.setting.server()?, None, &words)?;
    run = run.args(["--target", &redacted(target)]);
    if let Some(created) = &session.created {
        run = run.args(["--created-database", created]);
    }
    if session.mode == RestoreMode::InPlace {
        run = run.arg("--confirm-destructive");
    }
    Ok(run.env("WALWARDEN_TOKEN", &session.token).env("PGPASSWORD", &target.password).env("TMPDIR", &stage.work))
}

fn assert_nothing_half_drawn(screen: &[String]) -> Result<()> {
    let left = screen.iter().find(|line| LIVE.iter().any(|text| line.contains(text)));
    ensure!(left.is_none(), "left on the screen: {screen:#?}");
    Ok(())
}

pub(super) fn on_a_terminal(context: &TestContext) -> Result<()> {
    // More than one range of 8 MiB, so that the first is shown while the second is on its way.
    let options = Options { bulk_mib: 10, codec: "none", object_lock: false, lock_mode: "none", ..Options::proxied() };
    let stage = Stage::with(context, Store::Sqlite, options)?;
    let gate = stage.setting.proxy()?.add(Rule::new(presigned_get().beyond_first_byte(), Action::Hold));
    let session = stage.session()?;
    let mut terminal = restore(&stage, &session, &stage.maintenance())?.on_terminal(false)?;
    gate.wait_hit(SOON)?;
    terminal.wait_shown("downloading [", SOON)?;
    terminal.wait_shown(" 8.00 MiB/", SOON)?;
    terminal.wait_shown(" left", SOON)?;
    terminal.type_bytes(CTRL_C)?;
    terminal.ended(SOON)?;
    let screen = terminal.screen();
    assert_nothing_half_drawn(&screen)?;
    ensure!(terminal.echoes()?, "the terminal was left mute");
    // What happened, what was left alone, what to do next.
    for start in ["error: ", "  untouched: The target was not touched.", "  next: "] {
        ensure!(screen.iter().any(|line| line.starts_with(start)), "no {start:?}: {screen:#?}");
    }
    terminal.wait(SOON)?.exit(4)?;
    stage.wait_job(session.id, RestoreState::Cancelled)?;
    stage.setting.proxy()?.clear();

    let target = stage.copy_of_source()?;
    let lock = context.postgres().lock_table(&target.name, "shop.customers")?;
    let session = stage.open(RestoreMode::InPlace, None)?;
    let mut terminal = restore(&stage, &session, &target)?.on_terminal(false)?;
    terminal.wait_shown(&format!("pg_restore into {:?}: ", target.name), SOON)?;
    terminal.wait_shown(" tables and large objects with data", SOON)?;
    lock.release()?;
    terminal.ended(SOON)?;
    let screen = terminal.screen();
    assert_nothing_half_drawn(&screen)?;
    ensure!(screen.iter().any(|line| line.starts_with("Restored ")), "{screen:#?}");
    terminal.wait(SOON)?.success()?;
    stage.assert_restored(&target.name)?;
    stage.assert_clean()
}

pub(super) fn in_a_pipe(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let session = stage.session()?;
    let output = restore(&stage, &session, &stage.maintenance())?.output()?.success()?;
    let states = ["downloading", "verifying", "manifest_verified", "restoring", "finalizing"];
    // Programs read lines, without having asked for JSON.
    let lines: Vec<String> = output.json_lines()?.iter().map(|line| field(line, "/state")).collect::<Result<_>>()?;
    ensure!(lines[..5] == states && lines[5..] == ["completed"], "{output}");
    // People get one line for each state, and the result.
    let shown = output.stderr_text();
    let told: Vec<&str> = shown.lines().filter_map(|line| line.split_once("Z ").map(|(_, state)| state)).collect();
    ensure!(told == states && shown.contains("Restored "), "{output}");
    ensure!(!shown.contains('\u{1b}') && !shown.contains('\r'), "drawn without a terminal: {output}");

    // The same of a failure: one last line for programs, and words for people.
    let output = restore(&stage, &session, &stage.maintenance())?.output()?.exit(2)?;
    let lines = output.json_lines()?;
    ensure!(lines.len() == 1 && lines[0]["state"] == "rejected", "{output}");
    let code = format!("[{}]", ErrorCode::TargetDatabaseExists);
    ensure!(output.stderr_text().contains(&code), "{output}");
    // And of a command line that is refused.
    let output = stage.setting.walwarden.cli(stage.setting.server()?, None, &["restore", "--bogus"])?.output()?;
    let line = output.clone().exit(2)?.json_lines()?.pop().context("a line")?;
    ensure!(line["payload"]["error"]["code"] == "usage_error", "{output}");
    ensure!(output.stderr_text().contains("[usage_error]"), "{output}");
    stage.assert_restored(session.created.as_ref().context("a name")?)?;
    stage.assert_clean()
}
