//! What puts a finding right: the exact command, or the exact line of a policy.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::{PreflightCheckId as Check, Provider};

use super::documents::{TrustedPrincipal, tls_only, trust_statement};
use super::target::Target;
use super::{kms, permissions};
use crate::engine::storage::{StorageError, StorageErrorKind as Kind};

const ALL_FOUR: &str = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true";

/// Object Lock without a rule of its own: every artifact brings its lock with it.
fn lock(target: &Target) -> String {
    let options = target.aws_options();
    match target.provider {
        Provider::Aws => format!(
            "Enable versioning and then Object Lock, without a default retention of another mode: `aws s3api put-object-lock-configuration {options} --object-lock-configuration '{{\"ObjectLockEnabled\":\"Enabled\"}}'`."
        ),
        Provider::Minio => format!(
            "Object Lock is given when a bucket is made: `mc mb --with-lock <alias>/<new bucket>`, and add that bucket as a destination. A default retention of another mode goes with `mc retention clear --default <alias>/{}`.",
            target.bucket
        ),
        Provider::Gcs => retention_policy(target),
        Provider::Wasabi | Provider::BackblazeB2 | Provider::S3Compatible => format!(
            "Object Lock is given when a bucket is made: make one with it, and add it as a destination. A default retention of another mode goes with `aws s3api put-object-lock-configuration {options} --object-lock-configuration '{{\"ObjectLockEnabled\":\"Enabled\"}}'`."
        ),
    }
}

/// What to look at where nothing can be asked over the S3 interface.
pub(super) fn retention_policy(target: &Target) -> String {
    let bucket = &target.bucket;
    format!(
        "Look for `isLocked: true` in `gcloud storage buckets describe gs://{bucket} --format=\"value(retentionPolicy)\"`; it gets there with `gcloud storage buckets update gs://{bucket} --retention-period={}d --lock-retention-policy`, which cannot be taken back.",
        target.retention_days
    )
}

/// The one statement of the role's trust policy.
fn trust(target: &Target) -> Option<String> {
    let role = target.role.as_ref()?;
    let arn = format!("arn:{}:iam::<account of this server>:root", target.partition());
    let statement = trust_statement(&TrustedPrincipal { arn, external_id: role.external_id.clone() });
    Some(format!(
        "Let this be the only statement of the trust policy of {}, with the principal that `walwarden-api admin destination policy {}` shows: {statement}",
        role.arn, target.id
    ))
}

fn setting(check: Check, target: &Target) -> Option<String> {
    let options = target.aws_options();
    Some(match check {
        Check::ObjectLock | Check::ObjectLockConfiguration => lock(target),
        Check::Versioning if target.provider == Provider::Minio => {
            format!("Run `mc version enable <alias>/{}`.", target.bucket)
        }
        Check::Versioning => {
            format!("Run `aws s3api put-bucket-versioning {options} --versioning-configuration Status=Enabled`.")
        }
        Check::PublicAccessBlock if target.provider == Provider::Aws => {
            format!("Run `aws s3api put-public-access-block {options} --public-access-block-configuration {ALL_FOUR}`.")
        }
        Check::PublicAccessBlock => {
            "Take away the policy, or the access list, that lets everybody read the bucket.".to_owned()
        }
        Check::TlsOnly => format!("Add this statement to the bucket's policy: {}", tls_only(target)),
        Check::DefaultEncryption => format!(
            "Run `aws s3api put-bucket-encryption {options} --server-side-encryption-configuration '{{\"Rules\":[{{\"ApplyServerSideEncryptionByDefault\":{{\"SSEAlgorithm\":\"AES256\"}}}}]}}'`."
        ),
        Check::Bucket => format!(
            "Name the region where the bucket is: `walwarden-api admin destination update {} --region <region>`.",
            target.id
        ),
        Check::AssumeRole => trust(target)?,
        Check::PutObject | Check::GetObject | Check::HeadObject | Check::MultipartUpload | Check::Cleanup => {
            return None;
        }
    })
}

/// What to do about a failed check.
pub(super) fn remedy(check: Check, error: &StorageError, target: &Target) -> String {
    let known = match error.kind {
        Kind::AccessDenied if check == Check::AssumeRole => trust(target),
        Kind::AccessDenied => permissions::remedy(check, target),
        Kind::Key(problem) => Some(kms::remedy(problem, target)),
        Kind::EncryptionRefused => Some(kms::refused(target)),
        Kind::LockRefused | Kind::Unsupported => setting(check, target),
        Kind::Refused | Kind::NotImplemented => Some(format!(
            "Backups need this, and the server will not do it, in the words above. Change what they name in the bucket, or the destination's settings with `walwarden-api admin destination update {}`, and run preflight again.",
            target.id
        )),
        _ => None,
    };
    let code: ErrorCode = error.code();
    known.unwrap_or_else(|| code.next_action().to_owned())
}
