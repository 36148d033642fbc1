//! The way from the bucket to the restore machine: interrupted, refused, expired.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::RestoreState;
use walwarden_tests::fault_proxy::{Action, FaultProxy, Matcher, Rule, SeenRequest};
use walwarden_tests::harness::TestContext;
use walwarden_tests::runtime::block_on;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Store, http_client};

use super::stage::Stage;
use crate::SOON;
use crate::setting::Options;

/// A `GET` of the artifact under a presigned URL: the restore machine's.
pub(super) fn presigned_get() -> Matcher {
    Matcher::get_object(".dump").query("X-Amz-Signature")
}

pub(super) fn dropped_connections(context: &TestContext) -> Result<()> {
    // More than one range of 8 MiB, so that one is cut while others arrive.
    let options = Options { bulk_mib: 10, codec: "none", ..Options::proxied() };
    let stage = Stage::with(context, Store::Sqlite, options)?;
    let proxy = stage.setting.proxy()?;
    let cut = proxy.add(Rule::new(presigned_get(), Action::TruncateResponse(3_000_000)).nth(2));
    let dropped = proxy.add(Rule::new(presigned_get(), Action::DropBeforeForward).nth(3));
    let busy = Action::Respond { status: 503, code: "SlowDown".into() };
    let busy = proxy.add(Rule::new(presigned_get(), busy).nth(1));
    let session = stage.session()?;
    stage.succeeds(&session, &stage.maintenance())?;
    stage.assert_restored(session.created.as_ref().context("a name")?)?;
    let hits = [cut.hits(), dropped.hits(), busy.hits()];
    ensure!(hits == [1, 1, 1] && proxy.count(&presigned_get()) >= 5, "{hits:?}");
    Ok(())
}

pub(super) fn missing(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let artifact = stage.setting.bucket.get(stage.key()?, None)?;
    stage.setting.bucket.delete(stage.key()?)?;
    let session = stage.session()?;
    let output = stage.restore(&session, &stage.maintenance())?.output()?;
    let code = ErrorCode::DownloadFailed;
    stage.assert_failed(&session, &output, code, RestoreState::FailedRetryable, K::RestoreDownloading)?;
    stage.assert_untouched(&session)?;
    // What the exit code promises: another session may succeed.
    stage.setting.bucket.put(stage.key()?, artifact)?;
    stage.succeeds(&stage.session()?, &stage.maintenance()).map(drop)
}

/// Whether the bucket still honours a presigned request that the proxy holds.
fn honoured(stage: &Stage<'_>, held: &SeenRequest) -> Result<bool> {
    let query: Vec<String> = held.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let url = format!("{}{}?{}", stage.context.s3().endpoint(), held.path, query.join("&"));
    // The signature covers the host that the restore machine speaks to: the proxy.
    let host = stage.setting.proxy()?.address().to_string();
    let request = http_client()?.get(url).header("host", host).header("range", "bytes=0-0");
    Ok(block_on(async { request.send().await })?.status().is_success())
}

pub(super) fn expired_url(context: &TestContext) -> Result<()> {
    let options =
        Options { object_lock: false, lock_mode: "none", serve: &["--presign-seconds", "1"], ..Options::proxied() };
    let stage = Stage::with(context, Store::Sqlite, options)?;
    let api = FaultProxy::start(stage.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    let first = stage.setting.proxy()?.add(Rule::new(presigned_get(), Action::Hold).nth(1));
    let session = stage.session()?;
    let run = stage.restore(&session, &stage.maintenance())?;
    let restore = run.env("WALWARDEN_BASE_URL", api.endpoint()).spawn()?;
    let held = first.wait_hit(SOON)?;
    wait_for("the presigned URL to expire", Duration::from_secs(20), || Ok((!honoured(&stage, &held)?).then_some(())))?;
    first.release();
    stage.assert_completed(&session, &restore.wait(SOON)?)?;
    stage.assert_restored(session.created.as_ref().context("a name")?)?;
    let renewals = api.count(&Matcher::method("POST").path_ends("/artifact-url"));
    ensure!(renewals >= 1, "{:?}", api.requests());
    Ok(())
}
