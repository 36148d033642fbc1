//! Encryption that is asked for is proven by what the bucket tells of the probe, and each refusal is told with what puts it right.

use walwarden_contract::ErrorCode as E;
use walwarden_contract::model::{
    CheckStatus as S, Encryption, LockMode, PreflightCheckId as C, PreflightReport, Provider,
};

use super::amazon::{credentials, target, with};
use super::stand_in::{Answer, BUCKET, OVERLOOKS_ENCRYPTION, REGION, serve};
use super::{destination, looked, of};

const KEY: &str = "arn:aws:kms:eu-central-1:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

async fn asked(provider: Provider, encryption: Encryption, instead: &[(&'static str, Answer)]) -> PreflightReport {
    let endpoint = serve(&target(provider), instead.iter().cloned()).await;
    let mut destination = destination(provider, REGION, &endpoint, BUCKET, LockMode::Governance);
    encryption.as_str().clone_into(&mut destination.encryption);
    destination.kms_key_id = (encryption == Encryption::SseKms).then(|| KEY.to_owned());
    looked(&destination, &credentials()).await.report
}

#[tokio::test]
async fn what_the_bucket_tells_of_the_probe_proves_it_whatever_the_buckets_default() {
    let untold = [("GetBucketEncryption", Answer::refused(403, "AccessDenied"))];
    for (encryption, algorithm) in [(Encryption::SseS3, "AES256"), (Encryption::SseKms, KEY)] {
        let report = asked(Provider::Aws, encryption, &untold).await;
        let check = of(&report, C::DefaultEncryption);
        assert!(report.result == S::Passed && check.evidence.contains(algorithm), "{report:#?}");
    }
}

#[tokio::test]
async fn a_bucket_that_overlooks_what_was_asked_for_fails() {
    let overlooks = [(OVERLOOKS_ENCRYPTION, Answer::found(""))];
    for provider in [Provider::Aws, Provider::Minio, Provider::S3Compatible] {
        let report = asked(provider, Encryption::SseS3, &overlooks).await;
        let check = of(&report, C::DefaultEncryption);
        assert_eq!(with(&report, S::Failed), [C::DefaultEncryption], "{report:#?}");
        assert_eq!(check.code, Some(E::DestinationEncryptionRefused.into()), "{check:?}");
        assert!(check.remediation.as_deref().is_some_and(|it| it.contains("--encryption none")), "{check:?}");
    }
    let report = asked(Provider::Aws, Encryption::None, &overlooks).await;
    assert_eq!(report.result, S::Passed, "nothing was asked for: {report:#?}");
}

#[tokio::test]
async fn a_server_that_does_not_have_it_is_told_apart_from_one_that_takes_nothing() {
    for (answer, otherwise) in [
        (Answer::refused(500, "InternalError"), E::UploadFailed),
        (Answer::refused(501, "NotImplemented"), E::DestinationNotReady),
        (Answer::refused(400, "InvalidArgument"), E::DestinationNotReady),
    ] {
        let report = asked(Provider::S3Compatible, Encryption::SseS3, &[("PutObject", answer.clone())]).await;
        let check = of(&report, C::PutObject);
        assert_eq!(check.code, Some(E::DestinationEncryptionRefused.into()), "{check:?}");
        assert!(check.evidence.contains("refuses those that ask for sse_s3"), "{check:?}");
        let nothing = [("PutObject", answer.clone()), ("CreateMultipartUpload", answer.clone())];
        let report = asked(Provider::S3Compatible, Encryption::SseS3, &nothing).await;
        assert_eq!(of(&report, C::PutObject).code, Some(otherwise.into()), "{report:#?}");
        let report = asked(Provider::S3Compatible, Encryption::None, &[("PutObject", answer)]).await;
        assert_eq!(of(&report, C::PutObject).code, Some(otherwise.into()), "{report:#?}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_with_the_line_that_mends_it() {
    let denied = |action: &str| {
        let said =
            format!("User: arn:aws:iam::210987654321:user/w is not authorized to perform: {action} on resource: {KEY}");
        Answer {
            body: format!("<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>"),
            ..Answer::refused(403, "")
        }
    };
    let statement = format!(
        "\"Action\":[\"kms:GenerateDataKey\",\"kms:Decrypt\"],\"Condition\":{{\"StringEquals\":{{\"kms:ViaService\":\"s3.{REGION}.amazonaws.com\"}}}},\"Effect\":\"Allow\",\"Resource\":\"{KEY}\""
    );
    let cases = [
        ("PutObject", Answer::refused(400, "KMS.NotFoundException"), C::PutObject, "aws kms describe-key"),
        ("PutObject", Answer::refused(400, "KMS.DisabledException"), C::PutObject, "aws kms enable-key"),
        ("PutObject", Answer::refused(400, "KMS.KMSInvalidStateException"), C::PutObject, "cancel-key-deletion"),
        ("PutObject", denied("kms:GenerateDataKey"), C::PutObject, statement.as_str()),
        ("GetObject", denied("kms:Decrypt"), C::GetObject, statement.as_str()),
        ("CreateMultipartUpload", denied("kms:GenerateDataKey"), C::MultipartUpload, statement.as_str()),
    ];
    for (operation, answer, id, remedy) in cases {
        let report = asked(Provider::Aws, Encryption::SseKms, &[(operation, answer)]).await;
        let check = of(&report, id);
        assert_eq!(with(&report, S::Failed), [id], "{report:#?}");
        assert_eq!(check.code, Some(E::DestinationKeyUnusable.into()), "{check:?}");
        assert!(check.remediation.as_deref().is_some_and(|it| it.contains(remedy)), "{remedy}: {check:?}");
    }
}
