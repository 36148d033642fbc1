//! Buckets that fail in the middle: parts refused or lost, completion unclear, bytes that come back different.

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::happy::FIRST_ATTEMPT;
use super::{FAILED_FINALIZING, FAILED_RUNNING, ONE_ATTEMPT, RESUMED};
use crate::setting::{Options, Setting};

/// How often one request is tried before the attempt at a backup fails.
const REQUEST_ATTEMPTS: usize = 4;

fn injected(status: u16, code: &str) -> Action {
    Action::Respond { status, code: code.to_owned() }
}

/// The second part never arrives: the attempt fails, its upload is aborted, and `pg_dump` does not outlive it.
fn part_fails(context: &TestContext, action: Action, code: ErrorCode) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::multipart().serve(ONE_ATTEMPT))?;
    let refused = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), action));
    let backup = setting.backup_fails(code)?;
    ensure!(refused.hits() == REQUEST_ATTEMPTS, "part 2 was sent {} times", refused.hits());
    setting.assert_audit(backup.id, &FAILED_RUNNING)?;
    ensure!(setting.proxy()?.count(&Matcher::abort_multipart()) > 0, "the upload was not aborted");
    setting.assert_no_leftovers()
}

pub(super) fn part_answers_500(context: &TestContext) -> Result<()> {
    part_fails(context, injected(500, "InternalError"), ErrorCode::UploadFailed)
}

pub(super) fn part_is_throttled(context: &TestContext) -> Result<()> {
    part_fails(context, injected(503, "SlowDown"), ErrorCode::DestinationThrottled)
}

pub(super) fn part_is_dropped(context: &TestContext) -> Result<()> {
    part_fails(context, Action::DropInBody(100_000), ErrorCode::DestinationUnreachable)
}

/// Faults that pass are ridden out within the attempt.
pub(super) fn passing_faults(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::multipart())?;
    let proxy = setting.proxy()?;
    let faults = [
        proxy.add(Rule::new(Matcher::create_multipart(), injected(503, "SlowDown")).nth(1)),
        proxy.add(Rule::new(Matcher::upload_part(Some(1)), Action::DropInBody(1_000_000)).nth(1)),
        proxy.add(Rule::new(Matcher::upload_part(Some(2)), Action::DropAfterForward).nth(1)),
        proxy.add(Rule::new(Matcher::complete_multipart(), injected(200, "InternalError")).nth(1)),
    ];
    let backup = setting.backup_and_wait()?;
    ensure!(backup.attempt == 1, "{backup:?}");
    ensure!(faults.iter().all(|fault| fault.hits() == 1), "{faults:?}");
    setting.assert_audit(backup.id, &FIRST_ATTEMPT)?;
    setting.assert_no_leftovers()
}

/// The object is there, only nobody said so: it is looked for, found, and not made twice.
pub(super) fn lost_acknowledgement(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let lost = setting.proxy()?.add(Rule::new(Matcher::complete_multipart(), Action::DropAfterForward));
    let backup = setting.backup_and_wait()?;
    ensure!(lost.hits() > 0 && backup.attempt == 1, "{backup:?}");
    let key = &backup.artifact.as_ref().context("completed")?.key;
    ensure!(setting.bucket.versions(key)?.len() == 1, "the object was made twice");
    setting.assert_audit(backup.id, &FIRST_ATTEMPT)?;
    setting.assert_no_leftovers()
}

/// The same for the manifest.
pub(super) fn lost_manifest_acknowledgement(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let lost = setting.proxy()?.add(Rule::new(Matcher::put_object(".manifest.json"), Action::DropAfterForward));
    let backup = setting.backup_and_wait()?;
    ensure!(lost.hits() > 0 && backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FIRST_ATTEMPT)?;
    setting.assert_no_leftovers()
}

/// A completion that answers 200 with an error inside is no completion.
pub(super) fn error_in_200(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied().serve(ONE_ATTEMPT))?;
    let refused = setting.proxy()?.add(Rule::new(Matcher::complete_multipart(), injected(200, "InternalError")));
    let backup = setting.backup_fails(ErrorCode::UploadFailed)?;
    ensure!(refused.hits() > 0, "the upload was never to be completed");
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    setting.assert_no_leftovers()
}

/// A dump that is whole and closed is not made again when only its completion failed.
pub(super) fn completion_resumes(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options::proxied())?;
    let proxy = setting.proxy()?;
    proxy.add(Rule::new(Matcher::complete_multipart(), injected(500, "InternalError")).times(REQUEST_ATTEMPTS));
    let backup = setting.backup_and_wait()?;
    ensure!(backup.attempt == 2, "{backup:?}");
    ensure!(proxy.count(&Matcher::create_multipart()) == 1, "the dump was made twice");
    setting.assert_audit(backup.id, &RESUMED)?;
    setting.assert_no_leftovers()
}

/// The bucket returns other bytes than it was sent: the backup is not proven, so it has no manifest and never completes.
pub(super) fn corrupted_read_back(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::multipart())?;
    let spoilt = setting.proxy()?.add(Rule::new(Matcher::get_object(".dump"), Action::CorruptResponse(7_654_321)));
    let backup = setting.backup_fails(ErrorCode::ArtifactMismatch)?;
    ensure!(spoilt.hits() > 0 && backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    let evidence = setting.json(&["evidence", "get", &backup.id.to_string()])?;
    crate::setting::assert_failure(&evidence, ErrorCode::NotFound)?;
    no_manifest(&setting)
}

/// The manifest comes back different: nothing proves that there is one.
pub(super) fn corrupted_manifest(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    // The answer that there is none yet is shorter, and passes unchanged.
    let manifest = Matcher::get_object(".manifest.json");
    let spoilt = setting.proxy()?.add(Rule::new(manifest, Action::CorruptResponse(700)));
    let backup = setting.backup_fails(ErrorCode::ArtifactMismatch)?;
    ensure!(spoilt.hits() > 0 && backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    setting.assert_quiet()
}

/// Half of the object comes back.
pub(super) fn truncated_read_back(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied().serve(ONE_ATTEMPT))?;
    setting.proxy()?.add(Rule::new(Matcher::get_object(".dump"), Action::TruncateResponse(5000)));
    let backup = setting.backup_fails(ErrorCode::DestinationUnreachable)?;
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    no_manifest(&setting)
}

/// What stands under the artifact's key is whole, as invariant 1 asks; without a manifest nobody takes it for a backup.
fn no_manifest(setting: &Setting<'_>) -> Result<()> {
    let keys = setting.keys()?;
    ensure!(keys.len() == 1 && keys[0].strip_suffix(".dump").is_some(), "{keys:?}");
    setting.assert_quiet()
}

/// Somebody else's object under the artifact's key is neither overwritten nor taken for the artifact.
pub(super) fn occupied_key(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let gate = setting.proxy()?.add(Rule::new(Matcher::complete_multipart(), Action::Hold).nth(1));
    let (id, command) = setting.trigger_waiting()?;
    let held = gate.wait_hit(crate::SOON)?;
    let key = held.path.split_once(setting.bucket.name()).context("a path names the bucket")?.1;
    let key = key.trim_start_matches('/').to_owned();
    setting.bucket.put(&key, b"somebody else's".to_vec())?;
    gate.release();
    setting.assert_backup_failed(&command.wait(crate::SOON)?, ErrorCode::ArtifactKeyOccupied)?;
    let backup = setting.wait_ended(id, BackupState::FailedTerminal)?;
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    ensure!(
        setting.bucket.get(&key, None)? == b"somebody else's" && setting.bucket.versions(&key)?.len() == 1,
        "the object that was there is gone"
    );
    setting.assert_quiet()
}
