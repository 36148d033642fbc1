//! Faults of the bucket, and of the way there.

use std::time::Duration;

use anyhow::{Result, ensure};
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::cell::{Cell, Flags, ONE_ATTEMPT, PATIENT};
use crate::setting::{Options, Setting};

/// How often one request is tried within an attempt.
const REQUEST_ATTEMPTS: usize = 4;

pub(super) fn answers(status: u16, code: &str) -> Action {
    Action::Respond { status, code: code.to_owned() }
}

/// Every kind of request fails once.
pub(super) fn each_fails_once<'a>(
    context: &'a TestContext,
    store: Store,
    flags: Flags,
    action: &Action,
) -> Result<Cell<'a>> {
    let rules = [
        Matcher::create_multipart(),
        Matcher::upload_part(Some(1)),
        Matcher::upload_part(Some(2)),
        Matcher::complete_multipart(),
        Matcher::get_object(".dump"),
        Matcher::put_object(".manifest.json"),
    ];
    let rules = rules.map(|matcher| Rule::new(matcher, action.clone()).nth(1));
    Cell::with_rules(context, store, Cell::TWO_PARTS.serve(flags), rules)
}

/// The second part is never taken.
pub(super) fn part_fails(context: &TestContext, store: Store, action: Action) -> Result<Cell<'_>> {
    let rule = Rule::new(Matcher::upload_part(Some(2)), action);
    Cell::with_rules(context, store, Cell::TWO_PARTS.serve(ONE_ATTEMPT), [rule])
}

/// The connection is reset before, in the middle of and after parts, as often as can be ridden out within one attempt.
pub(super) fn parts_reset(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let actions = [(1, Action::DropInBody(1_000_000)), (2, Action::DropAfterForward), (3, Action::DropBeforeForward)];
    let rules =
        actions.map(|(part, action)| Rule::new(Matcher::upload_part(Some(part)), action).times(REQUEST_ATTEMPTS - 1));
    Cell::with_rules(context, store, Options::multipart().serve(ONE_ATTEMPT), rules)
}

/// A part takes longer than a lease lasts: the lease is kept alive meanwhile, and the attempt is not taken for dead.
pub(super) fn slow_part(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let flags = &["--lease-seconds", "4", "--backup-attempts", "1", "--part-memory-mib", "32"];
    let rule = Rule::new(Matcher::upload_part(Some(2)), Action::Delay(Duration::from_secs(6))).nth(1);
    Cell::with_rules(context, store, Cell::TWO_PARTS.serve(flags), [rule])
}

/// The object is there each time, and nobody says so.
pub(super) fn completion_unacknowledged(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let rule = Rule::new(Matcher::complete_multipart(), Action::DropAfterForward);
    Cell::with_rules(context, store, Options::proxied().serve(ONE_ATTEMPT), [rule])
}

/// The manifest is there each time, and nobody says so.
pub(super) fn manifest_unacknowledged(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let rule = Rule::new(Matcher::put_object(".manifest.json"), Action::DropAfterForward);
    Cell::with_rules(context, store, Options::proxied().serve(ONE_ATTEMPT), [rule])
}

/// Completion answers 200 with an error inside: a whole attempt long, or always.
pub(super) fn completion_answers_error(context: &TestContext, store: Store, always: bool) -> Result<Cell<'_>> {
    let rule = Rule::new(Matcher::complete_multipart(), answers(200, "InternalError"));
    let (rule, flags) = if always { (rule, ONE_ATTEMPT) } else { (rule.times(REQUEST_ATTEMPTS), PATIENT) };
    let cell = Cell::with_rules(context, store, Options::proxied().serve(flags), [rule])?;
    if !always {
        cell.setting.wait_ended(cell.id, BackupState::Completed)?;
        let dumps = cell.setting.proxy()?.count(&Matcher::create_multipart());
        ensure!(dumps == 1, "the source was dumped {dumps} times, though the first dump was whole");
    }
    Ok(cell)
}

/// The bucket returns other bytes than it was sent.
pub(super) fn wrong_bytes(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let rule = Rule::new(Matcher::get_object(".dump"), Action::CorruptResponse(7_654_321));
    Cell::with_rules(context, store, Cell::TWO_PARTS.serve(PATIENT), [rule])
}

/// Somebody deletes the bucket in the middle of the upload. Nothing in it is locked: that would keep it.
pub(super) fn bucket_deleted(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let options = Options { object_lock: false, lock_mode: "none", ..Cell::TWO_PARTS.serve(PATIENT) };
    let setting = Setting::new(context, store, options)?;
    let (cell, gate) = Cell::held(setting)?;
    cell.setting.bucket.delete_bucket()?;
    // This server believes for a while that a bucket is there which is not, and makes it again with the next upload.
    cell.setting.proxy()?.add(Rule::new(Matcher::create_multipart(), answers(404, "NoSuchBucket")));
    gate.release();
    let backup = cell.setting.wait_ended(cell.id, BackupState::FailedTerminal)?;
    ensure!(backup.attempt < 10, "it was tried to the last: {backup:?}");
    // So that the judge finds a bucket to look into.
    cell.setting.bucket.create_again()?;
    Ok(cell)
}

/// The bucket cannot lock any more, and the destination asks for it.
pub(super) fn lock_refused(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let rule = Rule::new(Matcher::create_multipart(), answers(404, "ObjectLockConfigurationNotFoundError"));
    Cell::with_rules(context, store, Options::proxied().serve(PATIENT), [rule])
}

/// The lock that is read back is not there.
pub(super) fn lock_not_kept(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let asked = Matcher::method("GET").query("retention");
    let rule = Rule::new(asked, answers(404, "NoSuchObjectLockConfiguration"));
    Cell::with_rules(context, store, Options::proxied().serve(PATIENT), [rule])
}
