//! Triggering: one backup of a database at a time, and the same request is harmless to repeat.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::BackupState;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::{Answer, Store};

use super::happy::FIRST_ATTEMPT;
use crate::setting::{Options, Setting, assert_failure, data, field};

fn post(setting: &Setting<'_>, key: Option<&str>, body: &Value) -> Result<Answer> {
    let authorization = format!("Bearer {}", setting.api_key);
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let path = format!("/api/v1/databases/{}/backups", setting.database_id);
    setting.server()?.request("POST", &path, &headers, Some(body))
}

fn count_backups(setting: &Setting<'_>) -> Result<usize> {
    let list = setting.get(&format!("/api/v1/databases/{}/backups", setting.database_id))?;
    Ok(field::<Vec<Value>>(&list, "/backups")?.len())
}

fn assert_problem(answer: &Answer, code: ErrorCode) -> Result<()> {
    let body = answer.json()?;
    ensure!(
        answer.status == code.http_status()
            && answer.header("content-type") == Some("application/problem+json")
            && body["code"] == code.as_str()
            && body["status"] == code.http_status(),
        "expected {code}: {answer:?}"
    );
    Ok(())
}

pub(super) fn one_at_a_time(context: &TestContext, store: Store) -> Result<()> {
    let setting = Setting::new(context, store, Options::default())?;
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    let id = setting.trigger()?;
    setting.wait_backup(id, |backup| backup.state == BackupState::Running)?;
    assert_failure(&setting.trigger_wait()?, ErrorCode::BackupInProgress)?;
    assert_problem(&post(&setting, Some("another"), &json!({}))?, ErrorCode::BackupInProgress)?;
    lock.release()?;
    setting.wait_ended(id, BackupState::Completed)?;
    ensure!(count_backups(&setting)? == 1, "a refused trigger left a job");
    setting.assert_audit(id, &FIRST_ATTEMPT)?;
    setting.backup_and_wait()?;
    setting.assert_no_leftovers()
}

pub(super) fn idempotent(context: &TestContext, store: Store) -> Result<()> {
    let setting = Setting::new(context, store, Options::default())?;
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    assert_problem(&post(&setting, None, &json!({}))?, ErrorCode::IdempotencyKeyRequired)?;
    let first = post(&setting, Some("once"), &json!({}))?;
    ensure!(first.status == 202 && first.header("idempotency-replayed").is_none(), "{first:?}");
    let id = field(&first.json()?, "/backupJobId")?;
    let replayed = |answer: Answer| {
        ensure!(
            answer.status == 202 && answer.header("idempotency-replayed") == Some("true") && answer.body == first.body,
            "{answer:?} is not the answer of {first:?}"
        );
        Ok(())
    };
    // While it runs, where another key is refused; and when it has ended, where another key starts another backup.
    replayed(post(&setting, Some("once"), &json!({}))?)?;
    lock.release()?;
    setting.wait_ended(id, BackupState::Completed)?;
    replayed(post(&setting, Some("once"), &json!({}))?)?;
    // The same in other words.
    replayed(post(&setting, Some("once"), &json!({"trigger": "adhoc"}))?)?;
    ensure!(count_backups(&setting)? == 1, "a replayed trigger made a job");
    setting.assert_audit(id, &FIRST_ATTEMPT)?;
    setting.assert_no_leftovers()
}

pub(super) fn idempotent_command(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let database = setting.database_id.to_string();
    let command = ["backup", "trigger", "--database", &database, "--wait", "--idempotency-key", "once"];
    let first = data(&setting.json(&command)?)?;
    let second = data(&setting.json(&command)?)?;
    ensure!(first == second, "{first} {second}");
    ensure!(count_backups(&setting)? == 1, "a repeated command made a job");
    setting.assert_no_leftovers()
}
