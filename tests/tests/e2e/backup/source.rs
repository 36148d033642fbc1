//! Sources that cannot be dumped: each fails the job with its own code before or while the dump runs, and nothing is stored.

use anyhow::{Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::free_port;
use walwarden_tests::walwarden::Store;

use super::REFUSED;
use crate::setting::{Options, Setting};

pub(super) fn wrong_password(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let wrong = context.canaries().password("a wrong source password");
    setting.update_source(&setting.source.dsn_with(&wrong, setting.source.port))?;
    let backup = setting.backup_fails(ErrorCode::SourceAuthFailed)?;
    ensure!(backup.attempt == 1, "a refused password is not tried again: {backup:?}");
    setting.assert_audit(backup.id, &REFUSED[..3])?;
    let touched: Vec<_> = setting.proxy()?.requests().into_iter().filter(|it| it.path.contains("/db/")).collect();
    ensure!(touched.is_empty(), "the bucket was touched: {touched:?}");
    setting.assert_no_leftovers()
}

pub(super) fn unreachable(context: &TestContext) -> Result<()> {
    let options = Options::default().serve(&["--backup-attempts", "2", "--retry-delay-seconds", "0"]);
    let setting = Setting::new(context, Store::Sqlite, options)?;
    setting.update_source(&setting.source.dsn_with(&setting.source.password, free_port()?))?;
    let backup = setting.backup_fails(ErrorCode::SourceUnreachable)?;
    ensure!(backup.attempt == 2 && backup.max_attempts == 2, "{backup:?}");
    setting.assert_audit(backup.id, &REFUSED)?;
    setting.assert_no_leftovers()
}

pub(super) fn missing_database(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    setting.update_source(&setting.source.sibling("nobody_made_this").dsn())?;
    let backup = setting.backup_fails(ErrorCode::SourceDatabaseMissing)?;
    ensure!(backup.attempt == 1, "{backup:?}");
    setting.assert_no_leftovers()
}

pub(super) fn unreadable_table(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let sql = "CREATE TABLE not_for_the_owner (id int); REVOKE ALL ON not_for_the_owner FROM PUBLIC;";
    context.postgres().psql(&setting.source.name, sql)?;
    let backup = setting.backup_fails(ErrorCode::SourcePermissionDenied)?;
    setting.assert_audit(backup.id, &[K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFailed])?;
    setting.assert_no_leftovers()
}
