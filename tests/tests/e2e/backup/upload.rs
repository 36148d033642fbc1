//! Buckets that hold or return something else than they were sent.

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::{FAILED_FINALIZING, ONE_ATTEMPT};
use crate::setting::{Options, Setting};

/// The manifest comes back different: nothing proves that there is one.
pub(super) fn corrupted_manifest(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    // The answer that there is none yet is shorter, and passes unchanged.
    let manifest = Matcher::get_object(".manifest.json");
    let spoilt = setting.proxy()?.add(Rule::new(manifest, Action::CorruptResponse(700)));
    let backup = setting.backup_fails(ErrorCode::ArtifactMismatch)?;
    ensure!(spoilt.hits() > 0 && backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    setting.assert_quiet()
}

/// Half of the object comes back.
pub(super) fn truncated_read_back(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied().serve(ONE_ATTEMPT))?;
    setting.proxy()?.add(Rule::new(Matcher::get_object(".dump"), Action::TruncateResponse(5000)));
    let backup = setting.backup_fails(ErrorCode::DestinationUnreachable)?;
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    no_manifest(&setting)
}

/// What stands under the artifact's key is whole, as invariant 1 asks; without a manifest nobody takes it for a backup.
pub(super) fn no_manifest(setting: &Setting<'_>) -> Result<()> {
    let keys = setting.keys()?;
    ensure!(keys.len() == 1 && keys[0].strip_suffix(".dump").is_some(), "{keys:?}");
    setting.assert_quiet()
}

/// Somebody else's object under the artifact's key is neither overwritten nor taken for the artifact.
pub(super) fn occupied_key(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let gate = setting.proxy()?.add(Rule::new(Matcher::complete_multipart(), Action::Hold).nth(1));
    let (id, command) = setting.trigger_waiting()?;
    let held = gate.wait_hit(crate::SOON)?;
    let key = held.path.split_once(setting.bucket.name()).context("a path names the bucket")?.1;
    let key = key.trim_start_matches('/').to_owned();
    setting.bucket.put(&key, b"somebody else's".to_vec())?;
    gate.release();
    setting.assert_backup_failed(&command.wait(crate::SOON)?, ErrorCode::ArtifactKeyOccupied)?;
    let backup = setting.wait_ended(id, BackupState::FailedTerminal)?;
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    ensure!(
        setting.bucket.get(&key, None)? == b"somebody else's" && setting.bucket.versions(&key)?.len() == 1,
        "the object that was there is gone"
    );
    setting.assert_quiet()
}

/// Every write carries the checksum without which a bucket takes no locked object, whichever the destination's mode is; and what
/// preflight tries out is what a backup does.
pub(super) fn checksums(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::multipart())?;
    setting.backup_and_wait()?;
    let of_none = setting.proxy()?.requests();
    setting.update_destination(&["--checksum-mode", "crc32"], &[])?;
    setting.backup_and_wait()?;
    let of_crc32 = setting.proxy()?.requests().split_off(of_none.len());
    // Three parts and a manifest, and in the second case what a preflight has sent beside them.
    for (requests, wanted, other, least) in [
        (of_none, "content-md5: ", "x-amz-checksum-crc32", (3, 1)),
        (of_crc32, "x-amz-checksum-crc32", "content-md5: ", (4, 3)),
    ] {
        let (mut parts, mut objects) = (0, 0);
        // A checkpoint may be on its way while the destination changes.
        let puts = requests.iter().filter(|request| request.method == "PUT" && !request.path.contains("/checkpoints/"));
        for request in puts {
            let head = String::from_utf8_lossy(&request.head).to_lowercase();
            ensure!(head.contains(wanted) && !head.contains(other), "{head}");
            let counted = if Matcher::upload_part(None).matches(request) { &mut parts } else { &mut objects };
            *counted += 1;
        }
        ensure!(parts >= least.0 && objects >= least.1, "{parts} parts, {objects} objects");
        let begun = requests.iter().filter(|request| Matcher::create_multipart().matches(request));
        for request in begun {
            let head = String::from_utf8_lossy(&request.head).to_lowercase();
            ensure!(head.contains("x-amz-checksum-algorithm: crc32") == (wanted == "x-amz-checksum-crc32"), "{head}");
        }
    }
    setting.assert_quiet()
}
