//! The S3 server enforces what the product relies on.

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::types::ObjectLockRetentionMode;
use walwarden_tests::harness::TestContext;

pub(super) fn object_lock(context: &TestContext) -> Result<()> {
    let bucket = context.bucket(true)?;
    let version = bucket.put_retained("kept", "precious", ObjectLockRetentionMode::Governance, 3600)?;
    let retention = bucket.object_retention("kept")?.context("retention is shown")?;
    ensure!(retention.mode == "GOVERNANCE", "{retention:?}");
    let refused = bucket.delete_version("kept", &version, false);
    ensure!(refused.is_err(), "a retained version was deleted");
    // Tampering puts a new version in front; the retained one is still there.
    bucket.flip_bit("kept", 0)?;
    ensure!(
        bucket.get("kept", None)? != b"precious" && bucket.get("kept", Some(&version))? == b"precious",
        "versions are wrong"
    );
    ensure!(bucket.versions("kept")?.len() == 2, "two versions expected");
    bucket.delete_version("kept", &version, true)?;
    ensure!(bucket.get("kept", Some(&version)).is_err(), "bypassing GOVERNANCE did nothing");
    let unlocked = context.bucket(false)?;
    unlocked.put("free", "x")?;
    ensure!(unlocked.object_retention("free")?.is_none(), "retention out of nowhere");
    Ok(())
}

pub(super) fn flipped_bit(context: &TestContext) -> Result<()> {
    let bucket = context.bucket(false)?;
    bucket.put("a/object", vec![0_u8; 1000])?;
    bucket.flip_bit("a/object", -1)?;
    let bytes = bucket.get("a/object", None)?;
    ensure!(
        bytes.iter().map(|byte| byte.count_ones()).sum::<u32>() == 1 && bytes[999] == 1,
        "not the last byte's lowest bit"
    );
    ensure!(
        bucket.list_objects("a/")?.len() == 1 && bucket.list_objects("b/")?.is_empty(),
        "listing by prefix is wrong"
    );
    Ok(())
}
