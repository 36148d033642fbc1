//! Preflight against a real bucket: what it says must be what a backup then meets.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use crate::setting::{Options, Setting};

fn preflight(setting: &Setting<'_>, code: Option<ErrorCode>) -> Result<Value> {
    let id = setting.destination_id.to_string();
    let output = setting.walwarden.admin_run(&["destination", "preflight", &id], &[])?.output()?;
    let expected = code.map_or(0, |code| code.exit().code().into());
    let envelope = output.exit(expected)?.json()?;
    ensure!(envelope["ok"] == code.is_none(), "{envelope}");
    ensure!(envelope["error"]["code"].as_str() == code.map(ErrorCode::as_str), "{envelope}");
    Ok(envelope["data"].clone())
}

fn status<'a>(report: &'a Value, check: &str) -> Result<&'a str> {
    let checks = report["checks"].as_array().context("a report has checks")?;
    let found = checks.iter().find(|found| found["id"] == check).with_context(|| format!("no {check}: {report}"))?;
    found["status"].as_str().with_context(|| format!("no status: {report}"))
}

/// The bucket locks: every check passes, and what is left of each look is one probe under a lock of a minute.
pub(super) fn passes_where_backups_do(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let report = preflight(&setting, None)?;
    for check in [
        "bucket",
        "put_object",
        "get_object",
        "head_object",
        "object_lock_configuration",
        "object_lock",
        "versioning",
        "public_access_block",
        "multipart_upload",
    ] {
        ensure!(status(&report, check)? == "passed", "{report}");
    }
    ensure!(matches!(status(&report, "cleanup")?, "passed" | "not_verifiable"), "{report}");
    let left = setting.bucket.list_objects(&format!("org/{}/preflight/", setting.org_id))?;
    let locked = left.iter().filter(|object| object.key.ends_with(".locked")).count();
    ensure!(locked == 2 && setting.bucket.list_multipart_uploads()?.is_empty(), "{left:?}");
    if status(&report, "cleanup")? == "passed" {
        ensure!(left.len() == 2, "{left:?}");
    }
    setting.backup_and_wait().map(drop)
}

/// The bucket cannot lock, or is not there, or the key is wrong: the check that a backup would fail at says so.
pub(super) fn fails_where_backups_do(context: &TestContext) -> Result<()> {
    let setting =
        Setting::new(context, Store::Sqlite, Options { object_lock: false, preflight: false, ..Options::default() })?;
    let report = preflight(&setting, Some(ErrorCode::DestinationLockRefused))?;
    ensure!(status(&report, "put_object")? == "passed" && status(&report, "object_lock")? == "failed", "{report}");
    setting.update_destination(&["--skip-preflight", "--bucket", "nobody-made-this-bucket"], &[])?;
    let report = preflight(&setting, Some(ErrorCode::DestinationBucketMissing))?;
    ensure!(status(&report, "bucket")? == "failed" && status(&report, "cleanup")? == "skipped", "{report}");
    let wrong = context.canaries().secret_key("a wrong secret key");
    let key = context.s3().writer_access_key();
    let back = ["--skip-preflight", "--bucket", setting.bucket.name(), "--access-key-id", key];
    setting.update_destination(&back, &[("WALWARDEN_SECRET_ACCESS_KEY", &wrong)])?;
    preflight(&setting, Some(ErrorCode::DestinationAccessDenied)).map(drop)
}
