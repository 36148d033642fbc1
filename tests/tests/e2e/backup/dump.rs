//! Dumps that end early: whatever `pg_dump` had written by then never becomes an object.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use anyhow::{Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::Matcher;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::FAILED_RUNNING;
use crate::setting::{Options, Setting};

/// A directory with a `pg_dump` whose dumps end as `pipeline` says, where `"$real"` is the real one. Everything else is real.
fn tampered_tools(context: &TestContext, pipeline: &str) -> Result<String> {
    let (real, directory) = (context.postgres().bin(), context.directory().join("tools"));
    fs::create_dir_all(&directory)?;
    symlink(real.join("psql"), directory.join("psql"))?;
    let script = format!(
        "#!/bin/sh\nreal='{}'\ncase \"$*\" in *--format=custom*--dbname=*) {pipeline};; *) exec \"$real\" \"$@\";; esac\n",
        real.join("pg_dump").display()
    );
    let program = directory.join("pg_dump");
    fs::write(&program, script)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(directory.display().to_string())
}

fn fails_with_tools(context: &TestContext, pipeline: &str, code: ErrorCode) -> Result<()> {
    let tools = tampered_tools(context, pipeline)?;
    let mut setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    setting.restart_with(&["--pg-bin-dir", &tools, "--backup-attempts", "1"])?;
    let backup = setting.backup_fails(code)?;
    setting.assert_audit(backup.id, &FAILED_RUNNING)?;
    ensure!(setting.proxy()?.count(&Matcher::complete_multipart()) == 0, "the upload was to be completed");
    setting.assert_no_leftovers()
}

/// The last bytes are missing and `pg_dump` says that all is well.
pub(super) fn truncated(context: &TestContext) -> Result<()> {
    fails_with_tools(context, r#""$real" "$@" | head -c -5"#, ErrorCode::ArchiveIncomplete)
}

/// Something follows the archive.
pub(super) fn trailing(context: &TestContext) -> Result<()> {
    fails_with_tools(context, r#""$real" "$@" && printf 'more'"#, ErrorCode::ArchiveIncomplete)
}

/// The archive is whole and `pg_dump` says that it failed.
pub(super) fn whole_but_failed(context: &TestContext) -> Result<()> {
    fails_with_tools(context, r#""$real" "$@"; exit 1"#, ErrorCode::DumpFailed)
}

/// Nothing at all, and `pg_dump` says that all is well.
pub(super) fn empty(context: &TestContext) -> Result<()> {
    fails_with_tools(context, "exit 0", ErrorCode::ArchiveIncomplete)
}

pub(super) fn tool_missing(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let empty = context.directory().join("no-tools");
    fs::create_dir_all(&empty)?;
    setting.restart_with(&["--pg-bin-dir", path(&empty)?])?;
    let backup = setting.backup_fails(ErrorCode::ToolMissing)?;
    ensure!(backup.attempt == 1 && backup.state == BackupState::FailedTerminal, "{backup:?}");
    setting.assert_audit(backup.id, &[K::BackupQueued, K::BackupClaimed, K::BackupFailed])?;
    setting.assert_no_leftovers()
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| anyhow::anyhow!("{} is not UTF-8", path.display()))
}
