//! What preflight makes of each answer of a bucket: of Amazon's, and of one whose provider need not have all of them.

use walwarden_contract::model::{
    CheckStatus as S, Encryption, LockMode, PreflightCheckId as C, PreflightReport, Provider,
};
use walwarden_contract::{DestinationId, ErrorCode as E, OrgId};

use super::super::target::Target;
use super::stand_in::{Answer, BUCKET, REGION, serve};
use super::{LeftProbe, MAX_LEFT, after, destination, looked, of, report_at, statuses};
use crate::secrets::Credentials;

pub(super) fn credentials() -> Credentials {
    Credentials { access_key_id: "id".to_owned(), secret_access_key: "canary-secret".into() }
}

pub(super) fn target(provider: Provider) -> Target {
    Target {
        id: DestinationId::from_uuid(uuid::Uuid::from_u128(1)),
        org_id: OrgId::from_uuid(uuid::Uuid::from_u128(2)),
        provider,
        endpoint: None,
        region: REGION.to_owned(),
        bucket: BUCKET.to_owned(),
        role: None,
        lock_mode: LockMode::Governance,
        retention_days: 30,
        encryption: Encryption::None,
        kms_key_id: None,
        expires: false,
    }
}

async fn asked(provider: Provider, instead: &[(&'static str, Answer)]) -> PreflightReport {
    let endpoint = serve(&target(provider), instead.iter().cloned()).await;
    report_at(provider, REGION, &endpoint, BUCKET, LockMode::Governance, &credentials()).await
}

pub(super) fn with(report: &PreflightReport, status: S) -> Vec<C> {
    statuses(report).into_iter().filter(|(_, found)| *found == status).map(|(id, _)| id).collect()
}

#[tokio::test]
async fn probes_that_locks_hold_are_deleted_by_a_later_run_once_the_locks_have_ended() {
    let endpoint = serve(&target(Provider::Aws), []).await;
    let mut destination = destination(Provider::Aws, REGION, &endpoint, BUCKET, LockMode::Governance);
    let now = destination.created_at;
    let probe = |key: &str, millis| LeftProbe { key: key.to_owned(), version: None, until: after(now, millis) };
    destination.verification.left = vec![probe("ended", -1), probe("held", 1)];
    let look = looked(&destination, &credentials()).await;
    let left: Vec<_> = look.left.iter().map(|probe| probe.key.as_str()).collect();
    assert!(left.len() == 2 && left[0] == "held" && left[1].ends_with(".locked"), "{left:?}");
    assert!(of(&look.report, C::Cleanup).evidence.ends_with("; deleted 1 of earlier runs"), "{:?}", look.report);

    let endpoint = serve(&target(Provider::Aws), [("DeleteObject", Answer::refused(403, "AccessDenied"))]).await;
    destination.endpoint = Some(endpoint);
    destination.verification.left = (0..30).map(|number| probe(&number.to_string(), -1)).collect();
    assert_eq!(
        looked(&destination, &credentials()).await.left.len(),
        MAX_LEFT,
        "what cannot be deleted is not kept for ever"
    );
}

#[tokio::test]
async fn a_bucket_that_is_set_up_as_printed_passes_every_check() {
    let report = asked(Provider::Aws, &[]).await;
    assert_eq!((report.result.known(), with(&report, S::Passed).len()), (Some(S::Passed), 12), "{report:#?}");
    assert!(of(&report, C::Cleanup).evidence.contains(".locked is locked until"), "{report:?}");
}

#[tokio::test]
async fn each_thing_that_is_amiss_fails_its_own_check_with_what_puts_it_right() {
    let denied = || Answer::refused(403, "AccessDenied");
    let elsewhere =
        Answer { header: Some(("x-amz-bucket-region", "us-west-2")), ..Answer::refused(301, "PermanentRedirect") };
    let compliance = Answer::found(
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>",
    );
    let three = Answer::found(
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>",
    );
    let suspended = Answer::found("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>");
    let never = Answer::found("<VersioningConfiguration/>");
    let lenient = Answer::found(r#"{"Version":"2012-10-17","Statement":[]}"#);
    let unlocked = Answer::refused(404, "ObjectLockConfigurationNotFoundError");
    let short = Answer::found(
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2020-01-01T00:00:00Z</RetainUntilDate></Retention>",
    );
    let no_encryption = Answer::refused(404, "ServerSideEncryptionConfigurationNotFoundError");
    let cases = [
        ("HeadBucket", elsewhere, C::Bucket, E::DestinationNotReady, "--region"),
        ("HeadBucket", denied(), C::Bucket, E::DestinationAccessDenied, "s3:ListBucket"),
        ("PutObject", denied(), C::PutObject, E::DestinationAccessDenied, "s3:PutObject"),
        ("GetObject", denied(), C::GetObject, E::DestinationAccessDenied, "s3:GetObject"),
        ("GetObject", Answer::found("other"), C::GetObject, E::ArtifactMismatch, ""),
        ("HeadObject", denied(), C::HeadObject, E::DestinationAccessDenied, "s3:GetObject"),
        (
            "GetObjectLockConfiguration",
            unlocked,
            C::ObjectLockConfiguration,
            E::DestinationLockRefused,
            "put-object-lock",
        ),
        ("GetObjectLockConfiguration", compliance, C::ObjectLockConfiguration, E::DestinationLockRefused, "default"),
        (
            "GetObjectLockConfiguration",
            denied(),
            C::ObjectLockConfiguration,
            E::DestinationAccessDenied,
            "s3:GetBucketObj",
        ),
        ("GetObjectRetention", denied(), C::ObjectLock, E::DestinationAccessDenied, "s3:GetObjectRetention"),
        ("GetObjectRetention", short, C::ObjectLock, E::DestinationLockRefused, "put-object-lock"),
        ("GetBucketVersioning", suspended, C::Versioning, E::DestinationNotReady, "put-bucket-versioning"),
        ("GetBucketVersioning", never, C::Versioning, E::DestinationNotReady, "put-bucket-versioning"),
        ("GetPublicAccessBlock", three, C::PublicAccessBlock, E::DestinationNotReady, "RestrictPublicBuckets=true"),
        (
            "GetPublicAccessBlock",
            Answer::refused(404, "NoSuchPublicAccessBlockConfiguration"),
            C::PublicAccessBlock,
            E::DestinationNotReady,
            "put-public-access-block",
        ),
        ("GetBucketPolicy", lenient, C::TlsOnly, E::DestinationNotReady, "DenyNonTLS"),
        (
            "GetBucketPolicy",
            Answer::refused(404, "NoSuchBucketPolicy"),
            C::TlsOnly,
            E::DestinationNotReady,
            "DenyNonTLS",
        ),
        ("GetBucketPolicy", denied(), C::TlsOnly, E::DestinationAccessDenied, "s3:GetBucketPolicy"),
        ("GetBucketEncryption", no_encryption, C::DefaultEncryption, E::DestinationNotReady, "put-bucket-encryption"),
        ("CreateMultipartUpload", denied(), C::MultipartUpload, E::DestinationAccessDenied, "s3:PutObject"),
        ("UploadPart", denied(), C::MultipartUpload, E::DestinationAccessDenied, "s3:PutObject"),
        (
            "UploadPart",
            Answer::refused(400, "InvalidRequest"),
            C::MultipartUpload,
            E::DestinationNotReady,
            "Backups need this",
        ),
        (
            "CreateMultipartUpload",
            Answer::refused(405, "MethodNotAllowed"),
            C::MultipartUpload,
            E::DestinationNotReady,
            "Backups need this",
        ),
        ("ListMultipartUploads", denied(), C::MultipartUpload, E::DestinationAccessDenied, "s3:ListBucketMultipart"),
        ("AbortMultipartUpload", denied(), C::MultipartUpload, E::DestinationAccessDenied, "s3:AbortMultipartUpload"),
        ("DeleteObject", denied(), C::Cleanup, E::DestinationAccessDenied, "s3:DeleteObject"),
    ];
    for (operation, answer, id, code, remedy) in cases {
        let report = asked(Provider::Aws, &[(operation, answer)]).await;
        let check = of(&report, id);
        assert_eq!(
            (with(&report, S::Failed), report.result.known()),
            (vec![id], Some(S::Failed)),
            "{operation}: {report:#?}"
        );
        assert_eq!(check.code, Some(code.into()), "{operation}: {check:?}");
        assert!(check.remediation.as_deref().unwrap_or_default().contains(remedy), "{operation}: {check:?}");
    }
}

#[tokio::test]
async fn a_probe_that_the_buckets_default_retention_holds_is_reported_and_fails_nothing() {
    let held = Answer::found(
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>",
    );
    let instead = [("DeleteObject", Answer::refused(403, "AccessDenied")), ("GetObjectRetention", held)];
    let report = asked(Provider::Aws, &instead).await;
    let cleanup = of(&report, C::Cleanup);
    assert_eq!(cleanup.status, S::Passed, "{report:#?}");
    assert!(cleanup.evidence.contains("stays until 2030-01-01"), "{cleanup:?}");
}

/// 403, 500 and 501 are what servers say to questions that they do not know.
#[tokio::test]
async fn what_another_providers_server_does_not_tell_is_not_verifiable_and_fails_nothing() {
    let settings = ["GetObjectLockConfiguration", "GetBucketVersioning", "GetBucketEncryption", "HeadBucket"];
    for answer in [
        Answer::refused(403, "AccessDenied"),
        Answer::refused(500, "InternalError"),
        Answer::refused(501, "NotImplemented"),
    ] {
        let instead = settings.map(|operation| (operation, answer.clone()));
        let report = asked(Provider::Minio, &instead).await;
        let untold = [C::Bucket, C::ObjectLockConfiguration, C::Versioning, C::TlsOnly, C::DefaultEncryption];
        assert_eq!(
            (report.result.known(), with(&report, S::NotVerifiable)),
            (Some(S::Passed), untold.to_vec()),
            "{report:#?}"
        );
    }
}

#[tokio::test]
async fn what_another_providers_server_tells_is_held_against_it() {
    let suspended = Answer::found("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>");
    let unlocked = Answer::refused(404, "ObjectLockConfigurationNotFoundError");
    for (operation, answer, id) in [
        ("GetBucketVersioning", suspended, C::Versioning),
        ("GetObjectLockConfiguration", unlocked, C::ObjectLockConfiguration),
        ("Public", Answer::found("anybody"), C::PublicAccessBlock),
        ("HeadBucket", Answer::refused(404, "NoSuchBucket"), C::Bucket),
    ] {
        let report = asked(Provider::Wasabi, &[(operation, answer)]).await;
        assert_eq!(with(&report, S::Failed), [id], "{operation}: {report:#?}");
        assert!(of(&report, id).remediation.is_some(), "{operation}");
    }
}
