//! Preflight against endpoints in this process.

mod amazon;
mod encryption;
mod stand_in;

use tokio_util::sync::CancellationToken;
use walwarden_contract::model::{CheckStatus as S, LockMode, PreflightCheck, PreflightCheckId as C, Provider};
use walwarden_contract::{DestinationId, ErrorCode, OrgId};

use super::*;
use crate::commands::demo::bucket;
use crate::secrets::{Access, Credentials};
use crate::store::destinations::{Destination, Verification};
use crate::system::tests::manual;

struct Served {
    directory: tempfile::TempDir,
    endpoint: String,
    credentials: Credentials,
    _stop: tokio_util::sync::DropGuard,
}

async fn served() -> Served {
    let directory = tempfile::tempdir().expect("a directory");
    let credentials = Credentials { access_key_id: "id".to_owned(), secret_access_key: "canary-secret".into() };
    let stop = CancellationToken::new();
    let address = bucket::serve(directory.path(), &credentials, stop.clone()).await.expect("serves");
    Served { directory, endpoint: format!("http://{address}"), credentials, _stop: stop.drop_guard() }
}

async fn report(served: &Served, bucket: &str, lock_mode: LockMode, credentials: &Credentials) -> PreflightReport {
    report_of(Provider::S3Compatible, served, bucket, lock_mode, credentials).await
}

async fn report_of(
    provider: Provider,
    served: &Served,
    bucket: &str,
    lock_mode: LockMode,
    credentials: &Credentials,
) -> PreflightReport {
    report_at(provider, "us-east-1", &served.endpoint, bucket, lock_mode, credentials).await
}

async fn report_at(
    provider: Provider,
    region: &str,
    endpoint: &str,
    bucket: &str,
    lock_mode: LockMode,
    credentials: &Credentials,
) -> PreflightReport {
    looked(&destination(provider, region, endpoint, bucket, lock_mode), credentials).await.report
}

fn destination(provider: Provider, region: &str, endpoint: &str, bucket: &str, lock_mode: LockMode) -> Destination {
    let (system, _) = manual();
    Destination {
        id: DestinationId::from_uuid(system.uuid()),
        org_id: OrgId::from_uuid(system.uuid()),
        name: "bucket".to_owned(),
        provider: provider.as_str().to_owned(),
        endpoint: Some(endpoint.to_owned()),
        region: region.to_owned(),
        bucket: bucket.to_owned(),
        addressing: "path".to_owned(),
        checksum_mode: "none".to_owned(),
        lock_mode: lock_mode.as_str().to_owned(),
        retention_days: 30,
        trial: false,
        sealed_credentials: String::new(),
        role: None,
        encryption: "none".to_owned(),
        kms_key_id: None,
        verification: Verification::due(system.now()),
        created_at: system.now(),
        updated_at: system.now(),
    }
}

async fn looked(destination: &Destination, credentials: &Credentials) -> Look {
    let (system, _) = manual();
    let bucket = Bucket::connect_impatiently(destination, &Access::Key(credentials.clone())).expect("connects");
    let look = run(&bucket, &system, destination).await;
    let shown = serde_json::to_string(&look.report).expect("JSON");
    assert!(!shown.contains("canary") && !shown.contains("X-Amz-Signature"), "{shown}");
    look
}

fn statuses(report: &PreflightReport) -> Vec<(C, S)> {
    let known = |check: &PreflightCheck| Some((check.id.known()?, check.status.known()?));
    report.checks.iter().filter_map(known).collect()
}

#[tokio::test]
async fn a_bucket_that_does_all_that_a_backup_asks_passes_and_is_left_empty() {
    let served = served().await;
    let report = report(&served, bucket::BUCKET, LockMode::None, &served.credentials).await;
    let expected = [
        (C::Bucket, S::NotVerifiable),
        (C::PutObject, S::Passed),
        (C::GetObject, S::Passed),
        (C::HeadObject, S::Passed),
        (C::ObjectLockConfiguration, S::Skipped),
        (C::ObjectLock, S::Skipped),
        (C::Versioning, S::Skipped),
        (C::PublicAccessBlock, S::Passed),
        (C::TlsOnly, S::NotVerifiable),
        (C::DefaultEncryption, S::NotVerifiable),
        (C::MultipartUpload, S::Passed),
        (C::Cleanup, S::Passed),
    ];
    assert_eq!((report.result.known(), statuses(&report)), (Some(S::Passed), expected.to_vec()), "{report:?}");
    assert!(!holds_a_file(&served.directory.path().join(bucket::BUCKET)), "something was left in the bucket");
}

/// Whether any file with content is below a directory.
fn holds_a_file(directory: &std::path::Path) -> bool {
    std::fs::read_dir(directory).expect("lists").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() { holds_a_file(&path) } else { true }
    })
}

#[tokio::test]
async fn a_bucket_that_keeps_no_locks_fails_that_check_and_is_cleaned_up() {
    let served = served().await;
    let report = report(&served, bucket::BUCKET, LockMode::Governance, &served.credentials).await;
    let lock = of(&report, C::ObjectLock);
    assert!(report.result == S::Failed && lock.status == S::Failed, "{report:?}");
    assert!(lock.code.is_some() && lock.remediation.is_some());
    assert_eq!(of(&report, C::Cleanup).status, S::Passed);
}

fn of(report: &PreflightReport, id: C) -> &PreflightCheck {
    report.checks.iter().find(|check| check.id == id).expect("every check is told")
}

#[tokio::test]
async fn amazon_has_to_tell_where_others_may_not() {
    let served = served().await;
    let report = report_of(Provider::Aws, &served, bucket::BUCKET, LockMode::None, &served.credentials).await;
    for id in [C::Bucket, C::PublicAccessBlock, C::TlsOnly, C::DefaultEncryption] {
        let check = of(&report, id);
        assert!(check.status == S::Failed && check.code.is_some() && check.remediation.is_some(), "{check:?}");
    }
    assert_eq!(of(&report, C::PutObject).status, S::Passed);
}

#[tokio::test]
async fn what_googles_buckets_do_not_show_is_said_with_the_command_that_shows_it() {
    let served = served().await;
    let report = report_of(Provider::Gcs, &served, bucket::BUCKET, LockMode::None, &served.credentials).await;
    for id in [C::ObjectLockConfiguration, C::ObjectLock] {
        let check = of(&report, id);
        let how = check.remediation.as_deref().unwrap_or_default();
        assert!(check.status == S::NotVerifiable && how.contains("gcloud storage buckets describe gs://"), "{check:?}");
    }
    assert_eq!(report.result, S::Passed);
}

#[tokio::test]
async fn what_cannot_be_written_to_is_not_looked_at_further_and_the_reason_is_told() {
    let served = served().await;
    let wrong = Credentials { access_key_id: "id".to_owned(), secret_access_key: "canary-wrong".into() };
    let closed = Served { endpoint: "http://127.0.0.1:9".to_owned(), ..self::served().await };
    let denied = report(&served, bucket::BUCKET, LockMode::None, &wrong).await;
    let silent = report(&closed, bucket::BUCKET, LockMode::None, &served.credentials).await;
    for (report, at, code) in
        [(denied, 1, ErrorCode::DestinationAccessDenied), (silent, 0, ErrorCode::DestinationUnreachable)]
    {
        assert_eq!(report.checks[at].code, Some(code.into()), "{report:?}");
        assert!(report.checks[at].remediation.is_some());
        assert!(report.result == S::Failed && report.checks.len() == 12, "{report:?}");
        assert!(report.checks[at + 1..].iter().all(|check| check.status == S::Skipped), "{report:?}");
    }
}
