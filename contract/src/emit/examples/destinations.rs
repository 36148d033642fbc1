//! Destinations and their preflight.

use super::facts::{DAY, MINUTE, at, destination as id};
use crate::error::ErrorCode;
use crate::model::{
    Addressing, CheckStatus, ChecksumMode, CreateDestinationRequest, Destination, DestinationList, DestinationState,
    Encryption, LockMode, PreflightCheck, PreflightCheckId, PreflightReport, PreflightSummary, Provider,
    UpdateDestinationRequest,
};
use crate::secret::Secret;

const BUCKET: &str = "shop-backups";

pub(super) fn create_request() -> CreateDestinationRequest {
    CreateDestinationRequest {
        name: "primary".to_owned(),
        provider: Provider::Aws,
        bucket: BUCKET.to_owned(),
        endpoint: None,
        region: Some("eu-central-1".to_owned()),
        addressing: None,
        checksum_mode: None,
        lock_mode: Some(LockMode::Governance),
        retention_floor_days: Some(7),
        encryption: None,
        kms_key_id: None,
        access_key_id: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        secret_access_key: Some(Secret::new("change-me")),
        role_arn: None,
    }
}

pub(super) fn create_compatible_request() -> CreateDestinationRequest {
    CreateDestinationRequest {
        provider: Provider::S3Compatible,
        endpoint: Some("https://s3.internal:9000".to_owned()),
        region: None,
        addressing: Some(Addressing::Path),
        checksum_mode: Some(ChecksumMode::None),
        lock_mode: None,
        retention_floor_days: None,
        encryption: None,
        kms_key_id: None,
        access_key_id: Some("walwarden".to_owned()),
        ..create_request()
    }
}

pub(super) fn update_request() -> UpdateDestinationRequest {
    UpdateDestinationRequest {
        access_key_id: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        secret_access_key: Some(Secret::new("change-me-too")),
        ..UpdateDestinationRequest::default()
    }
}

pub(super) fn destination() -> Destination {
    Destination {
        id: id(),
        name: "primary".to_owned(),
        provider: Provider::Aws.into(),
        endpoint: None,
        region: "eu-central-1".to_owned(),
        bucket: BUCKET.to_owned(),
        addressing: Addressing::VirtualHost.into(),
        checksum_mode: ChecksumMode::Crc32.into(),
        lock_mode: LockMode::Governance.into(),
        retention_floor_days: 7,
        encryption: Encryption::None.into(),
        kms_key_id: None,
        role_arn: None,
        external_id: None,
        state: DestinationState::Verified.into(),
        verified_at: Some(at(-DAY)),
        preflight: Some(PreflightSummary { checked_at: at(-DAY), failed: Vec::new() }),
        created_at: at(-30 * DAY),
        updated_at: at(-30 * DAY + 5 * MINUTE),
    }
}

pub(super) fn list() -> DestinationList {
    DestinationList { destinations: vec![destination()], next_cursor: None }
}

fn check(id: PreflightCheckId, evidence: &str) -> PreflightCheck {
    PreflightCheck {
        id: id.into(),
        status: CheckStatus::Passed.into(),
        code: None,
        evidence: evidence.to_owned(),
        remediation: None,
    }
}

pub(super) fn preflight_passed() -> PreflightReport {
    PreflightReport {
        destination_id: id(),
        result: CheckStatus::Passed.into(),
        checked_at: at(0),
        checks: vec![
            check(PreflightCheckId::Bucket, "The bucket is in the region eu-central-1."),
            check(PreflightCheckId::PutObject, "A probe object of 64 bytes was written."),
            check(PreflightCheckId::GetObject, "The same 64 bytes were read back."),
            check(PreflightCheckId::HeadObject, "Its length is 64 bytes."),
            check(PreflightCheckId::ObjectLockConfiguration, "Object Lock is enabled, without a default retention."),
            check(PreflightCheckId::ObjectLock, "It is locked in mode governance until 2026-02-07T02:00:00.000Z."),
            check(PreflightCheckId::Versioning, "Versioning is Enabled."),
            check(PreflightCheckId::PublicAccessBlock, "All four kinds of public access are blocked."),
            check(PreflightCheckId::TlsOnly, "The bucket's policy denies everything that comes over plain HTTP."),
            check(PreflightCheckId::DefaultEncryption, "The bucket encrypts with AES256 by default."),
            check(PreflightCheckId::MultipartUpload, "A multipart upload was begun, listed and aborted."),
            check(PreflightCheckId::Cleanup, "Its lock keeps the probe object until 2026-02-07T02:00:00.000Z."),
        ],
    }
}

pub(super) fn preflight_failed() -> PreflightReport {
    let skipped = |check: PreflightCheck| PreflightCheck {
        status: CheckStatus::Skipped.into(),
        evidence: "An earlier check failed.".to_owned(),
        ..check
    };
    let code = ErrorCode::DestinationAccessDenied;
    let refused = PreflightCheck {
        status: CheckStatus::Failed.into(),
        code: Some(code.into()),
        remediation: Some(code.next_action().to_owned()),
        ..check(PreflightCheckId::PutObject, "The bucket answered 403 to PutObject.")
    };
    let mut passed = preflight_passed().checks.into_iter();
    let found = passed.next();
    let later = passed.skip(1).map(skipped);
    PreflightReport {
        result: CheckStatus::Failed.into(),
        checks: found.into_iter().chain(std::iter::once(refused)).chain(later).collect(),
        ..preflight_passed()
    }
}
