//! What every cell of the matrix must end as, whatever happened: judged from outside, on the bucket and the source themselves.

use std::fs;

use anyhow::{Context, Result, ensure};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::manifest;
use walwarden_contract::model::{Backup, BackupState};
use walwarden_tests::canary::random_hex;

use super::cell::Cell;
use crate::setting::{assert_failure, manifest_key};

/// How a cell must end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    /// With a backup that is what it claims to be.
    Verified,
    /// With this code, and a bucket that holds nothing.
    Failed(ErrorCode),
    /// With this code, and an artifact that could not be proven: its lock keeps it where it is, and without a manifest nobody
    /// takes it for a backup.
    Unproven(ErrorCode),
}

/// Waits for the end and judges it.
pub(super) fn judge(cell: Cell<'_>, ending: Ending) -> Result<()> {
    match ending {
        Ending::Verified => verified(&cell)?,
        Ending::Failed(code) => {
            let backup = failed(&cell, code)?;
            let keys = cell.setting.keys()?;
            ensure!(keys.is_empty(), "{:?} left {keys:?}", backup.id);
        }
        Ending::Unproven(code) => {
            let backup = failed(&cell, code)?;
            unproven(&cell, &backup)?;
        }
    }
    cell.assert_happened()?;
    cell.setting.assert_quiet()?;
    // Whatever they went through, they stop when they are asked to.
    cell.workers.into_iter().try_for_each(|worker| worker.stop().map(drop))
}

fn verified(cell: &Cell<'_>) -> Result<()> {
    let setting = &cell.setting;
    let backup = setting.wait_ended(cell.id, BackupState::Completed)?;
    ensure!(backup.error.is_none(), "{backup:?}");
    let artifact = backup.artifact.as_ref().context("a completed backup has an artifact")?;
    let chain = setting.audit_chain(&cell.id.to_string())?;
    let completions: Vec<_> = chain.iter().filter(|event| event.kind == K::BackupCompleted).collect();
    ensure!(
        completions.len() == 1
            && chain.last() == completions.first().copied()
            && completions[0].payload["manifestHash"] == artifact.manifest_hash,
        "{chain:#?}"
    );

    let object = setting.bucket.get(&artifact.key, None)?;
    let checksum = hex::encode(Sha256::digest(&object));
    let document: Value = serde_json::from_slice(&setting.bucket.get(&manifest_key(&artifact.key), None)?)?;
    let pem = setting.server()?.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let manifest = manifest::verify(&document, &VerifyingKey::from_public_key_pem(&String::from_utf8(pem.body)?)?)?;
    ensure!(
        artifact.checksum_sha256 == checksum
            && manifest.artifact.checksum_sha256 == checksum
            && manifest.artifact.size_bytes == u64::try_from(object.len())?
            && manifest.backup_job_id == cell.id
            && manifest::manifest_hash(&document)? == artifact.manifest_hash,
        "the bucket holds {checksum}: {artifact:?} {manifest:?}"
    );
    for key in [artifact.key.clone(), manifest_key(&artifact.key)] {
        let versions = setting.bucket.versions(&key)?;
        ensure!(versions.len() == 1, "{key} was written {} times", versions.len());
    }
    restores(cell, &object)?;
    setting.assert_no_leftovers()
}

/// A stock `pg_restore` makes of it what the source holds.
fn restores(cell: &Cell<'_>, object: &[u8]) -> Result<()> {
    let (context, server, source) = (cell.setting.context, cell.source_server(), &cell.source);
    let dump = context.private().join("artifact.dump");
    fs::write(&dump, object)?;
    let target = source.sibling(&format!("t_{}", random_hex(6)));
    server.psql("postgres", &format!("CREATE DATABASE {} OWNER {} TEMPLATE template0", target.name, target.user))?;
    let restored = context
        .run(server.bin().join("pg_restore"))
        .env("PGHOST", &target.host)
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", &target.user)
        .env("PGPASSWORD", &target.password)
        .args(["--exit-on-error", "--dbname", &target.name])
        .arg(&dump);
    restored.output()?.success()?;
    let (wanted, found) = (server.table_digests(&source.name)?, server.table_digests(&target.name)?);
    ensure!(wanted == found, "the source holds {wanted:#?}, what was restored {found:#?}");
    Ok(())
}

fn failed(cell: &Cell<'_>, code: ErrorCode) -> Result<Backup> {
    let backup = cell.setting.wait_ended(cell.id, BackupState::FailedTerminal)?;
    ensure!(backup.artifact.is_none(), "{backup:?}");
    ensure!(backup.error.as_ref().is_some_and(|error| error.code == code), "expected {code}: {backup:?}");
    let chain = cell.setting.audit_chain(&cell.id.to_string())?;
    let last = chain.last().context("a chain has events")?;
    ensure!(
        last.kind == K::BackupFailed
            && last.payload["errorCode"] == code.as_str()
            && last.payload["retryable"] == false,
        "{chain:#?}"
    );
    ensure!(chain.iter().all(|event| event.kind != K::BackupCompleted), "{chain:#?}");
    Ok(backup)
}

fn unproven(cell: &Cell<'_>, backup: &Backup) -> Result<()> {
    let evidence = cell.setting.json(&["evidence", "get", &backup.id.to_string()])?;
    assert_failure(&evidence, ErrorCode::NotFound)?;
    let keys = cell.setting.keys()?;
    ensure!(keys.len() == 1 && keys[0].ends_with(&format!("/{}.dump", backup.id)), "{keys:?}");
    let versions = cell.setting.bucket.versions(&keys[0])?;
    ensure!(versions.len() == 1, "written {} times", versions.len());
    let lock = cell.setting.bucket.object_retention(&keys[0])?;
    ensure!(lock.is_some(), "an artifact without a lock could be left only by mistake");
    Ok(())
}
