//! Destinations that refuse: each fails the job with its own code, and nothing is left in the bucket.

use anyhow::{Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::free_port;
use walwarden_tests::walwarden::Store;

use super::FAILED_RUNNING;
use crate::setting::{Options, Setting};

fn fails(setting: &Setting<'_>, code: ErrorCode) -> Result<()> {
    let backup = setting.backup_fails(code)?;
    ensure!(backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FAILED_RUNNING)?;
    setting.assert_no_leftovers()
}

pub(super) fn missing_bucket(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    setting.update_destination(&["--bucket", "nobody-made-this-bucket"], &[])?;
    fails(&setting, ErrorCode::DestinationBucketMissing)
}

pub(super) fn wrong_key(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let wrong = context.canaries().secret_key("a wrong secret key");
    setting.update_destination(&[], &[("WALWARDEN_SECRET_ACCESS_KEY", &wrong)])?;
    fails(&setting, ErrorCode::DestinationAccessDenied)
}

pub(super) fn bucket_without_lock(context: &TestContext) -> Result<()> {
    let options = Options { object_lock: false, ..Options::default() };
    fails(&Setting::new(context, Store::Sqlite, options)?, ErrorCode::DestinationLockRefused)
}

pub(super) fn unreachable(context: &TestContext) -> Result<()> {
    let options = Options::default().serve(&["--backup-attempts", "1"]);
    let setting = Setting::new(context, Store::Sqlite, options)?;
    let endpoint = format!("http://127.0.0.1:{}", free_port()?);
    setting.update_destination(&["--endpoint", &endpoint], &[])?;
    fails(&setting, ErrorCode::DestinationUnreachable)
}
