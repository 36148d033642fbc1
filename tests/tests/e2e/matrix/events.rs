//! The commands that tell events, under the same conditions: lines that fit their schema, and one result that says the same.

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::json;
use walwarden_contract::commands::{Command, command};
use walwarden_contract::{ErrorBody, ErrorCode, Problem, Scope};
use walwarden_tests::fault_proxy::{Action, FaultProxy, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::free_port;

use super::run::{Call, check};
use super::scene::Scene;
use super::table::{Case, Cell, ROWS, Row};
use super::{forged_token, usual};
use crate::SOON;

/// What is particular to a condition.
type Change<'a> = Box<dyn Fn(Call) -> Call + 'a>;

/// The rows of commands that take `--events`.
fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| command(row.kind).is_some_and(Command::offers_events))
}

pub(super) fn end_in_one_result(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    let tells = |row: &'static Row, case: &Case| -> Result<Option<Call>> {
        let wait: &[&str] = if case.arguments.starts_with(&["backup"]) && !case.arguments.contains(&"--wait") {
            &["--wait"]
        } else {
            &[]
        };
        Ok(scene.call(row, case)?.map(|call| call.with(wait).with(&["--events", "jsonl"])))
    };
    let key = format!("wal_{}", "0".repeat(64));
    let token = forged_token(&scene.open_session("forged")?);
    let poor = scene.setting.issue_key(&[Scope::AuditRead])?;
    let nobody = format!("http://127.0.0.1:{}", free_port()?);
    let proxy = FaultProxy::start(scene.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    let mut tried = 0;
    for row in rows() {
        let changes: [(Cell, Change<'_>); 7] = [
            (Cell::Well, Box::new(|call| call)),
            (Cell::Well, Box::new(|call| call.closed(true))),
            (Cell::Fails(ErrorCode::UsageError), Box::new(|call| call.with(&["--bogus-flag"]))),
            (Cell::Fails(ErrorCode::UsageError), Box::new(|call| call.with(&["--timeout-ms", "soon"]))),
            (row.auth, Box::new(|call| call.key(&key).token(&token))),
            (row.scope, Box::new(|call| call.key(&poor))),
            (row.down, Box::new(|call| call.at(&nobody))),
        ];
        for (ends, change) in changes {
            let Some(call) = tells(row, &usual(row, ends))? else { continue };
            check(context, row, change(call).output()?)?;
            tried += 1;
        }
        if let Some(call) = tells(row, &row.missing)? {
            check(context, row, call.output()?)?;
        }
        let gate = proxy.add(Rule::new(Matcher::any(), Action::Hold));
        if let Some(call) = tells(row, &usual(row, row.late))? {
            check(context, row, call.at(&proxy.endpoint()).with(&["--timeout-ms", "150"]).output()?)?;
        }
        if let Some(call) = tells(row, &row.signal)? {
            let (before, mut called) = (gate.hits(), call.at(&proxy.endpoint()).spawn()?);
            gate.wait_hits(before + 1, SOON)?;
            called.running.signal(Signal::INT)?;
            check(context, row, called.wait()?)?;
        }
        proxy.clear();
        let said = format!("\u{1b}]0;owned\u{7} {} \u{202e}", scene.setting.api_key);
        let problem = Problem::from(ErrorBody::new(ErrorCode::InternalError, said));
        proxy.add(Rule::new(Matcher::any(), Action::Answer { status: 500, json: json!(problem).to_string() }));
        if let Some(call) = tells(row, &usual(row, row.broken))? {
            check(context, row, call.at(&proxy.endpoint()).output()?)?;
        }
        proxy.clear();
    }
    ensure!(tried == 14, "two commands tell events, and were tried {tried} times");
    Ok(())
}
