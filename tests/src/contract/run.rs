//! One run: set the scene, let Schemathesis at it, and see whether everything still stands.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use walwarden_contract::operations::OPERATIONS;

use super::Options;
use super::scene::Scene;
use crate::harness::TestContext;
use crate::paths::repository;
use crate::spawner::{self, DeathSignal};
use crate::wait::wait_for;

/// Where `make test-contract` says that it put Schemathesis.
const TOOL: &str = "WALWARDEN_TEST_SCHEMATHESIS";
/// Time to finish what it is at when its time is up, and to write its reports.
const GRACE: Duration = Duration::from_mins(10);

/// What one run found.
#[derive(Debug)]
pub struct Outcome {
    seed: u32,
    requests: u64,
    findings: u64,
    seconds: u64,
    /// Whether Schemathesis itself called it a success.
    passed: bool,
    /// The operations that it never got to succeed, so that the answers of their successes went unjudged.
    never_accepted: Vec<&'static str>,
}

impl Outcome {
    /// Whether nothing was found.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.passed && self.findings == 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, requests, findings, seconds, never_accepted, .. } = self;
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        write!(
            formatter,
            "schemathesis, seed {seed}: {findings} findings in {requests} requests, {seconds} s: {verdict}"
        )?;
        if !never_accepted.is_empty() {
            write!(formatter, " (never accepted: {})", never_accepted.join(", "))?;
        }
        Ok(())
    }
}

/// Runs Schemathesis with this seed against an installation of its own.
pub fn run(context: &TestContext, options: &Options, seed: u32) -> Result<Outcome> {
    let scene = Scene::set(context)?;
    let report = context.private().join("report.json");
    let before = successes(&scene)?;
    let started = Instant::now();
    let passed = schemathesis(context, &scene, options, seed, &report)?;
    let seconds = started.elapsed().as_secs();
    let after = successes(&scene)?;
    let report: Value = serde_json::from_slice(&fs::read(&report).context("Schemathesis left no report")?)?;
    still_stands(context, &scene)?;
    let number =
        |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).with_context(|| format!("no {pointer}"));
    let errors = report["errors"].as_array().context("no errors")?.len() as u64;
    Ok(Outcome {
        seed,
        requests: number("/test_cases/generated")?,
        findings: number("/test_cases/unique_failures")? + errors,
        seconds,
        passed,
        never_accepted: never_accepted(&before, &after),
    })
}

/// How often each operation succeeded, as the server counted it.
fn successes(scene: &Scene<'_>) -> Result<HashMap<String, u64>> {
    let metrics = scene.server.request("GET", "/metrics", &[], None)?.body;
    let mut counted = HashMap::new();
    for line in String::from_utf8(metrics)?.lines() {
        let Some(rest) = line.strip_prefix("walwarden_http_requests_total{operation=\"") else { continue };
        let (operation, rest) = rest.split_once("\",status=\"").with_context(|| line.to_owned())?;
        let (status, count) = rest.split_once("\"} ").with_context(|| line.to_owned())?;
        if status.starts_with('2') {
            *counted.entry(operation.to_owned()).or_default() += count.parse::<u64>()?;
        }
    }
    Ok(counted)
}

fn never_accepted(before: &HashMap<String, u64>, after: &HashMap<String, u64>) -> Vec<&'static str> {
    let ids = OPERATIONS.iter().map(|operation| operation.id);
    ids.filter(|id| before.get(*id) == after.get(*id)).collect()
}

fn schemathesis(context: &TestContext, scene: &Scene<'_>, options: &Options, seed: u32, report: &Path) -> Result<bool> {
    let tool = std::env::var_os(TOOL)
        .map_or_else(|| repository().join(".tools/contract/venv/bin/schemathesis"), PathBuf::from);
    ensure!(tool.is_file(), "no Schemathesis at {}: run `make test-contract`", tool.display());
    let directory = context.private();
    // It looks for the ids beside its settings.
    let settings = repository().join("tests/contract/schemathesis.toml");
    fs::copy(&settings, directory.join("schemathesis.toml")).with_context(|| settings.display().to_string())?;
    let ids: [(&str, &[String]); 7] = [
        ("databases", &scene.databases),
        ("spares", scene.spares()),
        ("destinations", &scene.destinations),
        ("backups", &scene.backups),
        ("windows", &scene.windows),
        ("restores", &scene.restores),
        ("session", &scene.session),
    ];
    for (name, ids) in ids {
        let lines: Vec<_> = ids.iter().map(|id| format!("\"{id}\"\n")).collect();
        fs::write(directory.join(format!("{name}.dict")), lines.concat())?;
    }
    let mut command = spawner::command(&tool, None, DeathSignal::Kill);
    command.arg("--config-file").arg(directory.join("schemathesis.toml")).arg("run");
    command.arg(repository().join("openapi/walwarden.v1.json"));
    command.args(["--url", &format!("{}/api/v1", scene.server.url())]);
    command.args(["--seed", &seed.to_string(), "--max-time", &options.seconds.to_string()]);
    command.args(["--report", "json", "--report-json-path"]).arg(report);
    command.args(&options.more);
    // Keys and tokens reach it through the environment, never through arguments.
    command.env("CONTRACT_API_KEY", &scene.api_key).env("CONTRACT_RESTORE_TOKEN", &scene.restore_token);
    command.env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").env("HOME", &directory);
    command.current_dir(&directory);
    let mut child = spawner::spawn(command)?;
    let deadline = Duration::from_secs(options.seconds.into()) + GRACE;
    let ended = wait_for("Schemathesis to end", deadline, || Ok(child.try_wait()?));
    let Ok(status) = ended else {
        child.kill()?;
        child.wait()?;
        bail!("Schemathesis did not end within {deadline:?}");
    };
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => bail!("Schemathesis did not run: {status}"),
    }
}

/// Whatever was sent to it, the server still answers, has not lost the evidence it has to keep, has not broken an audit chain, has
/// not panicked and has not told anyone a secret.
fn still_stands(context: &TestContext, scene: &Scene<'_>) -> Result<()> {
    scene.call("GET", "/profile", None)?;
    let evidence = scene.call("GET", &format!("/evidence/{}", scene.completed), None)?;
    ensure!(evidence["integrityVerification"]["result"] == "passed", "{evidence}");
    let mut cursor = String::new();
    loop {
        let page = scene.call("GET", &format!("/audit/streams?limit=100{cursor}"), None)?;
        for stream in page["streams"].as_array().context("audit streams")? {
            let id = stream["streamId"].as_str().with_context(|| format!("{stream}"))?;
            let verification = scene.call("GET", &format!("/audit/streams/{id}/verification"), None)?;
            ensure!(verification["result"] == "passed", "{id}: {verification}");
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let log = scene.server.log_text()?;
    ensure!(!log.contains("panicked"), "the server panicked:\n{log}");
    context.check_canaries()
}
