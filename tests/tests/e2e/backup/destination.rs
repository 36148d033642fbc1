//! Destinations that refuse: one that is known to is given no backups, one that turns out to fails the job with its own code, and
//! nothing is left in the bucket.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::BackupState;
use walwarden_tests::canary::random_hex;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Role, Store};

use super::FAILED_RUNNING;
use crate::SOON;
use crate::setting::{Options, Setting, assert_failure};

/// The destination was verified, and refuses when a backup comes.
fn refuses(context: &TestContext, action: Action, code: ErrorCode) -> Result<()> {
    let options = Options::proxied().serve(&["--backup-attempts", "1"]);
    let setting = Setting::new(context, Store::Sqlite, options)?;
    setting.proxy()?.add(Rule::new(Matcher::create_multipart(), action));
    let backup = setting.backup_fails(code)?;
    ensure!(backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FAILED_RUNNING)?;
    setting.assert_no_leftovers()
}

fn answer(status: u16, code: &str) -> Action {
    Action::Respond { status, code: code.to_owned() }
}

pub(super) fn missing_bucket(context: &TestContext) -> Result<()> {
    refuses(context, answer(404, "NoSuchBucket"), ErrorCode::DestinationBucketMissing)
}

pub(super) fn wrong_key(context: &TestContext) -> Result<()> {
    refuses(context, answer(403, "InvalidAccessKeyId"), ErrorCode::DestinationAccessDenied)
}

pub(super) fn unreachable(context: &TestContext) -> Result<()> {
    refuses(context, Action::DropBeforeForward, ErrorCode::DestinationUnreachable)
}

/// Changes the destination's bucket; the command must fail with this code, and keep the change.
fn breaks(setting: &Setting<'_>, flags: &[&str], code: ErrorCode) -> Result<()> {
    let id = setting.destination_id.to_string();
    let words = [&["destination", "update", id.as_str()], flags].concat();
    let envelope = setting.walwarden.admin_run(&words, &[])?.output()?.exit(code.exit().code().into())?.json()?;
    ensure!(envelope["error"]["code"] == code.as_str() && envelope["data"]["state"] == "failed", "{envelope}");
    Ok(())
}

/// Nothing is queued for a destination that is known to refuse, and everything is as before once it is put right.
pub(super) fn not_verified(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let missing = ["--bucket", "nobody-made-this-bucket"];
    breaks(&setting, &missing, ErrorCode::DestinationBucketMissing)?;
    let database = setting.database_id.to_string();
    let refused = setting.json(&["backup", "trigger", "--database", &database])?;
    assert_failure(&refused, ErrorCode::DestinationNotReady)?;
    let message = refused.json()?["error"]["message"].as_str().context("a message")?.to_owned();
    ensure!(message.contains("bucket (destination_bucket_missing)"), "{message}");
    ensure!(message.contains(&format!("admin destination preflight {}", setting.destination_id)), "{message}");
    ensure!(setting.last_backup().is_err(), "a backup was queued");

    setting.update_destination(&["--bucket", setting.bucket.name()], &[])?;
    setting.backup_and_wait()?;
    let kinds = setting.audit_kinds(setting.org_id)?;
    let of_preflight = |kind: &K| matches!(kind, K::DestinationVerified | K::DestinationPreflightFailed);
    let kinds: Vec<_> = kinds.into_iter().filter(of_preflight).collect();
    let expected = [K::DestinationVerified, K::DestinationPreflightFailed, K::DestinationVerified];
    ensure!(kinds == expected, "{kinds:?}");
    setting.assert_no_leftovers()
}

/// A job that was queued before its destination failed ends before anything is written.
pub(super) fn failed_meanwhile(context: &TestContext, store: Store) -> Result<()> {
    let setting = Setting::new(context, store, Options { role: Role::Api, ..Options::default() })?;
    let job = setting.trigger()?;
    breaks(&setting, &["--bucket", "nobody-made-this-bucket"], ErrorCode::DestinationBucketMissing)?;
    let worker = setting.walwarden.serve(Role::Worker)?;
    let backup = setting.wait_ended(job, BackupState::FailedTerminal)?;
    ensure!(backup.error.as_ref().is_some_and(|error| error.code == ErrorCode::DestinationNotReady), "{backup:?}");
    setting.assert_audit(job, &[K::BackupQueued, K::BackupClaimed, K::BackupFailed])?;
    worker.stop()?;
    setting.assert_no_leftovers()
}

/// Nobody runs a command for it: a worker looks at what came over the API.
pub(super) fn verified_by_a_worker(context: &TestContext, store: Store) -> Result<()> {
    let setting = Setting::new(context, store, Options::default())?;
    let request = json!({
        "name": "added",
        "provider": "minio",
        "endpoint": context.s3().endpoint(),
        "bucket": setting.bucket.name(),
        "lockMode": "governance",
        "retentionFloorDays": 1,
        "accessKeyId": context.s3().writer_access_key(),
        "secretAccessKey": context.s3().writer_secret_key(),
    });
    let authorization = format!("Bearer {}", setting.api_key);
    let once = random_hex(16);
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
    let added = setting.server()?.request("POST", "/api/v1/destinations", &headers, Some(&request))?;
    ensure!(added.status == 201 && added.json()?["state"] == "unverified", "{}", added.json()?);
    let path = format!("/api/v1/destinations/{}", added.json()?["id"].as_str().context("an id")?);
    wait_for("a worker to look at the destination", SOON, || {
        let shown = setting.get(&path)?;
        ensure!(shown["state"] == "verified" && shown["verifiedAt"].is_string(), "{shown}");
        Ok(Some(()))
    })
}
