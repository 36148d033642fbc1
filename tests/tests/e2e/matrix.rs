//! Every command under every condition, against the real server: one valid document on stdout, the right code, the right exit
//! status, nothing on stderr, and no crash when nobody reads.

mod events;
mod run;
mod scene;
mod secrets;
mod table;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use walwarden_contract::model::BackupState;
use walwarden_contract::{ErrorBody, ErrorCode, Problem, Scope};
use walwarden_tests::fault_proxy::{Action, FaultProxy, Matcher, Rule};
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::wait::wait_for;

use self::run::{check, check_all, spawn_all};
use self::scene::Scene;
use self::table::{Case, Cell, ROWS, Row};
use crate::SOON;

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("every_command_succeeds_with_one_document", succeeds)
        .trial("every_command_refuses_what_it_does_not_know", mistakes)
        .trial("every_command_says_that_its_key_is_not_valid", auth)
        .trial("every_command_names_the_scope_that_it_lacks", scope)
        .trial("every_command_says_what_does_not_exist_or_fit", missing_and_conflict)
        .trial("every_command_is_retryable_without_a_server", down)
        .trial("every_command_is_retryable_when_the_server_is_late_or_broken", late_and_broken)
        .trial("every_command_ends_at_a_signal", signal)
        .trial("every_command_that_tells_events_ends_in_one_result", events::end_in_one_result)
        .trial("no_command_repeats_a_secret", secrets::none_is_repeated)
}

/// The case in which a command does what it does.
fn usual(row: &Row, ends: Cell) -> Case {
    Case { arguments: row.arguments, ends }
}

fn succeeds(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    for row in ROWS {
        for closed in [false, true] {
            let called = scene.call(row, &usual(row, Cell::Well))?;
            let Some(called) = called else { continue };
            check(context, row, called.closed(closed).output()?)?;
        }
    }
    Ok(())
}

fn mistakes(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    for row in ROWS {
        for mistake in [&["--bogus-flag"][..], &["surplus", "--bogus-flag=hunter2"], &["--timeout-ms", "soon"]] {
            for closed in [false, true] {
                let called = scene.call(row, &usual(row, Cell::Fails(ErrorCode::UsageError)))?;
                let Some(called) = called else { continue };
                let document = check(context, row, called.with(mistake).closed(closed).output()?)?;
                ensure!(!document.is_some_and(|document| document.to_string().contains("hunter2")), "{}", row.kind);
            }
        }
    }
    Ok(())
}

fn auth(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    let key = format!("wal_{}", "0".repeat(64));
    let token = forged_token(&scene.open_session("forged")?);
    let call = |row| Ok(scene.call(row, &usual(row, row.auth))?.map(|call| call.key(&key).token(&token)));
    check_all(context, spawn_all(call)?).map(drop)
}

fn scope(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    let key = scene.setting.issue_key(&[Scope::AuditRead])?;
    let call = |row| Ok(scene.call(row, &usual(row, row.scope))?.map(|call| call.key(&key)));
    for document in check_all(context, spawn_all(call)?)? {
        let error = &document["error"];
        let named = error["requiredScope"].as_str().is_some_and(|scope| scope != "audit:read");
        ensure!(named || error["code"] != "forbidden", "{document}");
    }
    Ok(())
}

fn missing_and_conflict(context: &TestContext) -> Result<()> {
    let mut scene = Scene::new(context)?;
    check_all(context, spawn_all(|row| scene.call(row, &row.missing))?)?;
    // A backup that waits for a lock is in progress, and not restorable.
    let lock = context.postgres().lock_table(&scene.setting.source.name, "shop.customers")?;
    let unfinished = scene.setting.trigger()?;
    scene.setting.wait_backup(unfinished, |backup| backup.state == BackupState::Running)?;
    scene.unfinished = Some(unfinished.to_string());
    for row in ROWS {
        let Some(called) = scene.call(row, &row.conflict)? else { continue };
        let called = if row.kind == "restore" { called.token(&scene.used_token()?) } else { called };
        check(context, row, called.output()?)?;
    }
    lock.release()?;
    scene.setting.wait_ended(unfinished, BackupState::Completed).map(drop)
}

fn down(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    let nobody = format!("http://127.0.0.1:{}", walwarden_tests::postgres::free_port()?);
    let call = |row| Ok(scene.call(row, &usual(row, row.down))?.map(|call| call.at(&nobody)));
    check_all(context, spawn_all(call)?).map(drop)
}

fn late_and_broken(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    let proxy = FaultProxy::start(scene.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    proxy.add(Rule::new(Matcher::any(), Action::Hold));
    let late = |row| {
        let call = scene.call(row, &usual(row, row.late))?;
        Ok(call.map(|call| call.at(&proxy.endpoint()).with(&["--timeout-ms", "150"])))
    };
    check_all(context, spawn_all(late)?)?;
    proxy.clear();
    // What a server says may hold anything: a terminal's escapes, and the caller's own key.
    let said = format!("\u{1b}]0;owned\u{7} {} \u{202e}", scene.setting.api_key);
    let problem = Problem::from(ErrorBody::new(ErrorCode::InternalError, said));
    proxy.add(Rule::new(Matcher::any(), Action::Answer { status: 500, json: json!(problem).to_string() }));
    let broken = |row| Ok(scene.call(row, &usual(row, row.broken))?.map(|call| call.at(&proxy.endpoint())));
    check_all(context, spawn_all(broken)?).map(drop)
}

fn signal(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    for row in ROWS {
        let Some(called) = scene.call(row, &row.signal)? else { continue };
        let proxy = FaultProxy::start(scene.setting.server()?.url().trim_start_matches("http://").parse()?)?;
        let gate = proxy.add(Rule::new(Matcher::any(), Action::Hold));
        let mut called = called.at(&proxy.endpoint()).silent_stdin().spawn()?;
        if row.kind == "explain-error" {
            // It reads stdin; that it does can be seen by what it waits for.
            let pid = called.running.pid();
            let reads = || Ok(threads_wait_in_read(pid)?.then_some(()));
            wait_for("explain-error to read stdin", SOON, reads)?;
        } else {
            gate.wait_hit(SOON)?;
        }
        called.running.signal(rustix::process::Signal::INT)?;
        check(context, row, called.wait()?)?;
    }
    let left = scene.setting.get(&format!("/api/v1/databases/{}/backups?limit=200", scene.setting.database_id))?;
    let backups = left["backups"].as_array().context("backups")?;
    ensure!(backups.len() == 1, "a command that was interrupted before it was heard started something: {left}");
    Ok(())
}

/// The session's token with another signature.
fn forged_token(session: &serde_json::Value) -> String {
    let token = session["token"].as_str().unwrap_or_default();
    let payload = token.rsplit_once('.').map_or(token, |(payload, _)| payload);
    format!("{payload}.{}", "A".repeat(43))
}

/// Whether a thread of the process waits in `read`.
fn threads_wait_in_read(pid: u32) -> Result<bool> {
    let mut tasks = std::fs::read_dir(format!("/proc/{pid}/task"))?;
    let waits = |task: std::io::Result<std::fs::DirEntry>| {
        let call = task.and_then(|task| std::fs::read_to_string(task.path().join("syscall"))).unwrap_or_default();
        // Number 0 on x86-64, 63 on 64-bit ARM; the first argument is the descriptor of stdin.
        call.starts_with("0 0x0 ") || call.starts_with("63 0x0 ")
    };
    Ok(tasks.any(waits))
}
