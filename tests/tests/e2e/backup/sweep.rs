//! Unfinished uploads that nobody clears away any more: found, and given up, without harm to those that are still needed.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::runtime::block_on;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::setting::{Options, Setting};

/// Searches every second, and takes every unknown upload for abandoned.
const AT_ONCE: &[&str] = &[
    "--retry-delay-seconds",
    "0",
    "--part-memory-mib",
    "32",
    "--upload-sweep-seconds",
    "1",
    "--upload-grace-seconds",
    "0",
];
/// Searches every second, and leaves what is unknown alone for a day.
const PATIENT: &[&str] = &["--retry-delay-seconds", "0", "--part-memory-mib", "32", "--upload-sweep-seconds", "1"];
const STRANGER: &str = "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";
const SWEPT: Duration = Duration::from_secs(30);

fn begin(setting: &Setting<'_>, key: &str) -> Result<()> {
    let upload = setting.bucket.client().create_multipart_upload().bucket(setting.bucket.name()).key(key);
    block_on(upload.send()).context("cannot begin an upload").map(drop)
}

fn keys(setting: &Setting<'_>) -> Result<Vec<String>> {
    let mut keys: Vec<_> = setting.bucket.list_multipart_uploads()?.into_iter().map(|upload| upload.key).collect();
    keys.sort();
    Ok(keys)
}

fn wait_for_uploads(setting: &Setting<'_>, expected: &[&str]) -> Result<()> {
    wait_for("abandoned uploads to be given up", SWEPT, || Ok((keys(setting)? == expected).then_some(())))
}

/// What an ended job left goes at once, what is unknown once it is old, what is another's or still needed never.
pub(super) fn only_the_abandoned(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Sqlite, Options::multipart().serve(PATIENT))?;
    let ended = setting.backup_and_wait()?;
    let ended_key = ended.artifact.context("a completed backup has an artifact")?.key;
    let unknown_key = format!("org/{}/db/{}/backup/2026/01/31/{STRANGER}.dump", setting.org_id, setting.database_id);
    let another_key = format!("elsewhere/{STRANGER}.dump");
    for key in [&ended_key, &unknown_key, &another_key] {
        begin(&setting, key)?;
    }
    wait_for_uploads(&setting, &[&another_key, &unknown_key])?;

    setting.restart_with(AT_ONCE)?;
    wait_for_uploads(&setting, &[&another_key])?;

    let gate = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold).nth(1));
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    begin(&setting, &unknown_key)?;
    wait_for("the unknown upload to be given up", SWEPT, || {
        let keys = keys(&setting)?;
        ensure!(keys.iter().any(|key| key.contains(&id.to_string())), "the upload of a running backup was given up");
        Ok((!keys.contains(&unknown_key)).then_some(()))
    })?;
    gate.release();
    setting.wait_ended(id, BackupState::Completed)?;

    let events = setting.audit_chain(&setting.org_id.to_string())?;
    let swept: Vec<_> = events.iter().filter(|it| it.kind == EventKind::DestinationUploadsAborted).collect();
    ensure!(swept.len() == 3, "{swept:?}");
    ensure!(swept[0].payload["uploads"] == 1 && swept[0].payload["keys"][0] == ended_key.as_str(), "{swept:?}");
    Ok(())
}

/// What was given up is on record, although the bucket then refused: the deed cannot be done again, so it would never be told.
pub(super) fn recorded_despite_a_refusal(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Sqlite, Options::multipart().serve(PATIENT))?;
    let ended = setting.backup_and_wait()?;
    let key = ended.artifact.context("a completed backup has an artifact")?.key;
    setting.stop()?;
    let refused = setting.proxy()?.add(
        Rule::new(Matcher::abort_multipart(), Action::Respond { status: 403, code: "AccessDenied".into() }).nth(2),
    );
    begin(&setting, &key)?;
    begin(&setting, &key)?;
    setting.start_with(PATIENT)?;
    refused.wait_hit(SOON)?;
    wait_for_uploads(&setting, &[])?;
    let given_up = wait_for("both to be on record", SWEPT, || {
        let events = setting.audit_chain(&setting.org_id.to_string())?;
        let told = events.iter().filter(|it| it.kind == EventKind::DestinationUploadsAborted);
        let uploads: Vec<_> = told.filter_map(|it| it.payload["uploads"].as_u64()).collect();
        Ok((uploads.iter().sum::<u64>() >= 2).then_some(uploads))
    })?;
    ensure!(given_up.iter().sum::<u64>() == 2, "{given_up:?}");
    Ok(())
}

/// The store is put back to before a backup whose worker died: nobody knows of its upload, and it goes all the same.
pub(super) fn after_an_older_store(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Sqlite, Options::multipart().serve(PATIENT))?;
    setting.stop()?;
    let store = setting.walwarden.data().join("walwarden.sqlite");
    let copy = setting.walwarden.data().join("older.sqlite");
    fs::copy(&store, &copy)?;
    setting.start()?;
    let gate = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold).nth(1));
    setting.trigger()?;
    gate.wait_hit(SOON)?;
    setting.kill9()?;
    for aside in ["walwarden.sqlite-wal", "walwarden.sqlite-shm"] {
        let _ = fs::remove_file(setting.walwarden.data().join(aside));
    }
    fs::rename(&copy, &store)?;
    ensure!(keys(&setting)?.len() == 1, "an upload was left");
    setting.start_with(AT_ONCE)?;
    wait_for_uploads(&setting, &[])?;
    setting.backup_and_wait()?;
    setting.assert_no_leftovers()
}
