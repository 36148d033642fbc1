//! `restore execute --events jsonl`: what happens, told while it happens, and one end of every kind.

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreState;
use walwarden_tests::canary::random_hex;
use walwarden_tests::fault_proxy::{Action, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::process::{Output, Run};
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use super::download::presigned_get;
use super::stage::{Stage, redacted};
use crate::SOON;
use crate::setting::{Options, field};

fn execute(stage: &Stage<'_>, words: &[&str]) -> Result<Run> {
    let (target, backup) = (stage.maintenance(), stage.backup.id.to_string());
    let first = ["restore", "execute", "--events", "jsonl", "--backup", &backup, "--mode", "new_database"];
    let run = stage.setting.cli(&[&first[..], words].concat())?.args(["--target", &redacted(&target)]);
    Ok(run.env("PGPASSWORD", target.password).env("TMPDIR", &stage.work))
}

/// The result of events that ended with this exit code.
fn result(output: &Output, code: i32) -> Result<Value> {
    let output = output.clone().exit(code)?;
    ensure!(output.stderr.is_empty(), "{output}");
    output.json_lines()?.pop().context("a line")
}

fn states(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter(|line| line["type"] == "state").filter_map(|line| line["state"].as_str()).collect()
}

pub(super) fn told(context: &TestContext) -> Result<()> {
    let options = Options { bulk_mib: 20, codec: "none", object_lock: false, lock_mode: "none", ..Options::proxied() };
    let stage = Stage::with(context, Store::Sqlite, options)?;
    let created = format!("r_{}", random_hex(6));
    let output = execute(&stage, &["--created-database", &created])?.output()?;
    let done = result(&output, 0)?;
    ensure!(
        done["data"]["outcome"]["database"] == created && done["data"]["restore"]["state"] == "completed",
        "{done}"
    );
    let lines = output.json_lines()?;
    let expected = [
        RestoreState::TokenIssued,
        RestoreState::Triggered,
        RestoreState::Claimed,
        RestoreState::Downloading,
        RestoreState::Verifying,
        RestoreState::ManifestVerified,
        RestoreState::Restoring,
        RestoreState::Finalizing,
    ];
    ensure!(states(&lines) == expected.map(RestoreState::as_str), "{output}");
    let id: String = field(&done, "/data/restore/id")?;
    ensure!(lines.iter().filter(|line| line["type"] == "state").all(|line| line["restoreJobId"] == id), "{output}");
    let progress: Vec<&Value> = lines.iter().filter(|line| line["type"] == "progress").collect();
    let size = stage.backup.artifact.as_ref().context("an artifact")?.size_bytes;
    let bytes: Vec<u64> = progress.iter().filter_map(|line| line["bytes"].as_u64()).collect();
    ensure!((2..=20).contains(&bytes.len()) && bytes.last() == Some(&size), "{bytes:?} of {size}");
    ensure!(bytes.windows(2).all(|pair| (pair[1] - pair[0]) * 20 >= size || pair[1] == size), "{bytes:?} of {size}");
    let times: Vec<jiff::Timestamp> =
        lines.iter().filter(|line| line.get("at").is_some()).map(|line| field(line, "/at")).collect::<Result<_>>()?;
    ensure!(times.is_sorted(), "{output}");
    stage.assert_restored(&created)?;
    stage.assert_clean()
}

pub(super) fn ends(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let created = format!("r_{}", random_hex(6));
    // A plan is made without a state.
    let words = ["--created-database", &created, "--dry-run"];
    let output = execute(&stage, &words)?.output()?;
    let planned = result(&output, 0)?;
    ensure!(planned["data"]["planDigest"].is_string() && output.json_lines()?.len() == 2, "{output}");
    // The target refuses the password: the token is not used.
    let output = execute(&stage, &words[..2])?.env("PGPASSWORD", "wrong").output()?;
    let code = &result(&output, 2)?["error"]["code"];
    ensure!(*code == ErrorCode::TargetAuthFailed.as_str(), "{output}");
    ensure!(states(&output.json_lines()?) == ["token_issued"], "{output}");
    // What arrives is not what was backed up.
    let proxy = stage.setting.proxy()?;
    proxy.add(Rule::new(presigned_get(), Action::CorruptResponse(1000)));
    let output = execute(&stage, &words[..2])?.output()?;
    let code = &result(&output, 3)?["error"]["code"];
    ensure!(*code == ErrorCode::ArtifactChecksumMismatch.as_str(), "{output}");
    ensure!(states(&output.json_lines()?).last() == Some(&"verifying"), "{output}");
    proxy.clear();
    // A signal, once a program has read that the download began.
    let gate = proxy.add(Rule::new(presigned_get(), Action::Hold));
    let mut restore = execute(&stage, &words[..2])?.spawn()?;
    gate.wait_hit(SOON)?;
    let stdout = restore.stdout_path().to_owned();
    wait_for("the line that says so", SOON, || {
        Ok(std::fs::read_to_string(&stdout)?.contains(r#""state":"downloading""#).then_some(()))
    })?;
    restore.signal(Signal::INT)?;
    let output = restore.wait(SOON)?;
    let cancelled = result(&output, 4)?;
    ensure!(cancelled["error"]["code"] == ErrorCode::Cancelled.as_str(), "{output}");
    let status: Vec<String> = field(&cancelled, "/next/0")?;
    ensure!(status[1..3] == ["restore", "status"], "{status:?}");
    proxy.clear();
    ensure!(!context.postgres().database_exists(&created)?, "{created} was created");
    stage.assert_clean()
}
