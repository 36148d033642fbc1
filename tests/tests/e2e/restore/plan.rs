//! Dry runs and what they pin: nothing is opened, used or written, and a plan is carried out as it was made or not at all.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreMode;
use walwarden_tests::canary::random_hex;
use walwarden_tests::fault_proxy::{FaultProxy, Matcher};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::Database;
use walwarden_tests::process::Output;
use walwarden_tests::walwarden::Store;

use super::stage::{Stage, redacted};
use crate::setting::{assert_failure, data, field};

/// A stage whose API is listened to.
struct Watched<'a> {
    stage: Stage<'a>,
    api: FaultProxy,
}

impl<'a> Watched<'a> {
    fn new(context: &'a TestContext, store: Store) -> Result<Self> {
        let stage = Stage::new(context, store)?;
        let api = FaultProxy::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
        Ok(Self { stage, api })
    }

    /// `walwarden --json restore execute` with these words at its end.
    fn execute(&self, backup: &str, target: &Database, words: &[&str]) -> Result<Output> {
        let first = ["--json", "restore", "execute", "--backup", backup, "--target", &redacted(target)];
        self.run(&[&first[..], words].concat(), target)
    }

    fn run(&self, words: &[&str], target: &Database) -> Result<Output> {
        let run = self.stage.setting.cli(words)?.env("WALWARDEN_BASE_URL", self.api.endpoint());
        run.env("PGPASSWORD", &target.password).env("TMPDIR", &self.stage.work).output()
    }

    /// Fails when anything but reading was asked of the API since the last look.
    fn assert_only_read(&self) -> Result<()> {
        let written = self.api.requests().into_iter().filter(|request| request.method != "GET").count();
        ensure!(written == 0, "{:?}", self.api.requests());
        self.stage.assert_clean()
    }

    /// A database that holds what the source does, and one table more.
    fn copy(&self) -> Result<Database> {
        let copy = self.stage.copy_of_source()?;
        self.stage.context.postgres().psql_as_owner(&copy, "CREATE TABLE public.unrelated AS SELECT 1 AS n")?;
        Ok(copy)
    }
}

fn digest(planned: &Value) -> Result<String> {
    field(planned, "/planDigest")
}

pub(super) fn carried_out(context: &TestContext) -> Result<()> {
    let watched = Watched::new(context, Store::Sqlite)?;
    let stage = &watched.stage;
    let (target, backup) = (stage.maintenance(), stage.backup.id.to_string());
    let created = format!("r_{}", random_hex(6));
    let words = ["--mode", "new_database", "--created-database", &created, "--jobs", "3", "--no-acl", "--dry-run"];
    let first = watched.execute(&backup, &target, &words)?;
    let (planned, again) = (data(&first)?, data(&watched.execute(&backup, &target, &words)?)?);
    ensure!(digest(&planned)? == digest(&again)?, "{planned} {again}");
    ensure!(!context.postgres().database_exists(&created)?, "a dry run has created {created}");
    watched.assert_only_read()?;

    let plan = &planned["plan"];
    let artifact = stage.backup.artifact.as_ref().context("an artifact")?;
    ensure!(plan["backup"]["sizeBytes"] == artifact.size_bytes, "{plan}");
    ensure!(plan["backup"]["checksumSha256"] == artifact.checksum_sha256.as_str(), "{plan}");
    ensure!(plan["creates"]["database"] == created && plan["overwrites"].is_null(), "{plan}");
    ensure!(plan["target"]["redactedDsn"] == redacted(&target), "{plan}");
    ensure!(plan["options"]["jobs"] == 3 && plan["options"]["noAcl"] == true, "{plan}");
    let identifier = context.postgres().psql("postgres", "SELECT system_identifier FROM pg_control_system()")?;
    ensure!(plan["target"]["systemIdentifier"] == identifier, "{plan}");

    // What `next` holds can be run as it is.
    let next: Vec<String> = field(&first.json()?, "/next/0")?;
    let words: Vec<&str> = std::iter::once("--json").chain(next[1..].iter().map(String::as_str)).collect();
    let done = data(&watched.run(&words, &target)?)?;
    ensure!(done["outcome"]["database"] == created && done["outcome"]["jobs"] == 3, "{done}");
    stage.assert_restored(&created)?;
    // The database is there now, so the plan cannot be carried out twice.
    assert_failure(&watched.run(&words, &target)?, ErrorCode::TargetDatabaseExists)?;
    stage.assert_clean()
}

pub(super) fn changed(context: &TestContext) -> Result<()> {
    let watched = Watched::new(context, Store::Postgres)?;
    let (stage, postgres) = (&watched.stage, context.postgres());
    let backup = stage.backup.id.to_string();
    let other_backup = stage.setting.backup_and_wait()?.id.to_string();
    let (target, other_target) = (watched.copy()?, watched.copy()?);
    let before = postgres.table_digests(&target.name)?;
    // A dry run touches nothing, so it needs no consent; nor does it give any.
    let planned = watched.execute(&backup, &target, &["--mode", "in_place", "--dry-run"])?;
    let overwrites = data(&planned)?["plan"]["overwrites"].clone();
    ensure!(overwrites["database"] == target.name.as_str(), "{overwrites}");
    let count = |database: &str| -> Result<u64> {
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'shop')";
        Ok(postgres.psql(database, tables)?.parse()?)
    };
    let tables = count(&target.name)?;
    ensure!(overwrites["tables"] == tables && tables > 3, "{overwrites}, not {tables}");
    let next: Vec<String> = field(&planned.json()?, "/next/0")?;
    ensure!(!next.iter().any(|word| word == "--confirm-destructive"), "{next:?}");
    let warnings: Vec<String> = field(&planned.json()?, "/warnings")?;
    ensure!(warnings.iter().any(|warning| warning.contains("--confirm-destructive")), "{warnings:?}");
    let digest = digest(&data(&planned)?)?;

    let in_place = ["--mode", "in_place", "--confirm-destructive", "--plan", &digest];
    let new_database = ["--mode", "new_database", "--created-database", "never", "--plan", &digest];
    let no_owner = [&in_place[..], &["--no-owner"]].concat();
    let cases = [
        (&backup, &target, &new_database[..], "the mode"),
        (&backup, &target, &no_owner[..], "the mode"),
        (&other_backup, &target, &in_place[..], "the manifest"),
        (&backup, &other_target, &in_place[..], "the target"),
    ];
    let refused = |backup: &str, target: &Database, words: &[&str], part: &str| {
        let output = watched.execute(backup, target, words)?;
        assert_failure(&output, ErrorCode::PlanChanged)?;
        let envelope = output.json()?;
        let message = envelope["error"]["message"].as_str().context("a message")?;
        let named = ["the mode", "the manifest", "the target"].iter().filter(|part| message.contains(**part)).count();
        ensure!(message.contains(part) && named == 1, "expected {part}: {message}");
        ensure!(envelope["next"][0].as_array().context("a command")?.iter().any(|word| word == "--dry-run"));
        watched.assert_only_read()
    };
    for (backup, target, words, part) in cases {
        refused(backup, target, words, part)?;
    }
    ensure!(postgres.table_digests(&target.name)? == before, "the target changed");

    // The same name, and another database behind it.
    postgres.psql("postgres", &format!("DROP DATABASE {}", target.name))?;
    let sql = format!("CREATE DATABASE {} OWNER {} TEMPLATE template0", target.name, target.user);
    postgres.psql("postgres", &sql)?;
    refused(&backup, &target, &in_place, "the target")?;
    ensure!(count(&target.name)? == 0, "the target changed");

    // Made anew, the plan is carried out.
    let planned = data(&watched.execute(&backup, &target, &["--mode", "in_place", "--dry-run"])?)?;
    let digest: String = field(&planned, "/planDigest")?;
    let posts = watched.api.count(&Matcher::method("POST").path_ends("/restores"));
    let words = ["--mode", RestoreMode::InPlace.as_str(), "--confirm-destructive", "--plan", &digest];
    data(&watched.execute(&backup, &target, &words)?)?;
    ensure!(posts == 0 && watched.api.count(&Matcher::method("POST").path_ends("/restores")) == 1);
    stage.assert_restored(&target.name)
}

pub(super) fn parameters(context: &TestContext) -> Result<()> {
    let watched = Watched::new(context, Store::Sqlite)?;
    let (target, backup) = (watched.stage.maintenance(), watched.stage.backup.id.to_string());
    let created = format!("r_{}", random_hex(6));
    let execute = |parameters: &str, words: &[&str]| {
        let dsn = format!("{}{parameters}", redacted(&target));
        let first = ["--json", "restore", "execute", "--backup", &backup, "--target", &dsn];
        let mode = ["--mode", "new_database", "--created-database", &created];
        watched.run(&[&first[..], &mode, words].concat(), &target)
    };
    let planned = execute("?options=-c%20statement_timeout%3D0&connect_timeout=17", &["--dry-run"])?;
    let digest = digest(&data(&planned)?)?;
    let carried = format!("{}?connect_timeout=17&options=-c%20statement_timeout%3D0", redacted(&target));
    let next: Vec<String> = field(&planned.json()?, "/next/0")?;
    ensure!(next.contains(&carried), "{next:?}");
    for other in ["", "?connect_timeout=17", "?options=-c%20statement_timeout%3D600000&connect_timeout=17"] {
        assert_failure(&execute(other, &["--plan", &digest])?, ErrorCode::PlanChanged)?;
        watched.assert_only_read()?;
    }
    // What may hold a secret is not repeated, and that is said.
    let secret = format!("canary_{}", random_hex(12));
    let output = execute(&format!("?options=-c%20app.key%3D{secret}"), &["--dry-run"])?;
    let envelope = output.clone().success()?.json()?;
    let next: Vec<String> = field(&envelope, "/next/0")?;
    let warnings: Vec<String> = field(&envelope, "/warnings")?;
    ensure!(!next.contains(&"--target".to_owned()) && !output.stdout_text().contains(&secret), "{output}");
    ensure!(warnings.iter().any(|warning| warning.contains("leaves --target out")), "{warnings:?}");
    // And what is carried runs as it is.
    let next: Vec<String> = field(&planned.json()?, "/next/0")?;
    let words: Vec<&str> = std::iter::once("--json").chain(next[1..].iter().map(String::as_str)).collect();
    data(&watched.run(&words, &target)?)?;
    watched.stage.assert_restored(&created)
}

pub(super) fn name_taken(context: &TestContext) -> Result<()> {
    let watched = Watched::new(context, Store::Postgres)?;
    let (target, backup) = (watched.stage.maintenance(), watched.stage.backup.id.to_string());
    // The source's own cluster has a database of that name.
    let output = watched.execute(&backup, &target, &["--mode", "new_database", "--dry-run"])?;
    assert_failure(&output, ErrorCode::TargetDatabaseExists)?;
    watched.assert_only_read()
}
