//! Restores that succeed: equal content, the whole chain, and nothing told that the API must not know.

use std::fs;

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_tests::harness::TestContext;
use walwarden_tests::s3::KMS_KEY;
use walwarden_tests::walwarden::Store;

use super::stage::Stage;
use crate::setting::{Options, field};

/// An Ed25519 key that signed nothing here: the example of RFC 8410.
const FOREIGN_KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

fn locked(rows: u32) -> Options {
    Options { rows, ..Options::proxied() }
}

pub(super) fn named_database(context: &TestContext, store: Store) -> Result<()> {
    let stage = Stage::with(context, store, locked(1500))?;
    let session = stage.session()?;
    let created = session.created.clone().context("a name")?;
    let output = stage.succeeds(&session, &stage.maintenance())?;
    stage.assert_restored(&created)?;
    let lines = output.json_lines()?;
    let (verified, last) = (&lines[2], &lines[5]);
    let artifact = stage.backup.artifact.as_ref().context("an artifact")?;
    for line in [verified, last] {
        let checksum: String = field(line, "/payload/checksumSha256")?;
        ensure!(checksum == artifact.checksum_sha256, "{line}");
    }
    ensure!(
        last["payload"]["bytesRestored"] == artifact.size_bytes && last["payload"]["database"] == created,
        "{last}"
    );
    let order: Vec<jiff::Timestamp> = lines.iter().map(|line| field(line, "/at")).collect::<Result<_>>()?;
    ensure!(order.is_sorted(), "{output}");
    let statistics = "SELECT count(*) FROM pg_stats WHERE schemaname = 'shop'";
    ensure!(context.postgres().psql(&created, statistics)? != "0", "ANALYZE was not run");
    stage.setting.assert_no_leftovers()
}

pub(super) fn another_cluster(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let other = context.own_postgres()?;
    let target = other.create_database(context.canaries())?.sibling("postgres");
    let session = stage.open(RestoreMode::NewDatabase, None)?;
    // Roles are not in a backup, and the source's owner does not exist over there.
    let run = stage.restore(&session, &target)?.args(["--no-owner", "--no-acl"]);
    stage.assert_completed(&session, &run.output()?)?;
    let restored = other.table_digests(&stage.setting.source.name)?;
    ensure!(restored == stage.digests, "{restored:#?}");
    Ok(())
}

pub(super) fn in_place(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let (postgres, target) = (context.postgres(), stage.copy_of_source()?);
    postgres.psql_as_owner(
        &target,
        "UPDATE shop.customers SET name = 'lost'; DELETE FROM shop.order_items; DROP INDEX shop.orders_by_day;
         DROP TABLE shop.settings; ALTER TABLE shop.documents ADD COLUMN extra int;
         CREATE TABLE public.unrelated AS SELECT 1 AS n;",
    )?;
    ensure!(postgres.table_digests(&target.name)? != stage.digests, "the copy is to differ");
    let session = stage.open(RestoreMode::InPlace, None)?;
    stage.succeeds(&session, &target)?;
    let mut restored = postgres.table_digests(&target.name)?;
    // What the backup does not hold stays.
    ensure!(restored.remove("public.unrelated").is_some(), "{restored:#?}");
    ensure!(restored == stage.digests, "{restored:#?}");
    // And again, over what was restored: a drill is repeatable.
    stage.succeeds(&stage.open(RestoreMode::InPlace, None)?, &target)?;
    postgres.psql_as_owner(&target, "DROP TABLE public.unrelated")?;
    stage.assert_restored(&target.name)
}

pub(super) fn pinned_key(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let published = stage.setting.server()?.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let keys = context.directory().join("keys");
    fs::create_dir(&keys)?;
    let (own, foreign) = (keys.join("own.pem"), keys.join("foreign.pem"));
    fs::write(&own, &published.body)?;
    fs::write(&foreign, FOREIGN_KEY)?;

    let session = stage.session()?;
    let refused = stage.restore(&session, &stage.maintenance())?.arg("--pubkey").arg(&foreign).output()?;
    let code = ErrorCode::ManifestSignatureInvalid;
    stage.assert_failed(&session, &refused, code, RestoreState::FailedTerminal, K::RestoreClaimed)?;
    stage.assert_untouched(&session)?;

    let session = stage.session()?;
    let pinned = stage.restore(&session, &stage.maintenance())?.arg("--pubkey").arg(&own).output()?;
    stage.assert_completed(&session, &pinned)
}

/// Whoever may read an object that the bucket encrypts gets its bytes in the clear: a presigned URL needs nothing more.
pub(super) fn encrypted_by_the_bucket(context: &TestContext) -> Result<()> {
    let mut stage = Stage::with(context, Store::Sqlite, locked(1500))?;
    let key = format!("--kms-key-id={KMS_KEY}");
    for flags in [&["--encryption", "sse_s3"][..], &["--encryption", "sse_kms", &key]] {
        stage.setting.update_destination(flags, &[])?;
        stage.backup = stage.setting.backup_and_wait()?;
        let session = stage.session()?;
        stage.succeeds(&session, &stage.maintenance())?;
        stage.assert_restored(session.created.as_deref().context("a name")?)?;
    }
    stage.setting.assert_no_leftovers()
}
