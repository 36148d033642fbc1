//! Preflight against a real endpoint, in this process.

use tokio_util::sync::CancellationToken;
use walwarden_contract::model::{CheckStatus as S, LockMode, PreflightCheck, PreflightCheckId as C};
use walwarden_contract::{DestinationId, ErrorCode, OrgId};

use super::*;
use crate::commands::demo::bucket;
use crate::secrets::Credentials;
use crate::store::destinations::Destination;
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
    let (system, _) = manual();
    let destination = Destination {
        id: DestinationId::from_uuid(system.uuid()),
        org_id: OrgId::from_uuid(system.uuid()),
        name: "bucket".to_owned(),
        provider: "s3_compatible".to_owned(),
        endpoint: Some(served.endpoint.clone()),
        region: "us-east-1".to_owned(),
        bucket: bucket.to_owned(),
        addressing: "path".to_owned(),
        checksum_mode: "none".to_owned(),
        lock_mode: lock_mode.as_str().to_owned(),
        retention_days: 30,
        trial: false,
        sealed_credentials: String::new(),
        created_at: system.now(),
        updated_at: system.now(),
    };
    let bucket = Bucket::connect_impatiently(&destination, credentials).expect("connects");
    let report = run(&bucket, &system, destination.org_id, destination.id).await;
    let shown = serde_json::to_string(&report).expect("JSON");
    assert!(!shown.contains("canary") && !shown.contains("X-Amz-Signature"), "{shown}");
    report
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
        (C::PutObject, S::Passed),
        (C::GetObject, S::Passed),
        (C::HeadObject, S::Passed),
        (C::ObjectLock, S::Skipped),
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
    let lock = &report.checks[3];
    assert!(report.result == S::Failed && lock.id == C::ObjectLock && lock.status == S::Failed, "{report:?}");
    assert!(lock.code.is_some() && lock.remediation.is_some());
    assert_eq!(report.checks[5].status, S::Passed);
}

#[tokio::test]
async fn what_cannot_be_written_to_is_not_looked_at_further_and_the_reason_is_told() {
    let served = served().await;
    let wrong = Credentials { access_key_id: "id".to_owned(), secret_access_key: "canary-wrong".into() };
    let closed = Served { endpoint: "http://127.0.0.1:9".to_owned(), ..self::served().await };
    for (report, code) in [
        (report(&served, bucket::BUCKET, LockMode::None, &wrong).await, ErrorCode::DestinationAccessDenied),
        (report(&closed, bucket::BUCKET, LockMode::None, &served.credentials).await, ErrorCode::DestinationUnreachable),
    ] {
        assert_eq!(report.checks[0].code, Some(code.into()), "{report:?}");
        assert!(report.checks[0].remediation.is_some());
        assert!(report.result == S::Failed && report.checks.len() == 6, "{report:?}");
        assert!(report.checks[1..].iter().all(|check| check.status == S::Skipped), "{report:?}");
    }
}
