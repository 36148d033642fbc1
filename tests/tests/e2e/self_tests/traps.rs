//! Secrets are found wherever they leak, and programs that overstay are ended.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use walwarden_tests::canary::{Canaries, Place, files_below, percent_encode};
use walwarden_tests::harness::TestContext;

pub(super) fn canary_encodings(context: &TestContext) -> Result<()> {
    use base64::Engine as _;
    let canaries = Canaries::default();
    let secret = canaries.password("a password");
    let engine = base64::engine::general_purpose::STANDARD;
    let dressed = [
        secret.clone(),
        percent_encode(&secret),
        format!("{secret:?}"),
        serde_json::to_string(&secret)?,
        hex::encode(&secret),
        engine.encode(&secret),
        engine.encode(format!("u:{secret}")),
        engine.encode(format!("user:{secret} and more")),
        engine.encode(format!("x:{secret}")),
    ];
    for text in &dressed {
        let planted = context.private().join("planted");
        fs::write(&planted, format!("before {text} after"))?;
        let found = canaries.assert_nowhere(&[Place::Path(&context.private())]);
        let message = format!("{:#}", found.err().with_context(|| format!("{text} was not found"))?);
        ensure!(
            message.contains("a password") && message.contains("planted") && !message.contains(&secret),
            "{message}"
        );
        fs::remove_file(planted)?;
    }
    let argv =
        [b"psql\0postgresql://u:".iter().chain(percent_encode(&secret).as_bytes()).copied().collect::<Vec<u8>>()];
    ensure!(canaries.assert_nowhere(&[Place::Argv(&argv)]).is_err(), "a secret in argv was not found");
    canaries.assert_nowhere(&[Place::Path(&context.private()), Place::Bytes("output", b"nothing to see")])
}

pub(super) fn leak_fails_the_trial(context: &TestContext) -> Result<()> {
    let secret = context.canaries().password("a planted password");
    context.check_canaries()?;
    let output = context.run("/bin/cat").stdin(format!("log line with {secret}")).output()?.success()?;
    let found = context.check_canaries();
    ensure!(format!("{found:?}").contains("a planted password"), "a leak into captured output went unnoticed");
    ensure!(output.stdout_text().ends_with(&secret), "the output is captured as it was");
    for file in files_below(&context.logs())? {
        fs::remove_file(file)?;
    }
    Ok(())
}

pub(super) fn argv_sampler(context: &TestContext) -> Result<()> {
    let canaries = Canaries::default();
    let secret = canaries.secret_key("an argument");
    context
        .run("/bin/sh")
        .args(["-c", "sleep 0.05", &secret])
        .private_output(&context.private())
        .output()?
        .success()?;
    let sampler_saw = context.argv_samples();
    ensure!(canaries.assert_nowhere(&[Place::Argv(&sampler_saw)]).is_err(), "50 ms were too short for the sampler");
    Ok(())
}

pub(super) fn overstays(context: &TestContext) -> Result<()> {
    let sleeper = context.run("/bin/sleep").arg("600").deadline(Duration::from_millis(200));
    let error = sleeper.output().err().context("it was not ended")?;
    ensure!(error.to_string().contains("did not end"), "{error:#}");
    let output = context.run("/usr/bin/env").env("GIVEN", "1").output()?.success()?;
    let text = output.stdout_text();
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    ensure!(names == ["GIVEN", "HOME", "LANG", "PATH"], "the environment is not clean: {names:?}");
    Ok(())
}
