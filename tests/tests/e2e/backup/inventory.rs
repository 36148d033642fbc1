//! What is edited in the store, and what is deleted, changed or added in the bucket, is found, each with its own code.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_s3::types::ObjectLockRetentionMode;
use serde_json::Value;
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::Backup;
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use super::cancel::cancel;
use crate::SOON;
use crate::setting::{Options, Setting, manifest_key};

fn sql(setting: &Setting<'_>, sql: &str) -> Result<()> {
    let metadata = setting.walwarden.metadata().context("the store is on Postgres")?;
    setting.context.postgres().psql(&metadata.name, sql).map(drop)
}

/// An event edited in the store is found by the job itself, and readiness says so.
pub(super) fn edited_event(context: &TestContext) -> Result<()> {
    let flags: &[&str] = &["--retry-delay-seconds", "0", "--audit-check-seconds", "1"];
    let setting = Setting::new(context, Store::Postgres, Options::default().serve(flags))?;
    let backup = setting.backup_and_wait()?;
    let edit = |from: &str, to: &str| {
        let text = format!(
            "UPDATE audit_events SET payload = replace(payload, '{from}', '{to}')
             WHERE stream_id = '{}' AND kind = 'backup.queued'",
            backup.id
        );
        sql(&setting, &text)
    };
    let audit = || -> Result<Value> {
        let readiness = setting.get("/api/v1/readiness")?;
        let checks = readiness["checks"].as_array().context("checks")?;
        Ok(checks.iter().find(|check| check["component"] == "audit").context("audit")?.clone())
    };
    wait_for("the chains to be checked", SOON, || Ok((audit()?["status"] == "passed").then_some(())))?;
    edit("adhoc", "scheduled")?;
    let found = wait_for("the edit to be found", SOON, || Ok(Some(audit()?).filter(|it| it["status"] == "failed")))?;
    ensure!(found["evidence"].as_str().is_some_and(|text| text.contains(&backup.id.to_string())), "{found}");
    edit("scheduled", "adhoc")?;
    wait_for("the chains to hold again", SOON, || Ok((audit()?["status"] == "passed").then_some(())))?;
    let kinds = setting.audit_kinds(setting.org_id)?;
    let anomalies = kinds.iter().filter(|kind| **kind == EventKind::AuditAnomalyDetected).count();
    ensure!(anomalies == 1, "{kinds:?}");
    setting.assert_no_leftovers()
}

fn reconcile(setting: &Setting<'_>, flags: &[&str], exit: i32) -> Result<Value> {
    let output = setting.walwarden.admin_run(&[&["reconcile"], flags].concat(), &[])?.output()?;
    Ok(output.exit(exit)?.json()?["data"].clone())
}

/// The codes of the findings about one backup, or about none.
fn codes(report: &Value, backup: Option<&Backup>) -> BTreeSet<String> {
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let wanted = backup.map_or(Value::Null, |backup| Value::String(backup.id.to_string()));
    let of = findings.iter().filter(|finding| finding["backupJobId"] == wanted);
    of.filter_map(|finding| finding["code"].as_str().map(str::to_owned)).collect()
}

/// The code of every finding.
fn found(report: &Value) -> Result<Vec<Value>> {
    Ok(report["findings"].as_array().context("findings")?.iter().map(|it| it["code"].clone()).collect())
}

fn only(code: &str) -> BTreeSet<String> {
    BTreeSet::from([code.to_owned()])
}

/// Everything that can go wrong in a bucket, at once.
pub(super) fn reconciliation(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options { lock_mode: "none", ..Options::default() })?;
    let backups: Vec<Backup> = (0..5).map(|_| setting.backup_and_wait()).collect::<Result<_>>()?;
    let keys: Vec<String> = backups
        .iter()
        .map(|backup| Ok(backup.artifact.as_ref().context("an artifact")?.key.clone()))
        .collect::<Result<_>>()?;
    let report = reconcile(&setting, &["--deep"], 0)?;
    ensure!(report["result"] == "clean" && report["backups"] == 5 && report["objects"] == 10, "{report}");

    setting.bucket.put(&format!("org/{}/notes.txt", setting.org_id), "not ours")?;
    let report = reconcile(&setting, &[], 0)?;
    ensure!(report["result"] == "attention" && codes(&report, None) == only("stranger_object"), "{report}");

    setting.bucket.delete(&keys[0])?;
    setting.bucket.flip_bit(&keys[1], 100)?;
    setting.bucket.delete(&manifest_key(&keys[2]))?;
    setting.bucket.flip_bit(&manifest_key(&keys[3]), 10)?;
    sql(&setting, &format!("DELETE FROM backup_jobs WHERE id = '{}'", backups[4].id))?;
    sql(&setting, &format!("DELETE FROM audit_events WHERE stream_id = '{}'", backups[4].id))?;
    sql(&setting, &format!("DELETE FROM audit_streams WHERE stream_id = '{}'", backups[4].id))?;
    let lock = context.postgres().lock_table(&setting.source.name, "shop.customers")?;
    let cancelled = cancel(&setting, setting.trigger()?)?;
    lock.release()?;
    setting.bucket.put(&keys[0].replace(&backups[0].id.to_string(), &cancelled.id.to_string()), "half of it")?;
    let report = reconcile(&setting, &[], 3)?;
    ensure!(codes(&report, Some(&cancelled)) == only("leftover_object"), "{report}");
    let expected = ["missing_artifact", "altered_artifact", "missing_manifest", "altered_manifest", "unknown_backup"];
    for (backup, code) in backups.iter().zip(expected) {
        ensure!(codes(&report, Some(backup)) == only(code), "{code}: {report}");
    }
    ensure!(report["result"] == "failed" && report["criticalCount"] == 4, "{report}");

    let stored = setting.get("/api/v1/inventory/reconciliation")?;
    ensure!(stored == report, "{stored}");
    let kinds = setting.audit_kinds(setting.org_id)?;
    let detected = kinds.iter().filter(|kind| **kind == EventKind::InventoryFindingDetected).count();
    ensure!(detected == 2, "{kinds:?}");
    reconcile(&setting, &[], 3)?;
    ensure!(setting.audit_kinds(setting.org_id)?.len() == kinds.len(), "nothing new was found");
    setting.assert_quiet()
}

/// A lock that the manifest promises is compared with the one that the bucket tells of; and a bucket that is gone is no loss.
pub(super) fn locks_and_reach(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let key = setting.backup_and_wait()?.artifact.context("an artifact")?.key;
    let report = reconcile(&setting, &[], 0)?;
    ensure!(report["result"] == "clean", "{report}");
    // A new version in front of the locked one has no lock.
    let bytes = setting.bucket.get(&key, None)?;
    setting.bucket.put(&key, bytes.clone())?;
    let report = reconcile(&setting, &[], 3)?;
    ensure!(found(&report)? == ["lock_missing"], "{report}");
    // Or one that ends too soon.
    setting.bucket.put_retained(&key, bytes, ObjectLockRetentionMode::Governance, 3600)?;
    let report = reconcile(&setting, &[], 3)?;
    ensure!(found(&report)? == ["lock_shorter"], "{report}");
    // The change is kept, and its preflight says that nobody is there.
    let id = setting.destination_id.to_string();
    let moved = ["destination", "update", &id, "--endpoint", "http://127.0.0.1:9"];
    setting.walwarden.admin_run(&moved, &[])?.output()?.exit(1)?;
    let report = reconcile(&setting, &[], 1)?;
    ensure!(report["result"] == "incomplete", "{report}");
    Ok(())
}
