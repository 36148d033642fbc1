//! A key in a PKCS#11 token: `SoftHSM`, which speaks what hardware speaks.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use walwarden_contract::manifest::key_id;
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use super::{CURRENT, assert_restorable, previous, published};
use crate::SOON;
use crate::restore::stage::Stage;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// Makes a token, and answers its user's PIN. PINs are typed: arguments are searched for them.
fn make_token(context: &TestContext, configuration: &Path) -> Result<String> {
    ensure!(Path::new(MODULE).exists(), "no SoftHSM at {MODULE}: run `make setup`");
    let tokens = context.directory().join("tokens");
    fs::create_dir(&tokens)?;
    let lines = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    fs::write(configuration, lines)?;
    let (officer, user) = (context.canaries().secret_key("an officer's PIN"), context.canaries().secret_key("a PIN"));
    let made = ["--init-token", "--free", "--label", "walwarden"];
    let run = context.run("softhsm2-util").args(made).env("SOFTHSM2_CONF", configuration);
    let mut terminal = run.on_terminal(false)?;
    let asked = [
        ("enter SO PIN", &officer),
        ("reenter SO PIN", &officer),
        ("enter user PIN", &user),
        ("reenter user PIN", &user),
    ];
    for (prompt, pin) in asked {
        terminal.wait_shown(prompt, SOON)?;
        wait_for("the terminal to show nothing that is typed", SOON, || Ok((!terminal.echoes()?).then_some(())))?;
        terminal.type_line(pin)?;
    }
    terminal.wait(SOON)?.success()?;
    Ok(user)
}

/// From a file into the token, and from one key of the token to the next: every backup verifies with what is published, and restores.
pub(super) fn signs(context: &TestContext) -> Result<()> {
    let mut stage = Stage::new(context, Store::Sqlite)?;
    let configuration = context.directory().join("softhsm2.conf");
    let pin = make_token(context, &configuration)?;
    let walwarden = &mut stage.setting.walwarden;
    walwarden.set_env("SOFTHSM2_CONF", &configuration.display().to_string());
    walwarden.set_env("WALWARDEN_PKCS11_MODULE", MODULE);
    walwarden.set_env("WALWARDEN_PKCS11_TOKEN", "walwarden");
    let wrong = [("WALWARDEN_PKCS11_PIN", "0000 is not it")];
    let to_first = ["signing-key", "rotate", "--to-key-label", "first"];
    let refused = walwarden.admin_run(&to_first, &wrong)?.output()?.exit(2)?;
    ensure!(refused.stdout_text().contains("PinIncorrect"), "{refused}");
    let nowhere = walwarden.admin_run(&["signing-key", "list"], &[("WALWARDEN_PKCS11_KEY_LABEL", "nowhere")])?;
    nowhere.output()?.exit(2)?;

    walwarden.set_env("WALWARDEN_PKCS11_PIN", &pin);
    let mut made = Vec::new();
    for label in ["first", "second"] {
        let setting = &mut stage.setting;
        let rotated = setting.walwarden.admin(&["signing-key", "rotate", "--to-key-label", label], &[])?;
        ensure!(rotated["keptIn"] == format!("pkcs11:{label}"), "{rotated}");
        made.push((stage.backup.clone(), previous(&rotated)?));
        setting.stop()?;
        // The key before signs no more, and says so.
        let retired = setting.walwarden.api(["serve", "--listen", "127.0.0.1:0"])?.output()?.exit(2)?;
        let said = retired.stderr_text();
        ensure!(said.contains(&format!("pkcs11:{label}")), "{said}");
        setting.walwarden.unset_env("WALWARDEN_PKCS11_KEY_LABEL");
        setting.walwarden.set_env("WALWARDEN_PKCS11_KEY_LABEL", label);
        setting.start()?;
        ensure!(rotated["keyId"] == key_id(&published(setting, CURRENT)?), "{rotated}");
        stage.backup = setting.backup_and_wait()?;
    }
    made.push((stage.backup.clone(), CURRENT.to_owned()));
    assert_restorable(&mut stage, made)?;
    let listed = stage.setting.walwarden.admin(&["signing-key", "list"], &[])?;
    let kept: Vec<_> =
        listed["signingKeys"].as_array().context("keys")?.iter().map(|key| key["keptIn"].clone()).collect();
    ensure!(kept == ["file", "pkcs11:first", "pkcs11:second"], "{kept:?}");
    Ok(())
}
