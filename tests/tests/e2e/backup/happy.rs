//! A backup that completes: everything that completion claims, checked from outside.

use anyhow::{Context, Result, ensure};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use walwarden_contract::Timestamp;
use walwarden_contract::audit::{AuditEvent, EventKind as K, verify_chain};
use walwarden_contract::manifest::{self, Manifest};
use walwarden_contract::model::{Backup, BackupState, BackupTrigger};
use walwarden_tests::fault_proxy::Matcher;
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Role, Store};

use crate::SOON;
use crate::setting::{Options, Setting, data, field, manifest_key};

/// The events of a backup whose first attempt succeeds.
pub(super) const FIRST_ATTEMPT: [K; 5] =
    [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFinalizing, K::BackupCompleted];

pub(super) fn completes(context: &TestContext, store: Store) -> Result<()> {
    let setting = Setting::new(context, store, Options::multipart())?;
    let backup = setting.backup_and_wait()?;
    ensure!(backup.attempt == 1 && backup.error.is_none(), "{backup:?}");
    let manifest = manifest_in_bucket(&setting, &backup)?;
    object_is_what_the_manifest_says(&setting, &backup, &manifest)?;
    objects_are_locked(&setting, &backup, &manifest)?;
    manifest_is_written_last(&setting)?;
    nothing_is_deleted_or_written_twice(&setting, &backup)?;
    evidence_is_whole(&setting, &backup)?;
    setting.assert_audit(backup.id, &FIRST_ATTEMPT)?;
    let database = setting.get(&format!("/api/v1/databases/{}", setting.database_id))?;
    ensure!(database["lastBackupJobId"] == backup.id.to_string(), "{database}");
    setting.assert_no_leftovers()
}

/// The manifest as the bucket holds it, verified with the key that the server publishes.
fn manifest_in_bucket(setting: &Setting<'_>, backup: &Backup) -> Result<Manifest> {
    let artifact = backup.artifact.as_ref().context("a completed backup has an artifact")?;
    let document: Value = serde_json::from_slice(&setting.bucket.get(&manifest_key(&artifact.key), None)?)?;
    let pem = setting.server()?.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let key = VerifyingKey::from_public_key_pem(&String::from_utf8(pem.body)?)?;
    let manifest = manifest::verify(&document, &key)?;
    ensure!(
        manifest::manifest_hash(&document)? == artifact.manifest_hash,
        "the API shows {} for {document}",
        artifact.manifest_hash
    );
    ensure!(
        manifest.backup_job_id == backup.id
            && manifest.org_id == setting.org_id
            && manifest.database_id == setting.database_id
            && manifest.destination_id == setting.destination_id
            && manifest.source.database_name == setting.source.name
            && manifest.key_id == manifest::key_id(&key),
        "{manifest:?}"
    );
    Ok(manifest)
}

fn object_is_what_the_manifest_says(setting: &Setting<'_>, backup: &Backup, manifest: &Manifest) -> Result<()> {
    let artifact = backup.artifact.as_ref().context("a completed backup has an artifact")?;
    let created = backup.created_at.to_string();
    let day = created.get(..10).context("a time begins with a date")?.replace('-', "/");
    let key = format!("org/{}/db/{}/backup/{day}/{}.dump", setting.org_id, setting.database_id, backup.id);
    ensure!(artifact.key == key && manifest.artifact.key == key, "{artifact:?} is not under {key}");
    let object = setting.bucket.get(&key, None)?;
    let checksum = hex::encode(Sha256::digest(&object));
    ensure!(
        artifact.checksum_sha256 == checksum && manifest.artifact.checksum_sha256 == checksum,
        "the object has {checksum}: {artifact:?}"
    );
    let length = u64::try_from(object.len())?;
    ensure!(artifact.size_bytes == length && manifest.artifact.size_bytes == length, "{artifact:?}");
    let part_size = usize::try_from(manifest.artifact.part_size_bytes)?;
    let parts: Vec<_> = object.chunks(part_size).map(|part| hex::encode(Sha256::digest(part))).collect();
    ensure!(
        parts.len() > 2 && manifest.artifact.part_checksums == parts,
        "{} parts, the manifest says {:?}",
        parts.len(),
        manifest.artifact
    );
    // A stock pg_restore reads it to its end.
    let copy = setting.context.private().join("artifact.dump");
    std::fs::write(&copy, &object)?;
    setting
        .context
        .run(setting.context.postgres().bin().join("pg_restore"))
        .args(["--file", "/dev/null"])
        .arg(&copy)
        .output()?
        .success()?;
    Ok(())
}

fn objects_are_locked(setting: &Setting<'_>, backup: &Backup, manifest: &Manifest) -> Result<()> {
    let artifact = backup.artifact.as_ref().context("a completed backup has an artifact")?;
    let until = manifest.retention.retain_until.context("the artifact is locked")?.as_millis();
    ensure!(manifest.retention.mode == "governance", "{:?}", manifest.retention);
    // The destination asks for one day from the moment the upload begins; buckets keep whole seconds.
    let seconds = until / 1000 - backup.created_at.as_millis() / 1000;
    ensure!((86_400..86_400 + 600).contains(&seconds), "locked for {seconds} s");
    for key in [artifact.key.clone(), manifest_key(&artifact.key)] {
        let retention = setting.bucket.object_retention(&key)?.context("no lock")?;
        ensure!(retention.mode == "GOVERNANCE" && retention.until == until / 1000, "{key}: {retention:?}");
        let versions = setting.bucket.versions(&key)?;
        ensure!(versions.len() == 1, "{key} was written more than once: {versions:?}");
        // Neither by the backup's own key, whatever it asks for, nor by somebody who may do everything else.
        let own = setting.context.s3().as_writer(&setting.bucket);
        for refused in [
            own.delete_version(&key, &versions[0], false),
            own.delete_version(&key, &versions[0], true),
            setting.bucket.delete_version(&key, &versions[0], false),
        ] {
            let error = refused.err().with_context(|| format!("{key} could be deleted"))?;
            ensure!(format!("{error:?}").contains("AccessDenied"), "{error:?}");
        }
        ensure!(setting.bucket.versions(&key)? == versions, "{key} was deleted all the same");
    }
    Ok(())
}

fn manifest_is_written_last(setting: &Setting<'_>) -> Result<()> {
    // A checkpoint of the log comes whenever something has ended.
    let requests = setting.proxy()?.requests().into_iter().filter(|request| !request.path.contains("/checkpoints/"));
    let requests: Vec<_> = requests.collect();
    let last = requests.iter().rfind(|request| request.method != "GET" && request.method != "HEAD");
    ensure!(
        last.is_some_and(|last| last.method == "PUT" && last.path.ends_with(".manifest.json")),
        "the last write was {last:?}"
    );
    Ok(())
}

/// What the backup asked of the bucket, word for word.
fn nothing_is_deleted_or_written_twice(setting: &Setting<'_>, backup: &Backup) -> Result<()> {
    let artifact = &backup.artifact.as_ref().context("a completed backup has an artifact")?.key;
    let requests = setting.proxy()?.requests();
    let count = |matcher: Matcher| requests.iter().filter(|request| matcher.matches(request)).count();
    ensure!(count(Matcher::method("DELETE")) == 0, "something was deleted: {requests:#?}");
    for (written, times) in [
        (Matcher::create_multipart().path_ends(artifact), 1),
        (Matcher::complete_multipart().path_ends(artifact), 1),
        (Matcher::put_object(artifact), 0),
        (Matcher::put_object(&manifest_key(artifact)), 1),
    ] {
        ensure!(count(written.clone()) == times, "not {times} times {written:?}");
    }
    let makes_an_object = [Matcher::complete_multipart(), Matcher::put_object("")];
    for request in requests.iter().filter(|request| makes_an_object.iter().any(|matcher| matcher.matches(request))) {
        let head = String::from_utf8_lossy(&request.head).to_ascii_lowercase();
        ensure!(head.contains("\r\nif-none-match: *\r\n"), "this could overwrite: {head}");
    }
    Ok(())
}

fn evidence_is_whole(setting: &Setting<'_>, backup: &Backup) -> Result<()> {
    let shown = data(&setting.json(&["evidence", "get", &backup.id.to_string()])?)?;
    let events: Vec<AuditEvent> = field(&shown, "/auditEvents")?;
    verify_chain(&events)?;
    ensure!(
        events == setting.audit_chain(&backup.id.to_string())?,
        "the evidence shows another chain than the store holds"
    );
    let artifact = backup.artifact.as_ref().context("a completed backup has an artifact")?;
    ensure!(
        shown["manifestHash"] == artifact.manifest_hash
            && manifest::manifest_hash(&shown["manifest"])? == artifact.manifest_hash,
        "{shown}"
    );
    let completed = events.last().context("a chain has events")?;
    ensure!(
        completed.payload["manifestHash"] == artifact.manifest_hash,
        "the audit chain commits to another manifest: {completed:?}"
    );
    Ok(())
}

pub(super) fn roles_are_separate(context: &TestContext) -> Result<()> {
    let options = Options { role: Role::Api, ..Options::default() };
    let mut setting = Setting::new(context, Store::Postgres, options)?;
    let id = setting.trigger()?;
    ensure!(setting.backup(id)?.state == BackupState::Queued, "the API process runs no jobs");
    let worker = setting.walwarden.serve_with(Role::Worker, Options::default().serve)?;
    let refused = worker.request("GET", "/api/v1/profile", &[], None)?;
    ensure!(refused.status == 404, "the worker process serves the API: {refused:?}");
    setting.wait_ended(id, BackupState::Completed)?;
    setting.assert_audit(id, &FIRST_ATTEMPT)?;
    setting.assert_no_leftovers()?;
    worker.stop()?;
    setting.stop()
}

/// A bucket without Object Lock and a destination that asks for none: the manifest says so instead of pretending.
pub(super) fn without_lock(context: &TestContext) -> Result<()> {
    let options = Options { object_lock: false, lock_mode: "none", codec: "gzip:9", ..Options::default() };
    let setting = Setting::new(context, Store::Sqlite, options)?;
    let backup = setting.backup_and_wait()?;
    let manifest = manifest_in_bucket(&setting, &backup)?;
    ensure!(manifest.retention.mode == "none" && manifest.retention.retain_until.is_none(), "{:?}", manifest.retention);
    ensure!(manifest.artifact.compression == "gzip:9", "{:?}", manifest.artifact);
    setting.assert_no_leftovers()
}

/// A due schedule queues one backup, and moves on.
pub(super) fn schedule_runs(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options::default())?;
    let id = setting.database_id.to_string();
    setting.walwarden.admin(&["database", "schedule", &id, "0 3 29 2 *"], &[])?;
    // In place of waiting for the next 29th of February.
    let metadata = setting.walwarden.metadata().context("the store is a Postgres database")?;
    context.postgres().psql_as_owner(metadata, "UPDATE databases SET next_run_at = 1")?;
    let backup = wait_for("a scheduled backup", SOON, || {
        Ok(Some(setting.last_backup()?).filter(|backup| backup.state == BackupState::Completed))
    })?;
    ensure!(backup.trigger == BackupTrigger::Scheduled, "{backup:?}");
    let database = setting.get(&format!("/api/v1/databases/{id}"))?;
    let next: Timestamp = field(&database, "/nextRunAt")?;
    ensure!(next > backup.created_at, "the schedule did not move on: {database}");
    let list = setting.get(&format!("/api/v1/databases/{id}/backups"))?;
    ensure!(list["backups"].as_array().is_some_and(|backups| backups.len() == 1), "{list}");
    setting.assert_audit(backup.id, &FIRST_ATTEMPT)?;
    setting.assert_no_leftovers()
}
