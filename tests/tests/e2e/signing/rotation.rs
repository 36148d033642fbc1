//! Rotations of a key that is in a file.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use walwarden_api::failpoint::Failpoint;
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind;
use walwarden_contract::manifest::key_id;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::{FAILPOINT, Store};

use super::{CURRENT, assert_restorable, assert_signed, key_files, previous, published, result};
use crate::restore::stage::Stage;
use crate::setting::{Options, Setting};

const ROTATE: &[&str] = &["signing-key", "rotate"];

/// A backup before, between and after three rotations: each verifies with the key of its day, and each restores.
pub(super) fn three_times(context: &TestContext) -> Result<()> {
    let mut stage = Stage::new(context, Store::Postgres)?;
    let mut made = Vec::new();
    for _ in 0..3 {
        let rotated = stage.setting.walwarden.admin(ROTATE, &[])?;
        made.push((stage.backup.clone(), previous(&rotated)?));
        // The server that runs knows, and signs on with the key before until it is started again.
        let now = key_id(&published(&stage.setting, CURRENT)?);
        ensure!(rotated["keyId"] == now, "{rotated}");
        let late = stage.setting.backup_and_wait()?;
        assert_signed(&stage.setting, &late, &previous(&rotated)?)?;
        stage.setting.stop()?;
        stage.setting.start()?;
        stage.backup = stage.setting.backup_and_wait()?;
    }
    made.push((stage.backup.clone(), CURRENT.to_owned()));
    assert_restorable(&mut stage, made)?;
    let files = key_files(&stage.setting)?;
    ensure!(files.len() == 4, "the key and three before it: {files:?}");
    for file in files {
        let bits = file.metadata()?.permissions().mode() & 0o777;
        ensure!(bits == 0o600, "{} has mode {bits:o}", file.display());
    }
    let kinds = stage.setting.audit_kinds(stage.setting.org_id)?;
    let rotations = kinds.iter().filter(|kind| **kind == EventKind::SigningKeyRotated).count();
    ensure!(rotations == 3, "{kinds:?}");
    Ok(())
}

/// A rotation dies at each of its boundaries. What starts afterwards signs with the current key of the history, whichever that is.
pub(super) fn killed(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let mut rotations = 0;
    for point in Failpoint::ROTATION {
        let before = key_id(&published(&setting, CURRENT)?);
        let dying =
            setting.walwarden.admin_run(ROTATE, &[(FAILPOINT, &format!("{}=kill", point.as_str()))])?.output()?;
        ensure!(dying.code().is_none(), "{}: it lived\n{dying}", point.as_str());
        let recorded = *point != Failpoint::AfterNextKeyWritten;
        rotations += usize::from(recorded);
        let now = key_id(&published(&setting, CURRENT)?);
        ensure!((now != before) == recorded, "{}: {before}, then {now}", point.as_str());

        setting.stop()?;
        setting.start()?;
        assert_signed(&setting, &setting.backup_and_wait()?, CURRENT)?;
        ensure!(key_id(&published(&setting, CURRENT)?) == now, "{}", point.as_str());
        // Whatever died, the next rotation goes through, and leaves the key and those before it.
        if !recorded {
            let rotated = setting.walwarden.admin(ROTATE, &[])?;
            ensure!(rotated["previousKeyId"] == now, "{rotated}");
            rotations += 1;
            setting.stop()?;
            setting.start()?;
            assert_signed(&setting, &setting.backup_and_wait()?, CURRENT)?;
        }
        let files = key_files(&setting)?;
        ensure!(files.len() == rotations + 1, "{}: {files:?}", point.as_str());
    }
    let kinds = setting.audit_kinds(setting.org_id)?;
    let told = kinds.iter().filter(|kind| **kind == EventKind::SigningKeyRotated).count();
    ensure!(told == rotations, "{rotations} rotations: {kinds:?}");
    setting.assert_no_leftovers()
}

/// A key is revoked while a server still signs with it: the server makes no backup any more, and what came before counts.
pub(super) fn revoked(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Postgres, Options::default())?;
    let before = setting.backup_and_wait()?;
    let rotated = setting.walwarden.admin(ROTATE, &[])?;
    let old: String = rotated["previousKeyId"].as_str().context("an id")?.to_owned();
    let current: String = rotated["keyId"].as_str().context("an id")?.to_owned();
    let revoke =
        |id: &str| setting.walwarden.admin_run(&["signing-key", "revoke", id, "--reason", "laptop stolen"], &[]);
    for (id, code) in [(current.as_str(), 2), ("wk_0011223344556677", 2)] {
        revoke(id)?.output()?.exit(code)?;
    }
    revoke(&old)?.output()?.success()?;
    setting.backup_fails(ErrorCode::SigningFailed)?;
    ensure!(result(&setting, &before)? == "passed");

    setting.stop()?;
    setting.start()?;
    assert_signed(&setting, &before, &previous(&rotated)?)?;
    assert_signed(&setting, &setting.backup_and_wait()?, CURRENT)?;
    let listed = setting.walwarden.admin(&["signing-key", "list"], &[])?;
    let state = |index: usize| listed["signingKeys"][index]["state"].as_str().map(str::to_owned);
    ensure!(state(0).as_deref() == Some("revoked") && state(1).as_deref() == Some("current"), "{listed}");
    ensure!(listed["signingKeys"][0]["reason"] == "laptop stolen", "{listed}");
    let kinds = setting.audit_kinds(setting.org_id)?;
    ensure!(kinds.contains(&EventKind::SigningKeyRevoked), "{kinds:?}");
    Ok(())
}
