//! All that a restore machine sends, byte for byte: to the API the target without its secrets, to the bucket nothing of it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_tests::canary::{Canaries, percent_encode, random_hex};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::Database;
use walwarden_tests::process::{Output, Run};
use walwarden_tests::recorder::Recorder;
use walwarden_tests::walwarden::Store;

use super::stage::{Stage, WHOLE, redacted};
use crate::setting::{Options, assert_failure, data, field};

fn locked(rows: u32) -> Options {
    Options { rows, ..Options::proxied() }
}

pub(super) fn execute(context: &TestContext) -> Result<()> {
    let stage = Stage::with(context, Store::Sqlite, locked(3000))?;
    let recorder = Recorder::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    // A role of its own, whose password nothing but the restore machine has ever seen.
    let target = context.database()?.sibling("postgres");
    let machine_only = Canaries::default();
    machine_only.register("the target's password", &target.password);
    let (created, backup) = (format!("r_{}", random_hex(6)), stage.backup.id.to_string());
    let output = stage
        .setting
        .cli(&["--json", "--api-url", &recorder.url(), "restore", "execute", "--backup", &backup])?
        .args(["--mode", "new_database", "--created-database", &created, "--no-owner", "--no-acl"])
        .env("WALWARDEN_TARGET_DSN", format!("{}?connect_timeout=17", target.dsn()))
        .arg("--work-dir")
        .arg(&stage.work)
        .output()?;
    let done = data(&output)?;
    stage.assert_restored(&created)?;
    stage.assert_clean()?;
    ensure!(done["restore"]["state"] == "completed" && done["outcome"]["database"] == created, "{output}");
    let kinds = stage.setting.audit_kinds(field::<String>(&done, "/restore/id")?)?;
    ensure!(kinds == WHOLE, "{kinds:?}");

    let sent = recorder.sent();
    let leaked = machine_only.find("what the restore machine sent", &sent);
    ensure!(leaked.is_empty(), "{leaked:?}");
    let sent = String::from_utf8_lossy(&sent);
    ensure!(sent.contains(&redacted(&target)), "the API never learned where the restore goes: {sent}");
    ensure!(!sent.contains("connect_timeout"), "a parameter of the target was sent: {sent}");
    let size = stage.backup.artifact.as_ref().context("an artifact")?.size_bytes;
    ensure!(
        size > 100_000 && recorder.answered() < size / 2,
        "{} bytes came from the API for an artifact of {size}",
        recorder.answered()
    );
    Ok(())
}

/// A stage whose API is recorded, and a target of which nothing but host, port, role and database may ever be sent.
struct Overheard<'a> {
    stage: Stage<'a>,
    recorder: Recorder,
    target: Database,
    dsn: String,
    machine_only: Canaries,
    file: PathBuf,
}

impl<'a> Overheard<'a> {
    fn new(context: &'a TestContext) -> Result<Self> {
        let stage = Stage::with(context, Store::Postgres, locked(50))?;
        let recorder = Recorder::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
        let target = context.database()?.sibling("postgres");
        let machine_only = Canaries::default();
        machine_only.register("the target's password", &target.password);
        let secret = |label: &str| {
            let secret = format!("canary_{}", random_hex(12));
            machine_only.register(label, &secret);
            context.canaries().register(label, &secret);
            secret
        };
        let options = percent_encode(&format!("-c search_path={}", secret("an option of the target's session")));
        let certificate = percent_encode(&format!("/nowhere/{}.pem", secret("the path of a certificate")));
        let name = secret("the name of the application");
        let dsn = format!("{}?options={options}&sslrootcert={certificate}&application_name={name}", target.dsn());
        let file = context.private().join("target.dsn");
        fs::write(&file, &dsn)?;
        Ok(Self { stage, recorder, target, dsn, machine_only, file })
    }

    /// A `walwarden --json restore` command, with the target in the environment.
    fn run(&self, words: &[&str]) -> Result<Run> {
        let url = self.recorder.url();
        let run = self.stage.setting.cli(&[&["--json", "--api-url", &url, "restore"], words].concat())?;
        Ok(run.env("WALWARDEN_TARGET_DSN", &self.dsn).env("TMPDIR", &self.stage.work))
    }

    fn execute(&self, created: &str, words: &[&str]) -> Result<Run> {
        let backup = self.stage.backup.id.to_string();
        let first = ["execute", "--backup", &backup, "--mode", "new_database", "--created-database", created];
        self.run(&[&first[..], words].concat())
    }

    /// Fails when anything of the target but its identity was sent, to the API or to the bucket.
    fn assert_only_identity_sent(&self) -> Result<()> {
        let sent = self.recorder.sent();
        let mut leaked = self.machine_only.find("what the API was sent", &sent);
        let gets = self.stage.setting.proxy()?.requests();
        ensure!(gets.iter().any(|request| request.query_value("X-Amz-Signature").is_some()), "nothing was downloaded");
        for request in &gets {
            leaked.extend(self.machine_only.find("what the bucket was sent", &request.head));
            ensure!(!String::from_utf8_lossy(&request.head).contains(&self.target.user), "the bucket learned the role");
        }
        ensure!(leaked.is_empty(), "{leaked:?}");
        let sent = String::from_utf8_lossy(&sent).into_owned();
        for parameter in ["sslrootcert", "application_name", "search_path", "target.dsn"] {
            ensure!(!sent.contains(parameter), "{parameter} was sent");
        }
        Ok(())
    }
}

fn completed(output: &Output) -> Result<()> {
    let last = output.clone().success()?.json_lines()?.pop().context("a line")?;
    ensure!(last["state"] == "completed", "{output}");
    Ok(())
}

pub(super) fn every_command(context: &TestContext) -> Result<()> {
    let overheard = Overheard::new(context)?;
    let names: Vec<String> = (0..3).map(|_| format!("r_{}", random_hex(6))).collect();
    let strangers = ["--no-owner", "--no-acl"];
    // A session for the token's command. What `create` writes holds the token, and the target as the API knows it.
    let backup = overheard.stage.backup.id.to_string();
    let create = ["create", "--backup", &backup, "--mode", "new_database", "--created-database", &names[0]];
    let output = overheard.run(&create)?.private_output(&context.private()).output()?;
    let session = data(&output)?;
    let (token, manifest): (String, String) = (field(&session, "/token")?, field(&session, "/manifestHash")?);
    context.canaries().register("a restore token", &token);
    let leaked = overheard.machine_only.find("what `restore create` wrote", &output.stdout);
    ensure!(leaked.is_empty(), "{leaked:?}");
    let legacy = ["--manifest", &manifest, "--mode", "new_database", "--created-database", &names[0]];
    let run = overheard.run(&[&legacy[..], &strangers].concat())?.env("WALWARDEN_TOKEN", &token);
    completed(&run.output()?)?;
    overheard.stage.assert_restored(&names[0])?;

    // A plan, carried out with the target in a file.
    let planned = data(&overheard.execute(&names[1], &[&strangers[..], &["--dry-run"]].concat())?.output()?)?;
    let digest: String = field(&planned, "/planDigest")?;
    let file = overheard.file.display().to_string();
    let words = [&strangers[..], &["--target-file", &file, "--plan", &digest]].concat();
    let output = overheard.execute(&names[1], &words)?.without_env("WALWARDEN_TARGET_DSN").output()?;
    ensure!(data(&output)?["outcome"]["database"] == names[1].as_str(), "{output}");
    // A failure has the most to say: the archive names an owner that this role may not act for.
    let output = overheard.execute(&names[2], &["--events", "jsonl"])?.output()?.exit(3)?;
    let result = output.json_lines()?.pop().context("a line")?;
    ensure!(result["error"]["code"] == ErrorCode::RestoreFailed.as_str(), "{output}");
    let output = overheard.execute(&names[1], &["--plan", &digest])?.output()?;
    assert_failure(&output, ErrorCode::TargetDatabaseExists)?;

    overheard.assert_only_identity_sent()?;
    let sent = String::from_utf8_lossy(&overheard.recorder.sent()).into_owned();
    ensure!(sent.matches(&redacted(&overheard.target)).count() >= 3, "each session names its target");
    overheard.stage.assert_clean()
}
