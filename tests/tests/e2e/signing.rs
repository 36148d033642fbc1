//! Signing keys: rotated, revoked, killed in the middle, kept in a token; and every backup still proves what it did.

mod rotation;
mod token;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use ed25519_dalek::VerifyingKey;
use serde_json::Value;
use walwarden_contract::key::from_pem;
use walwarden_contract::manifest;
use walwarden_contract::model::Backup;
use walwarden_tests::harness::Suite;

use crate::restore::stage::Stage;
use crate::setting::{Setting, manifest_key};

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("signing_key_rotated_three_times_leaves_every_backup_verifiable_and_restorable", rotation::three_times)
        .trial("signing_key_rotation_killed_at_any_boundary_signs_with_known_keys_only", rotation::killed)
        .trial("signing_key_that_was_revoked_signs_no_more_and_counts_for_what_came_before", rotation::revoked)
        .trial("signing_key_in_a_token_signs_what_the_published_key_verifies", token::signs)
}

/// A public key as the running server publishes it.
fn published(setting: &Setting<'_>, path: &str) -> Result<VerifyingKey> {
    let answer = setting.server()?.request("GET", path, &[], None)?;
    ensure!(answer.status == 200, "GET {path}: {}", answer.status);
    from_pem(&String::from_utf8(answer.body)?).context("a public key")
}

/// The manifest that stands in the bucket.
fn manifest_of(setting: &Setting<'_>, backup: &Backup) -> Result<Value> {
    let key = manifest_key(&backup.artifact.as_ref().context("an artifact")?.key);
    Ok(serde_json::from_slice(&setting.bucket.get(&key, None)?)?)
}

/// Fails unless a key that is published under this path signed the backup, and its evidence passes.
fn assert_signed(setting: &Setting<'_>, backup: &Backup, path: &str) -> Result<()> {
    let document = manifest_of(setting, backup)?;
    manifest::verify(&document, &published(setting, path)?).with_context(|| format!("{} with {path}", backup.id))?;
    ensure!(result(setting, backup)? == "passed", "{}", backup.id);
    Ok(())
}

/// Fails unless each of these backups verifies with the key under its path, and restores.
fn assert_restorable(stage: &mut Stage<'_>, made: Vec<(Backup, String)>) -> Result<()> {
    for (backup, path) in made {
        assert_signed(&stage.setting, &backup, &path)?;
        stage.backup = backup;
        let session = stage.session()?;
        stage.succeeds(&session, &stage.maintenance())?;
        stage.assert_restored(session.created.as_deref().context("a name")?)?;
    }
    Ok(())
}

/// What the server says of a backup's integrity.
fn result(setting: &Setting<'_>, backup: &Backup) -> Result<String> {
    let evidence = setting.get(&format!("/api/v1/evidence/{}", backup.id))?;
    let result = evidence["integrityVerification"]["result"].as_str();
    Ok(result.context("a result")?.to_owned())
}

/// Where a rotation says that the key before is published.
fn previous(rotated: &Value) -> Result<String> {
    Ok(rotated["previousPublishedAt"].as_str().context("a path")?.to_owned())
}

const CURRENT: &str = "/.well-known/walwarden-pubkey.pem";

/// The names of the files beside the signing key that have to do with it.
fn key_files(setting: &Setting<'_>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(setting.walwarden.data())? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("signing.key")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
