//! What a bucket can answer instead of what was asked.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use walwarden_contract::ErrorCode;

use crate::telemetry::traces::Coded;

/// What keeps a key of the owner's from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProblem {
    /// There is none, in that region.
    Missing,
    /// It is disabled, or waits for its deletion.
    Disabled,
    /// The credentials may not use it.
    Denied,
}

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// No answer.
    Unreachable,
    /// The bucket does not exist.
    BucketMissing,
    /// The credentials or their policy do not allow it.
    AccessDenied,
    /// Fewer requests, please.
    Throttled,
    /// The bucket's storage or quota is used up.
    Full,
    /// The bucket's clock and this machine's differ by too much.
    ClockSkewed,
    /// The bucket cannot lock objects, or refused to.
    LockRefused,
    /// The bucket cannot encrypt as it was asked, or did not.
    EncryptionRefused,
    /// The key that objects are to be encrypted with cannot be used.
    Key(KeyProblem),
    /// There is no such object.
    ObjectMissing,
    /// There is no such multipart upload.
    UploadMissing,
    /// There is an object where none should be.
    ObjectExists,
    /// The server does not have this operation.
    NotImplemented,
    /// The destination's settings cannot be honoured.
    Unsupported,
    /// The server refuses the request as it stands, for a reason that we have no word for.
    Refused,
    /// Anything else, which may pass by itself.
    Other,
}

impl StorageErrorKind {
    /// Whether what was asked about is not there: an answer without a body cannot tell a bucket from an object.
    pub(super) const fn is_missing(self) -> bool {
        matches!(self, Self::BucketMissing | Self::ObjectMissing)
    }
}

/// A failure of the bucket.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    /// Its class.
    pub kind: StorageErrorKind,
    /// What the bucket said, without credentials or signed URLs.
    pub message: String,
}

impl StorageError {
    pub(super) fn unsupported(message: String) -> Self {
        Self { kind: StorageErrorKind::Unsupported, message }
    }

    /// The catalog's code for it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self.kind {
            StorageErrorKind::Unreachable => ErrorCode::DestinationUnreachable,
            StorageErrorKind::BucketMissing => ErrorCode::DestinationBucketMissing,
            StorageErrorKind::AccessDenied => ErrorCode::DestinationAccessDenied,
            StorageErrorKind::Throttled => ErrorCode::DestinationThrottled,
            StorageErrorKind::Full => ErrorCode::DestinationFull,
            StorageErrorKind::ClockSkewed => ErrorCode::ClockSkewed,
            StorageErrorKind::LockRefused => ErrorCode::DestinationLockRefused,
            StorageErrorKind::EncryptionRefused => ErrorCode::DestinationEncryptionRefused,
            StorageErrorKind::Key(_) => ErrorCode::DestinationKeyUnusable,
            StorageErrorKind::ObjectExists => ErrorCode::ArtifactKeyOccupied,
            StorageErrorKind::ObjectMissing => ErrorCode::ArtifactMismatch,
            StorageErrorKind::Unsupported => ErrorCode::DestinationNotReady,
            StorageErrorKind::UploadMissing
            | StorageErrorKind::NotImplemented
            | StorageErrorKind::Refused
            | StorageErrorKind::Other => ErrorCode::UploadFailed,
        }
    }
}

impl Coded for StorageError {
    fn code(&self) -> ErrorCode {
        Self::code(self)
    }
}

/// What a refusal says about the key. Amazon hands on the words of its key management, with `KMS.` in front of their code, and names the
/// permission that is missing in the message alone.
fn key_problem(code: &str, message: &str) -> Option<KeyProblem> {
    match code {
        "KMS.NotFoundException" => Some(KeyProblem::Missing),
        "KMS.DisabledException" | "KMS.KMSInvalidStateException" | "KMS.InvalidStateException" => {
            Some(KeyProblem::Disabled)
        }
        "KMS.AccessDeniedException" => Some(KeyProblem::Denied),
        "AccessDenied" if message.contains("kms:") || message.contains("The ciphertext refers to") => {
            Some(KeyProblem::Denied)
        }
        _ => None,
    }
}

fn classify(status: u16, code: &str, message: &str) -> StorageErrorKind {
    if let Some(problem) = key_problem(code, message) {
        return StorageErrorKind::Key(problem);
    }
    match code {
        "NoSuchBucket" => StorageErrorKind::BucketMissing,
        "NoSuchKey" | "NotFound" => StorageErrorKind::ObjectMissing,
        "NoSuchUpload" => StorageErrorKind::UploadMissing,
        "PreconditionFailed" => StorageErrorKind::ObjectExists,
        // Another request is about the same key at this moment, or bytes were lost on their way.
        "ConditionalRequestConflict" | "OperationAborted" | "RequestTimeout" | "IncompleteBody" | "BadDigest" => {
            StorageErrorKind::Other
        }
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "KMS.ThrottlingException"
        | "RequestLimitExceeded"
        | "ServiceUnavailable" => StorageErrorKind::Throttled,
        "InvalidEncryptionAlgorithmError" => StorageErrorKind::EncryptionRefused,
        "RequestTimeTooSkewed" => StorageErrorKind::ClockSkewed,
        "QuotaExceeded"
        | "StorageQuotaExceeded"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
        | "InsufficientStorage"
        | "storage_cap_exceeded" => StorageErrorKind::Full,
        "NotImplemented" => StorageErrorKind::NotImplemented,
        "ObjectLockConfigurationNotFoundError" | "NoSuchObjectLockConfiguration" | "InvalidBucketState" => {
            StorageErrorKind::LockRefused
        }
        // One about the checksum that a locked object needs says nothing about the bucket's locks.
        "InvalidRequest" if message.contains("Content-MD5") => StorageErrorKind::Refused,
        "InvalidRequest" if message.contains("ObjectLock") || message.contains("Object Lock") => {
            StorageErrorKind::LockRefused
        }
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken" => {
            StorageErrorKind::AccessDenied
        }
        _ => match status {
            401 | 403 => StorageErrorKind::AccessDenied,
            404 => StorageErrorKind::ObjectMissing,
            412 => StorageErrorKind::ObjectExists,
            429 | 503 => StorageErrorKind::Throttled,
            501 => StorageErrorKind::NotImplemented,
            507 => StorageErrorKind::Full,
            400..=499 => StorageErrorKind::Refused,
            _ => StorageErrorKind::Other,
        },
    }
}

/// An error and what caused it, in the words of each, once.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// The first error of a type among an error and what caused it.
pub(super) fn inner<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// The bucket's own words, as far as they are worth keeping: they go into records, logs and answers.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(500).collect()
}

impl<E> From<SdkError<E>> for StorageError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        // A role that cannot be assumed has said why itself.
        if let Some(refused) = inner::<Self>(&error) {
            return refused.clone();
        }
        match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let code = service.err().code().unwrap_or_default();
                let message = printable(service.err().message().unwrap_or_default());
                let request = service.err().meta().request_id().map(|id| format!(", request {id}")).unwrap_or_default();
                Self {
                    kind: classify(status, code, &message),
                    message: format!("the bucket answered {status} {code}{request}: {message}"),
                }
            }
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Self {
                kind: StorageErrorKind::Unreachable,
                message: format!("the bucket did not answer: {}", with_causes(&error)),
            },
            _ => Self {
                kind: StorageErrorKind::Other,
                message: format!("the request could not be made: {}", with_causes(&error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_bucket_says_little_is_kept_and_nothing_that_moves_a_cursor() {
        let said = printable(&format!("no\u{1b}[2J\n{}", "x".repeat(10_000)));
        assert!(said.starts_with("no[2Jxxx") && said.len() == 500, "{said}");
    }

    #[test]
    fn a_lock_that_the_bucket_cannot_hold_is_told_apart() {
        assert_eq!(
            classify(400, "InvalidRequest", "Bucket is missing ObjectLockConfiguration"),
            StorageErrorKind::LockRefused
        );
        let checksum =
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters";
        assert_eq!(classify(400, "InvalidRequest", checksum), StorageErrorKind::Refused);
        assert_eq!(classify(400, "InvalidRequest", "something else"), StorageErrorKind::Refused);
        assert_eq!(classify(403, "", ""), StorageErrorKind::AccessDenied);
        assert_eq!(classify(404, "NoSuchBucket", ""), StorageErrorKind::BucketMissing);
    }

    #[test]
    fn what_keeps_a_key_from_being_used_is_told_apart_from_what_keeps_a_bucket_from_it() {
        let denied =
            "User: arn:aws:iam::210987654321:user/w is not authorized to perform: kms:GenerateDataKey on resource: arn";
        let hidden = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
        for (status, code, message, problem) in [
            (400, "KMS.NotFoundException", "", KeyProblem::Missing),
            (400, "KMS.DisabledException", "", KeyProblem::Disabled),
            (400, "KMS.KMSInvalidStateException", "is pending deletion", KeyProblem::Disabled),
            (403, "AccessDenied", denied, KeyProblem::Denied),
            (403, "AccessDenied", hidden, KeyProblem::Denied),
        ] {
            assert_eq!(classify(status, code, message), StorageErrorKind::Key(problem), "{code} {message}");
        }
        let of_the_bucket = "is not authorized to perform: s3:PutObject on resource";
        assert_eq!(classify(403, "AccessDenied", of_the_bucket), StorageErrorKind::AccessDenied);
        assert_eq!(classify(400, "KMS.ThrottlingException", ""), StorageErrorKind::Throttled);
    }

    #[test]
    fn what_may_pass_by_itself_is_told_from_what_the_server_will_not_do() {
        for (status, code) in
            [(400, "RequestTimeout"), (400, "BadDigest"), (409, "ConditionalRequestConflict"), (500, "")]
        {
            assert_eq!(classify(status, code, ""), StorageErrorKind::Other, "{code}");
        }
        for (status, code) in [(400, "InvalidArgument"), (405, "MethodNotAllowed"), (409, "InvalidState")] {
            assert_eq!(classify(status, code, ""), StorageErrorKind::Refused, "{code}");
        }
        assert_eq!(classify(412, "PreconditionFailed", ""), StorageErrorKind::ObjectExists);
    }
}
