//! Servers that are asked to stop in the middle: the job is handed back, and nothing is left behind.

use anyhow::{Result, ensure};
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::setting::{Options, Setting};

/// Asked to stop while `pg_dump` waits for a lock, and so would not notice that nobody reads it: it ends all the same.
pub(super) fn sigterm_at_lock(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    let id = setting.trigger()?;
    setting.wait_backup(id, |backup| backup.state == BackupState::Running)?;
    wait_for("pg_dump to be connected", SOON, || Ok((setting.dump_backends()? == 1).then_some(())))?;
    setting.stop()?;
    wait_for("pg_dump to be gone", SOON, || Ok((setting.dump_backends()? == 0).then_some(())))?;
    lock.release()?;
    setting.start()?;
    let backup = setting.wait_ended(id, BackupState::Completed)?;
    ensure!(backup.attempt == 1, "{backup:?}");
    setting.assert_no_leftovers()
}

/// Asked to stop in the middle of a dump, the worker hands the job back at once; the attempt does not count.
pub(super) fn sigterm_mid_dump(context: &TestContext, store: Store) -> Result<()> {
    let mut setting = Setting::new(context, store, Options::multipart())?;
    let gate = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold).nth(1));
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    setting.stop()?;
    ensure!(setting.bucket.list_multipart_uploads()?.is_empty(), "the upload was left to the next worker");
    ensure!(setting.dump_backends()? == 0, "pg_dump outlived its worker");
    let handed_back = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupQueued];
    setting.assert_audit(id, &handed_back)?;
    setting.start()?;
    let backup = setting.wait_ended(id, BackupState::Completed)?;
    ensure!(backup.attempt == 1 && backup.error.is_none(), "{backup:?}");
    let again = &super::happy::FIRST_ATTEMPT[1..];
    setting.assert_audit(id, &[&handed_back, again].concat())?;
    setting.assert_no_leftovers()
}

/// Asked to stop while the object is sealed, at whatever step: the next worker takes the sealing up, and the source is not dumped
/// again.
pub(super) fn sigterm_while_sealing(context: &TestContext) -> Result<()> {
    let steps = [
        (Matcher::complete_multipart(), Action::Hold),
        (Matcher::complete_multipart(), Action::HoldResponse),
        (Matcher::get_object(".dump"), Action::Hold),
        (Matcher::put_object(".manifest.json"), Action::Hold),
        (Matcher::put_object(".manifest.json"), Action::HoldResponse),
    ];
    let mut setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    for (matcher, action) in steps {
        let before = setting.proxy()?.count(&Matcher::create_multipart());
        let gate = setting.proxy()?.add(Rule::new(matcher, action).nth(1));
        let id = setting.trigger()?;
        gate.wait_hit(SOON)?;
        setting.stop()?;
        let handed_back = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFinalizing, K::BackupQueued];
        setting.assert_audit(id, &handed_back)?;
        setting.start()?;
        let backup = setting.wait_ended(id, BackupState::Completed)?;
        ensure!(backup.attempt == 1 && backup.error.is_none(), "{backup:?}");
        let resumed = [K::BackupClaimed, K::BackupFinalizing, K::BackupCompleted];
        setting.assert_audit(id, &[&handed_back[..], &resumed].concat())?;
        ensure!(setting.proxy()?.count(&Matcher::create_multipart()) == before + 1, "the source was dumped twice");
    }
    setting.assert_no_leftovers()
}
