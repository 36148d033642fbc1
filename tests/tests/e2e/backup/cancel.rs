//! Backups that are called off while they run: the dump ends at once, and nothing of it is left anywhere.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{Backup, BackupState};
use walwarden_contract::{BackupJobId, ErrorCode};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Answer, Role, Store};

use crate::SOON;
use crate::setting::{Options, Setting};

/// Sooner than a worker extends its lease of a minute, and long enough for a slow machine.
const AT_ONCE: Duration = Duration::from_secs(12);
const CANCELLED_RUNNING: [K; 4] = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupCancelled];

fn post(setting: &Setting<'_>, path: &str) -> Result<Answer> {
    let authorization = format!("Bearer {}", setting.api_key);
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", "once")];
    setting.server()?.request("POST", path, &headers, None)
}

pub(super) fn cancel(setting: &Setting<'_>, id: BackupJobId) -> Result<Backup> {
    let answer = post(setting, &format!("/api/v1/backups/{id}/cancel"))?;
    ensure!(answer.status == 200, "{}: {}", answer.status, answer.json()?);
    Ok(serde_json::from_value(answer.json()?)?)
}

/// After the answer, everything that ran for the job ends within seconds: not with the lease, which lasts a minute.
fn nothing_is_left(setting: &Setting<'_>, id: BackupJobId) -> Result<()> {
    wait_for("pg_dump to be gone", AT_ONCE, || Ok((setting.dump_backends()? == 0).then_some(())))?;
    wait_for("the upload to be aborted", AT_ONCE, || {
        Ok(setting.bucket.list_multipart_uploads()?.is_empty().then_some(()))
    })?;
    ensure!(setting.backup(id)?.state == BackupState::Cancelled);
    setting.assert_audit(id, &CANCELLED_RUNNING)?;
    setting.assert_no_leftovers()
}

/// While `pg_dump` waits for a lock, and so would not notice that nobody reads it.
pub(super) fn at_lock(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    let id = setting.trigger()?;
    setting.wait_backup(id, |backup| backup.state == BackupState::Running)?;
    wait_for("pg_dump to be connected", SOON, || Ok((setting.dump_backends()? == 1).then_some(())))?;
    let cancelled = cancel(&setting, id)?;
    ensure!(cancelled.state == BackupState::Cancelled && cancelled.finished_at.is_some(), "{cancelled:?}");
    nothing_is_left(&setting, id)?;
    ensure!(cancel(&setting, id)? == cancelled, "cancelling again changed something");

    lock.release()?;
    let next = setting.backup_and_wait()?;
    let late = post(&setting, &format!("/api/v1/backups/{}/cancel", next.id))?;
    let code = late.json()?["code"].clone();
    ensure!(late.status == 409 && code == json!(ErrorCode::InvalidTransition), "{}", late.json()?);
    setting.assert_no_leftovers()
}

/// In the middle of an upload, by an API process that is not the one that works.
pub(super) fn mid_upload(context: &TestContext) -> Result<()> {
    let options = Options { role: Role::Api, ..Options::multipart() };
    let setting = Setting::new(context, Store::Postgres, options)?;
    let worker = setting.walwarden.serve_with(Role::Worker, options.serve)?;
    let gate = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold).nth(1));
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    cancel(&setting, id)?;
    nothing_is_left(&setting, id)?;
    worker.stop().map(drop)
}
