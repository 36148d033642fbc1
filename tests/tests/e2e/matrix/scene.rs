//! The installation that the commands are called in, and what their placeholders stand for.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use walwarden_tests::canary::random_hex;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::run::Call;
use super::table::{Case, Cell, RESTORE_FLAGS, Row};
use crate::setting::{Options, Setting};

/// What no record has for a number.
const NOBODY: &str = "01928c3e5f7a7c3e8d2b4a6f90c1e2d3";

/// For whom a command writes, and where it restores to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner<'a> {
    /// Without `--json`.
    pub(super) human: bool,
    /// The target, which the environment names then.
    pub(super) target: Option<&'a str>,
}

pub(super) struct Scene<'a> {
    pub(super) setting: Setting<'a>,
    context: &'a TestContext,
    backup: String,
    restore: Value,
    /// A backup job that has not ended.
    pub(super) unfinished: Option<String>,
    error_file: String,
}

impl<'a> Scene<'a> {
    /// An installation with a completed backup and an open restore session.
    pub(super) fn new(context: &'a TestContext) -> Result<Self> {
        let setting = Setting::new(context, Store::Sqlite, Options { rows: 5, ..Options::default() })?;
        let backup = setting.backup_and_wait()?.id.to_string();
        let error_file = context.directory().join("error.json");
        fs::write(&error_file, r#"{"code": "not_found"}"#)?;
        let error_file = error_file.display().to_string();
        let mut scene = Self { setting, context, backup, restore: Value::Null, unfinished: None, error_file };
        scene.restore = scene.open_session(&format!("r_{}", random_hex(4)))?;
        Ok(scene)
    }

    /// Opens a restore session, as `curl` would.
    pub(super) fn open_session(&self, created: &str) -> Result<Value> {
        let request = json!({
            "backupJobId": self.backup, "mode": "new_database", "createdDatabase": created,
            "targetRedactedDsn": "postgresql://owner@target.example:5432/postgres",
        });
        let (authorization, once) = (format!("Bearer {}", self.setting.api_key), random_hex(16));
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
        let session = self.setting.server()?.request("POST", "/api/v1/restores", &headers, Some(&request))?.json()?;
        self.context.canaries().register("a restore token", session["token"].as_str().context("a token")?);
        Ok(session)
    }

    /// A token that has started its one restore.
    pub(super) fn used_token(&self) -> Result<String> {
        let session = self.open_session("used")?;
        let token = session["token"].as_str().context("a token")?.to_owned();
        let (authorization, once) = (format!("Bearer {token}"), random_hex(16));
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
        let path = format!("/api/v1/restores/{}/trigger", session["restoreJobId"].as_str().context("an id")?);
        let body = json!({"manifestHash": session["manifestHash"], "mode": "new_database"});
        let answer = self.setting.server()?.request("POST", &path, &headers, Some(&body))?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.json()?);
        Ok(token)
    }

    /// The command line of a case, with everything that it needs in the environment; none where it cannot come to that.
    pub(super) fn call(&self, row: &'static Row, case: &Case) -> Result<Option<Call>> {
        self.call_as(row, case, Manner::default())
    }

    /// The same for another reader, or with another target.
    pub(super) fn call_as(&self, row: &'static Row, case: &Case, manner: Manner<'_>) -> Result<Option<Call>> {
        if let Cell::Never(reason) = case.ends {
            ensure!(!reason.is_empty(), "{} is not tried without a reason", row.kind);
            return Ok(None);
        }
        let created = format!("m_{}", random_hex(6));
        let target = self.setting.source.sibling("postgres");
        let json: &[&str] = if manner.human { &[] } else { &["--json"] };
        let mut run = self.setting.cli(json)?.env("PGPASSWORD", &target.password);
        if let Some(dsn) = manner.target {
            run = run.env("WALWARDEN_TARGET_DSN", dsn);
        }
        if row.kind == "restore" {
            let session = self.open_session(&created)?;
            run = run.env("WALWARDEN_TOKEN", session["token"].as_str().context("a token")?);
        }
        let flags = case.arguments.iter().flat_map(|word| match *word {
            "{restore_flags}" if manner.target.is_some() => RESTORE_FLAGS[2..].to_vec(),
            "{restore_flags}" => RESTORE_FLAGS.to_vec(),
            word => vec![word],
        });
        let dsn = format!("postgresql://{}@127.0.0.1:{}/postgres", target.user, self.context.postgres().port());
        let manifest = self.restore["manifestHash"].as_str().context("a hash")?;
        let fill = |word: &str| match word {
            "{database}" => self.setting.database_id.to_string(),
            "{destination}" => self.setting.destination_id.to_string(),
            "{backup}" => self.backup.clone(),
            "{restore}" => self.restore["restoreJobId"].as_str().unwrap_or_default().to_owned(),
            "{unfinished}" => self.unfinished.clone().unwrap_or_default(),
            "{missing_database}" => format!("db_{NOBODY}"),
            "{missing_destination}" => format!("dst_{NOBODY}"),
            "{missing_backup}" => format!("bkp_{NOBODY}"),
            "{missing_restore}" => format!("rst_{NOBODY}"),
            "{manifest}" => manifest.to_owned(),
            "{other_manifest}" => "ab".repeat(32),
            "{target}" => dsn.clone(),
            "{created}" => created.clone(),
            "{error_file}" => self.error_file.clone(),
            word => word.to_owned(),
        };
        let run = run.args(flags.map(fill).collect::<Vec<_>>());
        Ok(Some(Call::new(run, case.ends)))
    }
}
