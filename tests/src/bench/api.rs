//! Requests per second of the API on one core: the load comes from `wrk` on another, and what is judged is the list of databases, as
//! an agent asks for it again and again.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::measure::Samples;
use super::{machine, progress};
use crate::canary::random_hex;
use crate::harness::TestContext;
use crate::process::Run;
use crate::wait::wait_for;
use crate::walwarden::{Role, Server, Store, Walwarden};

const DATABASES: usize = 50;
const CONNECTIONS: usize = 16;
const SECONDS: u64 = 8;
const ROUNDS: usize = 3;
/// The server has the first core alone; whatever else runs, runs on the second.
const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// What is asked for: the bare server, the API key's check alone, and what is judged.
const TARGETS: [&str; 3] = ["/healthz", "/api/v1/profile", "/api/v1/databases"];

/// The key is in a file and not in the arguments, which every user of the machine can see.
const SCRIPT: &str = r#"
wrk.headers["Authorization"] = "Bearer KEY"
function done(summary, latency, requests)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format('{"requests":%d,"microseconds":%d,"failed":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
"#;

/// One target, over the rounds.
#[derive(Debug, Default)]
struct Figures {
    per_second: Samples,
    /// Milliseconds.
    p50: Samples,
    p99: Samples,
}

/// What one run found.
#[derive(Debug)]
pub struct Report {
    machine: String,
    bytes: usize,
    figures: [Figures; TARGETS.len()],
}

/// Makes an organization of 50 databases with a backup each, and measures.
pub fn run(context: &TestContext) -> Result<Report> {
    ensure!(machine::cores() >= 2, "the load and the server need a core each");
    let machine = machine::describe()?;
    let mut walwarden = Walwarden::init(context, Store::Sqlite)?;
    let api_key = fill(context, &walwarden)?;
    walwarden.pin(SERVER_CORE);
    let server = walwarden.serve_with(Role::All, &["--requests-per-second", "0"])?;
    let bytes = call(&server, &api_key, "GET", TARGETS[2], None)?.to_string().len();
    let script = context.private().join("wrk.lua");
    fs::write(&script, SCRIPT.replace("KEY", &api_key))?;
    let mut figures = <[Figures; TARGETS.len()]>::default();
    for round in 1..=ROUNDS {
        progress(&format!("round {round} of {ROUNDS}"));
        for (target, figures) in TARGETS.iter().zip(&mut figures) {
            measure(context, &format!("http://{}{target}", server.address()), &script, figures)?;
        }
    }
    server.stop()?;
    Ok(Report { machine, bytes, figures })
}

fn fill(context: &TestContext, walwarden: &Walwarden<'_>) -> Result<String> {
    progress(&format!("{DATABASES} databases, a backup of each"));
    let (bucket, source) = (context.bucket(false)?, context.database()?);
    context.postgres().load_sample(&source, 20)?;
    let endpoint = context.s3().endpoint();
    let destination = [
        ["--name", "bucket"],
        ["--provider", "s3-compatible"],
        ["--endpoint", &endpoint],
        ["--bucket", bucket.name()],
        ["--access-key-id", context.s3().access_key()],
    ];
    let secret = [("WALWARDEN_SECRET_ACCESS_KEY", context.s3().secret_key())];
    let added = walwarden.admin(&[&["destination", "add"], destination.as_flattened()].concat(), &secret)?;
    let destination = added["id"].as_str().context("an id")?;
    let scopes: Vec<_> = walwarden_contract::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let issued = walwarden.admin_private(&["key", "issue", "--name", "bench", "--scope", &scopes.join(",")], &[])?;
    let api_key = issued["key"].as_str().context("a key")?.to_owned();
    let server = walwarden.serve_with(Role::All, &["--workers", "2", "--requests-per-second", "0"])?;
    let dsn = source.dsn();
    for number in 0..DATABASES {
        let name = format!("database {number}");
        let arguments = ["database", "add", "--name", &name, "--destination", destination, "--schedule", "0 3 * * *"];
        let added = walwarden.admin(&arguments, &[("WALWARDEN_SOURCE_DSN", &dsn)])?;
        let path = format!("/api/v1/databases/{}/backups", added["id"].as_str().context("an id")?);
        call(&server, &api_key, "POST", &path, Some(&json!({})))?;
    }
    wait_for("every backup to be completed", Duration::from_mins(5), || {
        let list = call(&server, &api_key, "GET", "/api/v1/evidence?limit=100", None)?;
        let completed = list["evidence"].as_array().context("evidence")?.len();
        ensure!(completed == DATABASES, "{completed} of {DATABASES}");
        Ok(Some(()))
    })?;
    server.stop()?;
    Ok(api_key)
}

fn measure(context: &TestContext, url: &str, script: &Path, figures: &mut Figures) -> Result<()> {
    let output = Run::new("wrk", context.directory(), &context.private())
        .pinned(LOAD_CORE)
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string(), "--duration", &format!("{SECONDS}s")])
        .arg("--script")
        .arg(script)
        .arg(url)
        .output()?
        .success()?;
    let text = output.stdout_text();
    let line = text.lines().last().context("wrk says what it measured")?;
    let measured: Value = serde_json::from_str(line).with_context(|| text.clone())?;
    let number = |name: &str| measured[name].as_f64().with_context(|| format!("no {name} in {line}"));
    ensure!(number("failed")? == 0.0, "{url}: failed requests: {line}");
    figures.per_second.push(number("requests")? / number("microseconds")? * 1e6);
    figures.p50.push(number("p50")? / 1000.0);
    figures.p99.push(number("p99")? / 1000.0);
    Ok(())
}

fn call(server: &Server, api_key: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let (authorization, once) = (format!("Bearer {api_key}"), random_hex(16));
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
    let answer = server.request(method, path, &headers, body)?;
    ensure!((200..300).contains(&answer.status), "{method} {path}: {}", answer.json()?);
    answer.json()
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, bytes, figures } = self;
        writeln!(formatter, "machine   {machine}")?;
        writeln!(
            formatter,
            "data      SQLite, {DATABASES} databases with a schedule and a backup each; the list is {bytes} bytes"
        )?;
        writeln!(
            formatter,
            "command   wrk --threads 1 --connections {CONNECTIONS} --duration {SECONDS}s on core {LOAD_CORE}, the server on core \
             {SERVER_CORE}; medians of {ROUNDS} rounds\n"
        )?;
        writeln!(formatter, "{:<24} {:>12}  {:<18} {:>9} {:>9}", "GET", "requests/s", "range", "p50", "p99")?;
        for (target, Figures { per_second, p50, p99 }) in TARGETS.iter().zip(figures) {
            let (low, high) = per_second.range();
            let range = format!("{low:.0} to {high:.0}");
            let (median, p50, p99) = (per_second.median(), p50.median(), p99.median());
            writeln!(formatter, "{target:<24} {median:>12.0}  {range:<18} {p50:>6.2} ms {p99:>6.2} ms")?;
        }
        let [base, _, judged] = figures;
        let ratio = judged.per_second.median() / base.per_second.median();
        writeln!(formatter, "\n{} / {}: {ratio:.2} of the requests", TARGETS[2], TARGETS[0])?;
        writeln!(formatter, "bar for {}: >= 5000 requests/s, p99 <= 10 ms", TARGETS[2])
    }
}
