//! Servers that die or stop in the middle: the job is taken over, completes once, and nothing is left behind.

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{Backup, BackupState};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use super::{FAILED_RUNNING, RECOVERED, RESUMED};
use crate::SOON;
use crate::setting::{Options, Setting, manifest_key};

/// Flags of a server that is soon taken for dead. The one after it keeps the default, so that a slow machine is no dead worker.
const SHORT_LEASE: &[&str] = &["--lease-seconds", "3", "--retry-delay-seconds", "0", "--part-memory-mib", "32"];
const LONG_LEASE: &[&str] = &["--retry-delay-seconds", "0", "--part-memory-mib", "32"];

/// Kills the server as soon as it sends this request (or, with `HoldResponse`, the bucket has done it), and starts another.
fn kill_at(setting: &mut Setting<'_>, matcher: Matcher, action: Action) -> Result<Backup> {
    let gate = setting.proxy()?.add(Rule::new(matcher, action).nth(1));
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    setting.kill9()?;
    setting.start_with(LONG_LEASE)?;
    setting.wait_backup(id, |backup| backup.state.is(BackupState::is_terminal))
}

fn completed_once(setting: &Setting<'_>, backup: &Backup, expected: &[K]) -> Result<()> {
    ensure!(backup.state == BackupState::Completed && backup.attempt == 2, "{backup:?}");
    setting.assert_audit(backup.id, expected)?;
    let key = &backup.artifact.as_ref().context("a completed backup has an artifact")?.key;
    for key in [key, &manifest_key(key)] {
        let versions = setting.bucket.versions(key)?;
        ensure!(versions.len() == 1, "{key} was written {} times", versions.len());
    }
    setting.assert_no_leftovers()
}

/// In the middle of the upload: the dump is made again under the same key, and the first upload is aborted.
pub(super) fn kill9_mid_upload(context: &TestContext, store: Store) -> Result<()> {
    let mut setting = Setting::new(context, store, Options::multipart().serve(SHORT_LEASE))?;
    let backup = kill_at(&mut setting, Matcher::upload_part(Some(2)), Action::Hold)?;
    let chain = setting.audit_chain(&backup.id.to_string())?;
    ensure!(chain[3].kind == K::BackupFailed && chain[3].payload["errorCode"] == "worker_lost", "{:?}", chain[3]);
    completed_once(&setting, &backup, &RECOVERED)
}

/// In the middle of the last attempt: the job ends, and its upload is aborted all the same.
pub(super) fn kill9_in_last_attempt(context: &TestContext) -> Result<()> {
    let flags = &["--lease-seconds", "3", "--backup-attempts", "1", "--part-memory-mib", "32"];
    let mut setting = Setting::new(context, Store::Sqlite, Options::multipart().serve(flags))?;
    let backup = kill_at(&mut setting, Matcher::upload_part(Some(2)), Action::Hold)?;
    ensure!(
        backup.state == BackupState::FailedTerminal
            && backup.error.as_ref().is_some_and(|error| error.code == ErrorCode::WorkerLost),
        "{backup:?}"
    );
    setting.assert_audit(backup.id, &FAILED_RUNNING)?;
    setting.assert_no_leftovers()
}

/// After the dump was closed: what is there is taken up, and the source is not dumped again.
fn kill9_while_sealing(context: &TestContext, store: Store, matcher: Matcher, action: Action) -> Result<()> {
    let mut setting = Setting::new(context, store, Options::proxied().serve(SHORT_LEASE))?;
    let backup = kill_at(&mut setting, matcher, action)?;
    ensure!(setting.proxy()?.count(&Matcher::create_multipart()) == 1, "the source was dumped twice");
    completed_once(&setting, &backup, &RESUMED)
}

pub(super) fn kill9_before_completion(context: &TestContext) -> Result<()> {
    kill9_while_sealing(context, Store::Sqlite, Matcher::complete_multipart(), Action::Hold)
}

pub(super) fn kill9_after_completion(context: &TestContext) -> Result<()> {
    kill9_while_sealing(context, Store::Sqlite, Matcher::complete_multipart(), Action::HoldResponse)
}

pub(super) fn kill9_during_read_back(context: &TestContext) -> Result<()> {
    kill9_while_sealing(context, Store::Sqlite, Matcher::get_object(".dump"), Action::Hold)
}

pub(super) fn kill9_before_manifest(context: &TestContext, store: Store) -> Result<()> {
    kill9_while_sealing(context, store, Matcher::put_object(".manifest.json"), Action::Hold)
}

pub(super) fn kill9_after_manifest(context: &TestContext) -> Result<()> {
    let manifest = Matcher::put_object(".manifest.json");
    kill9_while_sealing(context, Store::Sqlite, manifest, Action::HoldResponse)
}

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
