//! Artifacts and manifests that were changed after the backup: nothing of them reaches a target.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::download::presigned_get;
use super::stage::Stage;

/// Tries both modes: no database is created, and none is changed.
fn refused(stage: &Stage<'_>, code: ErrorCode, reached: K) -> Result<()> {
    let session = stage.session()?;
    let output = stage.restore(&session, &stage.maintenance())?.output()?;
    stage.assert_failed(&session, &output, code, RestoreState::FailedTerminal, reached)?;
    stage.assert_untouched(&session)?;

    let target = stage.precious()?;
    let before = stage.context.postgres().table_digests(&target.name)?;
    let session = stage.open(RestoreMode::InPlace, None)?;
    let output = stage.restore(&session, &target)?.output()?;
    stage.assert_failed(&session, &output, code, RestoreState::FailedTerminal, reached)?;
    ensure!(stage.context.postgres().table_digests(&target.name)? == before, "the target changed");
    Ok(())
}

pub(super) fn flipped_bit(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    for byte in [0, -1] {
        stage.setting.bucket.flip_bit(stage.key()?, byte)?;
        refused(&stage, ErrorCode::ArtifactChecksumMismatch, K::RestoreVerifying)?;
        stage.setting.bucket.flip_bit(stage.key()?, byte)?;
    }
    // The same on the way: the object is whole, what arrives is not.
    let proxy = stage.setting.proxy()?;
    proxy.add(Rule::new(presigned_get(), Action::CorruptResponse(1000)));
    refused(&stage, ErrorCode::ArtifactChecksumMismatch, K::RestoreVerifying)?;
    proxy.clear();
    // The bit back in its place, the backup is as good as ever.
    stage.succeeds(&stage.session()?, &stage.maintenance()).map(drop)
}

pub(super) fn truncated(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let whole = stage.setting.bucket.get(stage.key()?, None)?;
    stage.setting.bucket.put(stage.key()?, &whole[..whole.len() - 1])?;
    refused(&stage, ErrorCode::ArtifactChecksumMismatch, K::RestoreDownloading)?;
    let longer = [&whole[..], b"\0"].concat();
    stage.setting.bucket.put(stage.key()?, longer)?;
    refused(&stage, ErrorCode::ArtifactChecksumMismatch, K::RestoreDownloading)
}

/// Replaces the manifest that the store holds.
fn store_manifest(stage: &Stage<'_>, manifest: &str, hash: Option<&str>) -> Result<()> {
    let metadata = stage.setting.walwarden.metadata().context("the store is Postgres")?;
    let hash = hash.map_or_else(String::new, |hash| format!(", manifest_hash = '{hash}'"));
    let sql = format!(
        "UPDATE backup_jobs SET manifest = $manifest${manifest}$manifest${hash} WHERE id = '{}'",
        stage.backup.id
    );
    stage.context.postgres().psql(&metadata.name, &sql).map(drop)
}

pub(super) fn manifest(context: &TestContext) -> Result<()> {
    context.expect_violation("#/components/schemas/RestoreClaim");
    let stage = Stage::new(context, Store::Postgres)?;
    let metadata = stage.setting.walwarden.metadata().context("the store is Postgres")?;
    let sql = format!("SELECT manifest FROM backup_jobs WHERE id = '{}'", stage.backup.id);
    let original = context.postgres().psql(&metadata.name, &sql)?;
    let before = stage.setting.proxy()?.count(&Matcher::get_object(".dump"));

    // Whoever swaps the artifact has to change the manifest's checksum with it.
    let mut swapped: Value = serde_json::from_str(&original)?;
    swapped["artifact"]["checksumSha256"] = hex::encode(Sha256::digest(b"another artifact")).into();
    let mut unsigned: Value = serde_json::from_str(&original)?;
    unsigned.as_object_mut().context("an object")?.remove("signature");
    let mut extended: Value = serde_json::from_str(&original)?;
    extended["addedLater"] = true.into();
    for document in [&swapped, &unsigned, &extended] {
        store_manifest(&stage, &document.to_string(), None)?;
        refused(&stage, ErrorCode::ManifestSignatureInvalid, K::RestoreClaimed)?;
    }
    // With the hash changed too, so that token, session and manifest agree: the signature still does not.
    let hash = walwarden_contract::manifest::manifest_hash(&swapped)?;
    store_manifest(&stage, &swapped.to_string(), Some(&hash))?;
    refused(&stage, ErrorCode::ManifestSignatureInvalid, K::RestoreClaimed)?;
    ensure!(
        stage.setting.proxy()?.count(&Matcher::get_object(".dump")) == before,
        "the artifact was downloaded under a manifest that does not verify"
    );

    // A manifest that is genuine, of another backup.
    let other = stage.setting.backup_and_wait()?;
    let sql = format!("SELECT manifest FROM backup_jobs WHERE id = '{}'", other.id);
    let genuine = context.postgres().psql(&metadata.name, &sql)?;
    let original_hash = &stage.backup.artifact.as_ref().context("an artifact")?.manifest_hash;
    store_manifest(&stage, &genuine, Some(original_hash))?;
    refused(&stage, ErrorCode::ManifestInvalid, K::RestoreClaimed)?;

    store_manifest(&stage, &original, Some(original_hash))?;
    stage.succeeds(&stage.session()?, &stage.maintenance()).map(drop)
}
