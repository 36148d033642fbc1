//! The SDK's examples, as a service would run them.

use anyhow::{Context, Result, ensure};
use walwarden_tests::canary::random_hex;
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::process::Run;
use walwarden_tests::walwarden::Store;

use crate::setting::{Options, Setting};

pub(crate) fn register(suite: Suite) -> Suite {
    suite.trial("examples_of_the_sdk_do_what_they_say", examples)
}

fn example(setting: &Setting<'_>, name: &str) -> Result<Run> {
    let run = setting.context.run_binary(&format!("examples/{name}"))?;
    Ok(run.env("WALWARDEN_BASE_URL", setting.server()?.url()).env("WALWARDEN_API_KEY", &setting.api_key))
}

fn examples(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let listed = example(&setting, "list_databases")?.output()?.success()?.stdout_text();
    let expected =
        format!("{} source: no backup yet\n1 databases\nnot_found (retryable: false)\n", setting.database_id);
    ensure!(listed == expected, "{listed}");

    let backup =
        example(&setting, "backup_with_evidence")?.env("WALWARDEN_DATABASE_ID", setting.database_id.to_string());
    let backup = backup.output()?.success()?;
    let (id, rest) = backup.stdout.split_at(36);
    let id = String::from_utf8(id.to_vec())?;
    ensure!(id == setting.last_backup()?.id.to_string() && rest.starts_with(b" manifest "), "{backup}");

    let (created, target) = (format!("r_{}", random_hex(6)), setting.source.sibling("postgres"));
    let restore = example(&setting, "restore_with_progress")?.env("WALWARDEN_BACKUP_ID", &id);
    let restore = restore.env("WALWARDEN_TARGET_DSN", target.dsn()).env("WALWARDEN_CREATED_DATABASE", &created);
    let restore = restore.output()?.success()?;
    ensure!(restore.stdout_text().contains(&format!("restored into {created}")), "{restore}");
    let digests = context.postgres().table_digests(&setting.source.name)?;
    ensure!(context.postgres().table_digests(&created)? == digests, "{created} differs from its source");
    let states = restore.stderr_text();
    let last = states.lines().last().context("progress")?;
    ensure!(states.contains("manifest_verified") && last == "finalizing", "{restore}");
    Ok(())
}
