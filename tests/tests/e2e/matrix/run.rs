//! Calling a command, and what must hold of how it ends.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::text::is_deceptive;
use walwarden_contract::{ErrorCode, ExitStatus};
use walwarden_tests::harness::TestContext;
use walwarden_tests::process::{Output, Run, Running};

use super::table::{Cell, ROWS, Row};

const DEADLINE: Duration = Duration::from_mins(1);

/// A command that is about to be called.
#[must_use]
pub(super) struct Call {
    run: Run,
    expected: Cell,
    closed: bool,
}

/// A command that runs.
pub(super) struct Calling {
    pub(super) running: Running,
    expected: Cell,
    closed: bool,
}

/// A command that has ended.
pub(super) struct Called {
    output: Output,
    expected: Cell,
    closed: bool,
}

impl Call {
    pub(super) fn new(run: Run, expected: Cell) -> Self {
        Self { run, expected, closed: false }
    }

    fn map(self, change: impl FnOnce(Run) -> Run) -> Self {
        Self { run: change(self.run), ..self }
    }

    /// With more arguments.
    pub(super) fn with(self, arguments: &[&str]) -> Self {
        self.map(|run| run.args(arguments))
    }

    /// At another address.
    pub(super) fn at(self, url: &str) -> Self {
        self.with(&["--api-url", url])
    }

    /// With another variable in its environment.
    pub(super) fn env(self, name: &str, value: &str) -> Self {
        self.map(|run| run.env(name, value))
    }

    /// With another API key.
    pub(super) fn key(self, key: &str) -> Self {
        self.env("WALWARDEN_API_KEY", key)
    }

    /// With another restore token.
    pub(super) fn token(self, token: &str) -> Self {
        self.env("WALWARDEN_TOKEN", token)
    }

    /// With a standard input that says nothing and does not end.
    pub(super) fn silent_stdin(self) -> Self {
        self.map(Run::silent_stdin)
    }

    /// Whether the reader of its output has gone away.
    pub(super) fn closed(self, closed: bool) -> Self {
        let run = if closed { self.run.closed_stdout() } else { self.run };
        Self { run, closed, ..self }
    }

    pub(super) fn spawn(self) -> Result<Calling> {
        Ok(Calling { running: self.run.spawn()?, expected: self.expected, closed: self.closed })
    }

    pub(super) fn output(self) -> Result<Called> {
        self.spawn()?.wait()
    }
}

impl Calling {
    /// Waits for its end, whatever that is.
    pub(super) fn ended(self) -> Result<Output> {
        self.running.wait(DEADLINE)
    }

    pub(super) fn wait(self) -> Result<Called> {
        Ok(Called { output: self.running.wait(DEADLINE)?, expected: self.expected, closed: self.closed })
    }
}

/// Starts every command that `call` makes one for: they wait for the same things, and need not do it one by one.
pub(super) fn spawn_all(call: impl Fn(&'static Row) -> Result<Option<Call>>) -> Result<Vec<(&'static Row, Calling)>> {
    let mut calling = Vec::new();
    for row in ROWS {
        for closed in [false, true] {
            if let Some(call) = call(row)? {
                calling.push((row, call.closed(closed).spawn()?));
            }
        }
    }
    Ok(calling)
}

/// Waits for all of them, each of which must end as its row says.
pub(super) fn check_all(context: &TestContext, calling: Vec<(&'static Row, Calling)>) -> Result<Vec<Value>> {
    let ended = calling.into_iter().map(|(row, calling)| check(context, row, calling.wait()?));
    Ok(ended.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Fails unless a command ended as its row says. Returns the document it ended with, where somebody has read it.
pub(super) fn check(context: &TestContext, row: &Row, called: Called) -> Result<Option<Value>> {
    let Called { output, expected, closed } = called;
    check_output(context, row, expected, closed, &output).with_context(|| format!("{}, {expected:?}", row.kind))
}

fn check_output(
    context: &TestContext,
    row: &Row,
    expected: Cell,
    closed: bool,
    output: &Output,
) -> Result<Option<Value>> {
    let (status, code) = match expected {
        Cell::Fails(code) => (code.exit(), Some(code)),
        _ => (ExitStatus::Ok, None),
    };
    ensure!(output.code() == Some(status.code().into()) && output.stderr.is_empty(), "{output}");
    if closed {
        return Ok(None);
    }
    let last = if row.kind == "restore" {
        let lines = output.json_lines()?;
        let ends = |line: &&Value| line["payload"].get("error").is_some() || line["state"] == "completed";
        ensure!(lines.iter().filter(ends).count() == 1, "one line is the end:\n{output}");
        lines.last().cloned().context("lines")?
    } else if output.stdout.starts_with(br#"{"type":"#) {
        // Events, of which the last is the document: what they are besides is checked where they are collected.
        output.json_lines()?.pop().context("lines")?
    } else {
        output.json()?
    };
    let error = if row.kind == "restore" { &last["payload"]["error"] } else { &last["error"] };
    ensure!(error["code"].as_str() == code.map(ErrorCode::as_str), "{output}");
    if row.kind != "restore" {
        ensure!(last["kind"] == row.kind && last["ok"] == code.is_none(), "{output}");
        check_next(context, &last)?;
    }
    let text = output.stdout_text();
    ensure!(!text.trim_end().chars().any(|character| is_deceptive(character) && character != '\n'), "{output}");
    Ok(Some(last))
}

/// Every command in `next` is one that the program takes.
fn check_next(context: &TestContext, document: &Value) -> Result<()> {
    let next: Vec<Vec<String>> = serde_json::from_value(document["next"].clone())?;
    for words in next {
        ensure!(words.first().is_some_and(|word| word == "walwarden"), "{words:?}");
        // Without an address and a key it does nothing but read its arguments.
        let output = context.run_binary("walwarden")?.arg("--json").args(&words[1..]).output()?;
        ensure!(!output.stdout_text().contains("\"usage_error\""), "{words:?}: {output}");
    }
    Ok(())
}
