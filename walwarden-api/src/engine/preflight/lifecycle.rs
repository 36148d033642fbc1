//! What the owner of a bucket lets it tidy by itself: uploads that nobody completes, and versions that are hidden or deleted.
//! Never a current object: which backups go, and when, is Walwarden's to decide and to record.

use serde_json::{Value, json};
use walwarden_contract::model::Provider;

use super::target::Target;

/// An upload that is a week old belongs to no backup: a worker aborts what its own attempts leave.
const ABORT_AFTER_DAYS: u32 = 7;

/// Why the two must not be mixed up, for whoever sets the rule up.
pub const NOTE: &str = "The rule ends abandoned uploads and takes away versions that are no longer current. Give it no \
    expiration of current objects: Walwarden would miss what it did not delete, and the newest backup could go. Old backups \
    go by a database's --retention-days, with a record of each.";

/// Where nothing is locked, a hidden version is all that is left of an object that somebody deleted: time enough to notice.
const LEAST_NONCURRENT_DAYS: u32 = 30;

/// When a hidden version may go: a lock holds it at least that long anyway.
fn noncurrent_days(target: &Target) -> u32 {
    if target.locks() { target.retention_days.max(1) } else { target.retention_days.max(LEAST_NONCURRENT_DAYS) }
}

fn prefix(target: &Target) -> String {
    format!("org/{}/", target.org_id)
}

/// The rule as the provider's tools take it from a file; `None` where it is a part of a command.
pub(super) fn document(target: &Target) -> Option<Value> {
    let days = noncurrent_days(target);
    match target.provider {
        Provider::BackblazeB2 => None,
        Provider::Gcs => Some(json!({ "rule": [
            {
                "action": { "type": "AbortIncompleteMultipartUpload" },
                "condition": { "age": ABORT_AFTER_DAYS, "matchesPrefix": [prefix(target)] },
            },
            {
                "action": { "type": "Delete" },
                "condition": { "daysSinceNoncurrentTime": days, "matchesPrefix": [prefix(target)] },
            },
        ] })),
        Provider::Aws | Provider::Minio | Provider::Wasabi | Provider::S3Compatible => Some(json!({ "Rules": [{
            "ID": "walwarden-tidy",
            "Status": "Enabled",
            "Filter": { "Prefix": prefix(target) },
            "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": ABORT_AFTER_DAYS },
            "NoncurrentVersionExpiration": { "NoncurrentDays": days },
        }] })),
    }
}

/// The command that sets the rule up.
pub(super) fn command(target: &Target) -> String {
    let (bucket, days, prefix) = (&target.bucket, noncurrent_days(target), prefix(target));
    match target.provider {
        Provider::Minio => format!("mc ilm rule import <alias>/{bucket} < lifecycle.json"),
        Provider::Gcs => format!("gcloud storage buckets update gs://{bucket} --lifecycle-file=lifecycle.json"),
        Provider::BackblazeB2 => format!(
            "b2 bucket update {bucket} --lifecycle-rule '{{\"fileNamePrefix\":\"{prefix}\",\"daysFromHidingToDeleting\":{days},\"daysFromStartingToCancelingUnfinishedLargeFiles\":{ABORT_AFTER_DAYS}}}'"
        ),
        Provider::Aws | Provider::Wasabi | Provider::S3Compatible => format!(
            "aws s3api put-bucket-lifecycle-configuration {} --lifecycle-configuration file://lifecycle.json",
            target.aws_options()
        ),
    }
}

/// The same as Terraform.
pub(super) fn terraform(target: &Target) -> String {
    format!(
        r#"resource "aws_s3_bucket_lifecycle_configuration" "walwarden" {{
  bucket = aws_s3_bucket.walwarden.id
  rule {{
    id     = "walwarden-tidy"
    status = "Enabled"
    filter {{
      prefix = "{}"
    }}
    abort_incomplete_multipart_upload {{
      days_after_initiation = {ABORT_AFTER_DAYS}
    }}
    noncurrent_version_expiration {{
      noncurrent_days = {}
    }}
  }}
}}"#,
        prefix(target),
        noncurrent_days(target)
    )
}

#[cfg(test)]
mod tests {
    use walwarden_contract::model::{Encryption, LockMode};
    use walwarden_contract::{DestinationId, OrgId};

    use super::*;

    #[test]
    fn no_rule_deletes_a_current_object() {
        let all = [
            Provider::Aws,
            Provider::Minio,
            Provider::Gcs,
            Provider::Wasabi,
            Provider::BackblazeB2,
            Provider::S3Compatible,
        ];
        for provider in all {
            let target = Target {
                id: DestinationId::from_uuid(uuid::Uuid::from_u128(1)),
                org_id: OrgId::from_uuid(uuid::Uuid::from_u128(2)),
                provider,
                endpoint: None,
                region: "r".to_owned(),
                bucket: "b".to_owned(),
                lock_mode: LockMode::Governance,
                retention_days: 30,
                encryption: Encryption::None,
                kms_key_id: None,
                role: None,
                expires: true,
            };
            let text = format!("{:?} {}", document(&target), command(&target));
            for forbidden in ["\"Expiration\"", "daysFromUploadingToHiding", "\"isLive\""] {
                assert!(!text.contains(forbidden), "{provider:?}: {text}");
            }
            assert!(document(&target).is_none_or(|rule| rule.to_string().contains("30")), "{provider:?}");
        }
        assert!(!terraform_of_amazon().contains("\n    expiration"));
    }

    fn terraform_of_amazon() -> String {
        terraform(&Target {
            id: DestinationId::from_uuid(uuid::Uuid::from_u128(1)),
            org_id: OrgId::from_uuid(uuid::Uuid::from_u128(2)),
            provider: Provider::Aws,
            endpoint: None,
            region: "r".to_owned(),
            bucket: "b".to_owned(),
            lock_mode: LockMode::None,
            retention_days: 30,
            encryption: Encryption::None,
            kms_key_id: None,
            role: None,
            expires: false,
        })
    }
}
