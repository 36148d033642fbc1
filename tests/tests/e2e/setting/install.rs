//! What an operator does once: add a destination and a database, issue an API key.

use anyhow::Result;
use walwarden_contract::{DatabaseId, DestinationId, OrgId, Scope};
use walwarden_tests::harness::TestContext;
use walwarden_tests::s3::Bucket;
use walwarden_tests::walwarden::Walwarden;

use super::field;

/// Where the source's connection string goes: never into arguments.
pub(super) const SOURCE_DSN: &str = "WALWARDEN_SOURCE_DSN";

pub(super) fn add_destination(
    walwarden: &Walwarden<'_>,
    context: &TestContext,
    bucket: &Bucket,
    endpoint: &str,
    lock_mode: &str,
    preflight: bool,
) -> Result<DestinationId> {
    let arguments = [
        ["--name", "bucket"],
        ["--provider", "s3-compatible"],
        ["--endpoint", endpoint],
        ["--bucket", bucket.name()],
        ["--lock-mode", lock_mode],
        ["--retention-days", "1"],
        ["--access-key-id", context.s3().writer_access_key()],
    ];
    let secret = [("WALWARDEN_SECRET_ACCESS_KEY", context.s3().writer_secret_key())];
    let skip: &[&str] = if preflight { &[] } else { &["--skip-preflight"] };
    let added = walwarden.admin(&[&["destination", "add"], arguments.as_flattened(), skip].concat(), &secret)?;
    field(&added, "/id")
}

pub(super) fn add_database(
    walwarden: &Walwarden<'_>,
    name: &str,
    destination: &DestinationId,
    dsn: &str,
    codec: &str,
) -> Result<DatabaseId> {
    let destination = destination.to_string();
    let arguments = [["--name", name], ["--destination", &destination], ["--codec", codec]];
    let added = walwarden.admin(&[&["database", "add"], arguments.as_flattened()].concat(), &[(SOURCE_DSN, dsn)])?;
    field(&added, "/id")
}

pub(super) fn issue_key(walwarden: &Walwarden<'_>, context: &TestContext, scopes: &[Scope]) -> Result<(String, OrgId)> {
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let issued = walwarden.admin_private(&["key", "issue", "--name", "test", "--scope", &scopes.join(",")], &[])?;
    let key: String = field(&issued, "/key")?;
    context.canaries().register("an API key", &key);
    Ok((key, field(&issued, "/orgId")?))
}
