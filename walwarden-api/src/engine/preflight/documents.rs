//! What the owner of a bucket sets up for a destination: policies, Terraform, or the commands of a provider without policies.

use serde_json::{Value, json};
use walwarden_contract::model::{PreflightCheckId, Provider};

use super::permissions::{capabilities, needed, roles, statements};
use super::target::Target;
use super::terraform::terraform;
use super::{kms, lifecycle};

/// The version of Amazon's policy language.
const VERSION: &str = "2012-10-17";

/// Who may assume a role, and under which external id.
#[derive(Debug, Clone)]
pub struct TrustedPrincipal {
    /// The principal's Amazon Resource Name.
    pub arn: String,
    /// The external id that it has to name.
    pub external_id: String,
}

/// A permission and the checks of preflight that prove it.
#[derive(Debug, Clone)]
pub struct NeededPermission {
    /// The permission, in the provider's words.
    pub action: &'static str,
    /// The checks that fail without it.
    pub proven_by: &'static [PreflightCheckId],
}

/// The documents for one destination. What its provider does not have is `None`.
#[derive(Debug, Clone)]
pub struct Documents {
    /// What the access key may do.
    pub iam_policy: Option<Value>,
    /// Who may assume the role that has that policy.
    pub trust_policy: Option<Value>,
    /// What the bucket itself refuses.
    pub bucket_policy: Option<Value>,
    /// What the bucket tidies by itself, as a file for the provider's tools.
    pub lifecycle: Option<Value>,
    /// All of it, the bucket included, as Terraform.
    pub terraform: Option<String>,
    /// The provider's own commands.
    pub commands: Vec<String>,
    /// Every permission, and the checks that prove it.
    pub permissions: Vec<NeededPermission>,
}

fn policy(statements: &[Value]) -> Value {
    json!({ "Version": VERSION, "Statement": statements })
}

/// The statement that makes a bucket refuse plain HTTP.
pub(super) fn tls_only(target: &Target) -> Value {
    let arn = target.arn();
    json!({
        "Sid": "DenyNonTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// The statement that lets somebody who names the external id assume a role.
pub(super) fn trust_statement(trusted: &TrustedPrincipal) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": { "AWS": trusted.arn },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": trusted.external_id } },
    })
}

fn commands(target: &Target) -> Vec<String> {
    let bucket = &target.bucket;
    match target.provider {
        Provider::Minio => vec![
            format!("mc mb {}<alias>/{bucket}", if target.locks() { "--with-lock " } else { "" }),
            "mc admin policy create <alias> walwarden-backup policy.json".to_owned(),
            "mc admin user add <alias> walwarden-backup".to_owned(),
            "mc admin policy attach <alias> walwarden-backup --user walwarden-backup".to_owned(),
        ],
        Provider::Gcs => {
            let account = "walwarden-backup@<project>.iam.gserviceaccount.com";
            let bind = |role| {
                format!(
                    "gcloud storage buckets add-iam-policy-binding gs://{bucket} --member=serviceAccount:{account} --role={role}"
                )
            };
            let mut all = vec!["gcloud iam service-accounts create walwarden-backup --project=<project>".to_owned()];
            all.extend(roles(needed(target)).into_iter().map(bind));
            all.push(format!("gcloud storage hmac create {account}"));
            all.push(format!(
                "gcloud storage buckets update gs://{bucket} --retention-period={}d --lock-retention-policy",
                target.retention_days
            ));
            all
        }
        Provider::BackblazeB2 => {
            let names = capabilities(needed(target)).join(",");
            vec![format!("b2 key create --bucket {bucket} walwarden-backup {names}")]
        }
        Provider::Aws | Provider::Wasabi | Provider::S3Compatible => Vec::new(),
    }
}

/// The documents for a destination. A trust policy is for the role that a destination has, or may have later.
#[must_use]
pub fn documents(target: &Target, trusted: Option<&TrustedPrincipal>) -> Documents {
    let amazon = target.provider == Provider::Aws;
    let has_policies = !matches!(target.provider, Provider::Gcs | Provider::BackblazeB2);
    let iam_policy = has_policies.then(|| policy(&statements(needed(target), target)));
    let bucket_policy = amazon.then(|| {
        let statements: Vec<_> = std::iter::once(tls_only(target)).chain(kms::other_keys(target)).collect();
        policy(&statements)
    });
    let trust_policy = trusted.filter(|_| amazon).map(|trusted| policy(&[trust_statement(trusted)]));
    let terraform = match (&iam_policy, &bucket_policy) {
        (Some(iam), Some(bucket)) => Some(terraform(target, iam, bucket, trust_policy.as_ref())),
        _ => None,
    };
    let permissions = needed(target)
        .filter_map(|needed| Some(NeededPermission { action: needed.name(target)?, proven_by: needed.proven_by }))
        .collect();
    let mut commands = commands(target);
    commands.push(lifecycle::command(target));
    let lifecycle = lifecycle::document(target);
    Documents { iam_policy, trust_policy, bucket_policy, lifecycle, terraform, commands, permissions }
}

#[cfg(test)]
mod tests;
