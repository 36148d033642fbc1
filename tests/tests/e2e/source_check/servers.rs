//! What stands on the way to a server: poolers and TLS.

use anyhow::{Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::make_certificate;
use walwarden_tests::walwarden::{Store, Walwarden};

use super::{assert_status, check, look};

/// `PgBouncer` is told by what it does, whatever it is called.
pub(super) fn poolers(context: &TestContext) -> Result<()> {
    let walwarden = Walwarden::init(context, Store::Sqlite)?;
    let (source, postgres) = (context.database()?, context.postgres());
    let pooler = postgres.pooler(&source, "transaction", &context.private())?;
    let dsn = source.dsn_with(&source.password, pooler.port());
    // Again and again: what one look leaves behind must not mislead the next.
    for _ in 0..3 {
        let found = look(&walwarden, &dsn, Some(ErrorCode::SourcePooled))?;
        assert_status(&found, &[("pooler", "failed"), ("authentication", "passed"), ("tables", "passed")])?;
    }
    let found = look(&walwarden, &format!("{dsn}?options=-c%20work_mem%3D8MB"), Some(ErrorCode::SourcePooled))?;
    ensure!(check(&found, "pooler")?["evidence"].as_str().is_some_and(|text| text.contains("PgBouncer")), "{found}");

    let pooler = postgres.pooler(&source, "session", &context.private())?;
    let dsn = source.dsn_with(&source.password, pooler.port());
    for _ in 0..3 {
        let found = look(&walwarden, &dsn, None)?;
        assert_status(&found, &[("pooler", "passed")])?;
        ensure!(
            check(&found, "pooler")?["evidence"].as_str().is_some_and(|text| text.contains("by the session")),
            "{found}"
        );
    }
    let found = look(&walwarden, &source.dsn(), None)?;
    ensure!(check(&found, "pooler")?["evidence"].as_str().is_some_and(|text| text.contains("no pooler")), "{found}");
    Ok(())
}

/// Off, on, on and verified, and on with a certificate that nobody trusts.
pub(super) fn tls(context: &TestContext) -> Result<()> {
    let walwarden = Walwarden::init(context, Store::Sqlite)?;
    let postgres = context.own_postgres()?;
    let source = postgres.create_database(context.canaries())?;
    let evidence = |parameters: &str| -> Result<String> {
        let found = look(&walwarden, &format!("{}?{parameters}", source.dsn()), None)?;
        assert_status(&found, &[("tls", "passed")])?;
        Ok(check(&found, "tls")?["evidence"].as_str().unwrap_or_default().to_owned())
    };
    ensure!(evidence("sslmode=prefer")?.contains("no TLS"), "the server does not offer it yet");
    let found = look(&walwarden, &format!("{}?sslmode=require", source.dsn()), Some(ErrorCode::SourceTlsFailed))?;
    assert_status(&found, &[("reachability", "passed"), ("tls", "failed"), ("authentication", "skipped")])?;

    let trusted = postgres.enable_tls()?;
    ensure!(evidence("sslmode=prefer")?.starts_with("TLSv1."), "it is offered now");
    ensure!(evidence("sslmode=disable")?.contains("no TLS"), "the client does not want it");
    let verified = evidence(&format!("sslmode=verify-full&sslrootcert={}", trusted.display()))?;
    ensure!(verified.contains("is verified"), "{verified}");

    let (key, stranger) = (context.directory().join("stranger.key"), context.directory().join("stranger.crt"));
    make_certificate(context.directory(), &key, &stranger)?;
    let distrust = format!("{}?sslmode=verify-full&sslrootcert={}", source.dsn(), stranger.display());
    let found = look(&walwarden, &distrust, Some(ErrorCode::SourceTlsFailed))?;
    assert_status(&found, &[("reachability", "passed"), ("tls", "failed")])
}
