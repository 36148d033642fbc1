//! What `backup trigger --wait` shows while it waits, and tells a program.

use anyhow::{Context, Result, ensure};
use walwarden_contract::model::{Backup, BackupState};
use walwarden_tests::harness::TestContext;
use walwarden_tests::process::CTRL_C;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::setting::{Options, Setting, field};

pub(super) fn shown(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let database = setting.database_id.to_string();
    let words = ["backup", "trigger", "--database", &database, "--wait"];
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    let mut terminal = setting.cli(&words)?.on_terminal(false)?;
    let standing = "running, attempt 1 of ";
    terminal.wait_shown(&format!(" is {standing}"), SOON)?;
    terminal.type_bytes(CTRL_C)?;
    terminal.ended(SOON)?;
    let screen = terminal.screen();
    let id = setting.last_backup()?.id;
    ensure!(!screen.iter().any(|line| line.contains(&format!("{id} is {standing}"))), "half drawn: {screen:#?}");
    ensure!(screen.iter().any(|line| line.contains(&format!("Z {standing}"))), "no line stayed: {screen:#?}");
    ensure!(screen.iter().any(|line| line.contains(&format!("Backup {id} goes on by itself."))), "{screen:#?}");
    terminal.wait(SOON)?.exit(4)?;
    lock.release()?;
    setting.wait_ended(id, BackupState::Completed)?;

    // Without a terminal: a line for each state.
    let output = setting.cli(&words)?.output()?.success()?;
    let shown = output.stderr_text();
    ensure!(shown.contains(" is queued\n") && shown.contains("Z completed, attempt 1 of "), "{output}");
    ensure!(!shown.contains('\u{1b}') && !shown.contains('\r'), "drawn without a terminal: {output}");
    setting.assert_no_leftovers()
}

pub(super) fn events(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options::default())?;
    let database = setting.database_id.to_string();
    let words = ["backup", "trigger", "--database", &database, "--wait", "--events", "jsonl"];
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    let running = setting.cli(&words)?.spawn()?;
    // Each line is there when it happens, and not at the end.
    wait_for("the line that says that it runs", SOON, || {
        Ok(std::fs::read_to_string(running.stdout_path())?.contains(r#""state":"running""#).then_some(()))
    })?;
    lock.release()?;
    let output = running.wait(SOON)?.success()?;
    ensure!(output.stderr.is_empty(), "{output}");
    let lines = output.json_lines()?;
    let states: Vec<&str> = lines.iter().filter_map(|line| line["state"].as_str()).collect();
    ensure!(states.first() == Some(&"queued") && states.last() == Some(&"completed"), "{output}");
    let result = lines.last().context("a line")?;
    let completed: Backup = field(result, "/data/completed")?;
    ensure!(completed.state == BackupState::Completed, "{output}");
    ensure!(lines[1]["backupJobId"] == completed.id.to_string(), "{output}");
    setting.assert_no_leftovers()
}
