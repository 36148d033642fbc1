//! Old backups leave the bucket when their database asks for it, and stay as long as anything holds them.

use anyhow::{Context as _, Result, ensure};
use walwarden_api::failpoint::Failpoint;
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::Backup;
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Role, Store};

use crate::SOON;
use crate::setting::{Options, Setting, assert_failure, manifest_key};

/// Makes a backup two days older than it is, and its look due.
fn age(setting: &Setting<'_>, backup: &Backup) -> Result<()> {
    change(setting, backup, "finished_at = finished_at - 172800000, expiry_look_at = 1")
}

/// Makes the look at a backup due.
fn look_at_once(setting: &Setting<'_>, backup: &Backup) -> Result<()> {
    change(setting, backup, "expiry_look_at = 1")
}

fn change(setting: &Setting<'_>, backup: &Backup, change: &str) -> Result<()> {
    let metadata = setting.walwarden.metadata().context("the store is on Postgres")?;
    let sql = format!("UPDATE backup_jobs SET {change} WHERE id = '{}'", backup.id);
    setting.context.postgres().psql(&metadata.name, &sql).map(drop)
}

/// Waits until the look that [`age`] made due has decided that the backup has to wait.
fn wait_looked_at(setting: &Setting<'_>, backup: &Backup) -> Result<()> {
    let metadata = setting.walwarden.metadata().context("the store is on Postgres")?;
    // A look under way has put itself off for ten minutes.
    let sql = format!(
        "SELECT count(*) FROM backup_jobs WHERE id = '{}' AND expiring_at IS NULL
         AND expiry_look_at > (extract(epoch FROM now()) + 3600) * 1000",
        backup.id
    );
    wait_for("an old backup to be looked at", SOON, || {
        Ok((setting.context.postgres().psql(&metadata.name, &sql)? == "1").then_some(()))
    })
}

fn keep_for_a_day(setting: &Setting<'_>) -> Result<()> {
    let id = setting.database_id.to_string();
    setting.walwarden.admin(&["database", "update", &id, "--retention-days", "1"], &[]).map(drop)
}

fn objects(backup: &Backup) -> Result<[String; 2]> {
    let key = backup.artifact.as_ref().context("an artifact")?.key.clone();
    Ok([manifest_key(&key), key])
}

/// A bucket with versions and without locks: the old backup is gone for good, its record is not, and the newest stays.
pub(super) fn deletes_for_good(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options { lock_mode: "none", ..Options::default() })?;
    let (old, new) = (setting.backup_and_wait()?, setting.backup_and_wait()?);
    keep_for_a_day(&setting)?;
    age(&setting, &old)?;
    let expired = setting.wait_backup(old.id, |backup| backup.expired_at.is_some())?;
    ensure!(expired.state == old.state && expired.artifact == old.artifact, "{expired:?}");
    for key in objects(&old)? {
        let versions = setting.bucket.versions(&key)?;
        ensure!(versions.is_empty(), "{key} has {versions:?}");
    }
    let kinds = setting.audit_kinds(old.id)?;
    ensure!(kinds.ends_with(&[EventKind::RetentionExpiring, EventKind::RetentionDeleted]), "{kinds:?}");

    let listed = setting.get("/api/v1/evidence")?;
    ensure!(listed["evidence"].as_array().is_some_and(|all| all.len() == 1), "{listed}");
    ensure!(listed["evidence"][0]["backupJobId"] == new.id.to_string(), "{listed}");
    let evidence = setting.get(&format!("/api/v1/evidence/{}", old.id))?;
    ensure!(evidence["integrityVerification"]["result"] == "not_verifiable", "{evidence}");
    ensure!(evidence["expiredAt"].is_string(), "{evidence}");
    let id = old.id.to_string();
    let to = ["--target", "postgresql://restorer@127.0.0.1/postgres", "--mode", "new_database"];
    let output = setting.json(&[&["restore", "create", "--backup", &id], to.as_slice()].concat())?;
    assert_failure(&output, ErrorCode::BackupExpired)?;

    age(&setting, &new)?;
    wait_looked_at(&setting, &new)?;
    let keys = setting.keys()?;
    ensure!(objects(&new)?.iter().all(|key| keys.contains(key)), "the last backup is gone: {keys:?}");
    setting.assert_quiet()
}

/// Object Lock holds: nothing is even marked, and the bucket would refuse.
pub(super) fn waits_for_the_lock(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options::default())?;
    let (old, _) = (setting.backup_and_wait()?, setting.backup_and_wait()?);
    keep_for_a_day(&setting)?;
    age(&setting, &old)?;
    wait_looked_at(&setting, &old)?;
    let kinds = setting.audit_kinds(old.id)?;
    ensure!(kinds.last() == Some(&EventKind::BackupCompleted), "{kinds:?}");
    for key in objects(&old)? {
        let version = setting.bucket.versions(&key)?.pop().context("a version")?;
        ensure!(setting.bucket.delete_version(&key, &version, false).is_err(), "the bucket let {key} go");
    }
    setting.assert_no_leftovers()?;

    // A marker that says deleted hides the lock from whoever asks without a version.
    let [_, artifact] = objects(&old)?;
    setting.bucket.delete(&artifact)?;
    age(&setting, &old)?;
    wait_looked_at(&setting, &old)?;
    let kinds = setting.audit_kinds(old.id)?;
    ensure!(kinds.last() == Some(&EventKind::BackupCompleted), "{kinds:?}");
    ensure!(setting.bucket.versions(&artifact)?.len() == 1, "the artifact is gone");
    Ok(())
}

/// Waits until the look at a backup was refused with this code, and nothing of it was given up.
fn wait_refused(setting: &Setting<'_>, backup: &Backup, code: ErrorCode) -> Result<()> {
    let refused = |backup: &Backup| backup.expiry_error.as_ref().is_some_and(|error| error.code == code);
    let refused = setting.wait_backup(backup.id, refused)?;
    ensure!(refused.expired_at.is_none(), "{refused:?}");
    Ok(())
}

/// A backup that is not where its destination points now is kept, and deleted when it is found again; one that only a delete
/// marker hides is found by its version.
pub(super) fn finds_before_it_deletes(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options { lock_mode: "none", ..Options::default() })?;
    let (hidden, moved) = (setting.backup_and_wait()?, setting.backup_and_wait()?);
    setting.backup_and_wait()?;
    keep_for_a_day(&setting)?;
    let [_, artifact] = objects(&hidden)?;
    setting.bucket.delete(&artifact)?;
    age(&setting, &hidden)?;
    setting.wait_backup(hidden.id, |backup| backup.expired_at.is_some())?;
    ensure!(setting.bucket.versions(&artifact)?.is_empty(), "the artifact stays behind its marker");

    let another = context.bucket(true)?;
    let id = setting.destination_id.to_string();
    let point_at = |bucket: &str| setting.walwarden.admin(&["destination", "update", &id, "--bucket", bucket], &[]);
    point_at(another.name())?;
    let newest = setting.backup_and_wait()?;
    age(&setting, &moved)?;
    wait_refused(&setting, &moved, ErrorCode::ArtifactMissing)?;
    let kinds = setting.audit_kinds(moved.id)?;
    ensure!(kinds.ends_with(&[EventKind::BackupCompleted, EventKind::RetentionRefused]), "{kinds:?}");
    for key in objects(&moved)? {
        ensure!(setting.bucket.versions(&key)?.len() == 1, "{key} was deleted in the bucket that was left");
    }
    point_at(setting.bucket.name())?;
    look_at_once(&setting, &moved)?;
    setting.wait_backup(moved.id, |backup| backup.expired_at.is_some())?;
    ensure!(another.list_objects(&objects(&newest)?[1])?.len() == 1, "the newest backup is gone");
    Ok(())
}

/// A newer backup licenses a deletion only while it is what was recorded: a changed byte leaves its length as it was.
pub(super) fn needs_a_newer_one_as_recorded(context: &TestContext) -> Result<()> {
    let options = Options { object_lock: false, lock_mode: "none", ..Options::default() };
    let setting = Setting::new(context, Store::Postgres, options)?;
    let (old, new) = (setting.backup_and_wait()?, setting.backup_and_wait()?);
    let [manifest, artifact] = objects(&new)?;
    keep_for_a_day(&setting)?;
    setting.bucket.flip_bit(&manifest, 10)?;
    age(&setting, &old)?;
    wait_looked_at(&setting, &old)?;
    setting.bucket.flip_bit(&manifest, 10)?;
    setting.bucket.flip_bit(&artifact, 100)?;
    age(&setting, &old)?;
    wait_looked_at(&setting, &old)?;
    let kinds = setting.audit_kinds(old.id)?;
    ensure!(kinds.last() == Some(&EventKind::BackupCompleted), "{kinds:?}");
    setting.backup_and_wait()?;
    look_at_once(&setting, &old)?;
    setting.wait_backup(old.id, |backup| backup.expired_at.is_some())?;
    setting.assert_quiet()
}

/// What is left of a backup is never offered again, although the look that finds the bucket refusing touched nothing itself.
pub(super) fn half_deleted_stays_marked(context: &TestContext) -> Result<()> {
    let options = Options { object_lock: false, lock_mode: "none", role: Role::Api, ..Options::default() };
    let mut setting = Setting::new(context, Store::Postgres, options)?;
    let worker = setting.walwarden.serve(Role::Worker)?;
    let (old, _) = (setting.backup_and_wait()?, setting.backup_and_wait()?);
    keep_for_a_day(&setting)?;
    worker.stop()?;
    let point = Failpoint::AfterArtifactDeleted.as_str();
    setting.walwarden.set_env("WALWARDEN_FAILPOINT", &format!("{point}=kill"));
    let dying = setting.walwarden.serve(Role::Worker)?;
    setting.walwarden.unset_env("WALWARDEN_FAILPOINT");
    age(&setting, &old)?;
    dying.wait_killed(SOON)?;
    let [_, artifact] = objects(&old)?;
    setting.bucket.put(&artifact, "something else")?;
    look_at_once(&setting, &old)?;
    let worker = setting.walwarden.serve(Role::Worker)?;
    wait_refused(&setting, &old, ErrorCode::ArtifactMismatch)?;
    let listed = setting.get("/api/v1/evidence")?;
    ensure!(!listed.to_string().contains(&old.id.to_string()), "it is offered: {listed}");
    setting.bucket.delete(&artifact)?;
    look_at_once(&setting, &old)?;
    setting.wait_backup(old.id, |backup| backup.expired_at.is_some())?;
    worker.stop()?;
    setting.assert_quiet()
}

/// Whoever deletes is killed at each boundary of a deletion, and the next look ends what it began. What was marked is not offered
/// any more, whatever is left of it.
pub(super) fn killed(context: &TestContext) -> Result<()> {
    let options = Options { lock_mode: "none", role: Role::Api, ..Options::default() };
    let mut setting = Setting::new(context, Store::Postgres, options)?;
    let worker = setting.walwarden.serve(Role::Worker)?;
    let mut old = Vec::new();
    for _ in Failpoint::DELETION {
        old.push(setting.backup_and_wait()?);
    }
    let newest = setting.backup_and_wait()?;
    keep_for_a_day(&setting)?;
    worker.stop()?;
    for (point, old) in Failpoint::DELETION.iter().zip(&old) {
        setting.walwarden.set_env("WALWARDEN_FAILPOINT", &format!("{}=kill", point.as_str()));
        let dying = setting.walwarden.serve(Role::Worker)?;
        setting.walwarden.unset_env("WALWARDEN_FAILPOINT");
        age(&setting, old)?;
        dying.wait_killed(SOON)?;
        let kinds = setting.audit_kinds(old.id)?;
        ensure!(kinds.last() == Some(&EventKind::RetentionExpiring), "{}: {kinds:?}", point.as_str());
        let listed = setting.get("/api/v1/evidence")?;
        ensure!(!listed.to_string().contains(&old.id.to_string()), "{}: {listed}", point.as_str());

        let worker = setting.walwarden.serve(Role::Worker)?;
        look_at_once(&setting, old)?;
        setting.wait_backup(old.id, |backup| backup.expired_at.is_some())?;
        worker.stop()?;
        let kinds = setting.audit_kinds(old.id)?;
        let ends = [EventKind::BackupCompleted, EventKind::RetentionExpiring, EventKind::RetentionDeleted];
        ensure!(kinds.ends_with(&ends), "{}: {kinds:?}", point.as_str());
        for key in objects(old)? {
            ensure!(setting.bucket.versions(&key)?.is_empty(), "{}: {key} is still there", point.as_str());
        }
    }
    let keys = setting.keys()?;
    ensure!(objects(&newest)?.iter().all(|key| keys.contains(key)), "the last backup is gone: {keys:?}");
    setting.assert_quiet()
}
