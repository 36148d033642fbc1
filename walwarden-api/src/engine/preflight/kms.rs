//! Encryption that a bucket is asked for: the key's place in policies and Terraform, and what puts a refusal right.

use serde_json::{Value, json};
use walwarden_contract::model::{Encryption, Provider};

use super::permissions::of_the_key;
use super::target::Target;
use crate::engine::storage::KeyProblem;

/// A key of the owner's, as the owner named it.
enum Key<'a> {
    /// The whole ARN of a key.
    Arn(&'a str),
    /// The whole ARN of an alias: what is before the alias in it, and the alias.
    Alias(&'a str, &'a str),
    /// A key's id.
    Id(&'a str),
}

fn key(target: &Target) -> Option<Key<'_>> {
    let name = target.kms_key_id.as_deref().filter(|_| target.encryption == Encryption::SseKms)?;
    Some(match name.find("alias/").filter(|_| name.starts_with("arn:")) {
        Some(at) => Key::Alias(&name[..at], &name[at..]),
        None if name.starts_with("arn:") => Key::Arn(name),
        None => Key::Id(name),
    })
}

/// The beginning of the ARN of any key in the bucket's region: of the account of the role, where there is one.
fn keys_of_the_account(target: &Target) -> String {
    let account = target.role.as_ref().and_then(|role| role.arn.split(':').nth(4)).unwrap_or("<account>");
    format!("arn:{}:kms:{}:{account}:", target.partition(), target.region)
}

/// The key in a policy. An alias cannot stand there: any key that carries it can.
pub(super) fn resource(target: &Target) -> String {
    match key(target) {
        Some(Key::Arn(arn)) => arn.to_owned(),
        Some(Key::Alias(start, _)) => format!("{start}key/*"),
        Some(Key::Id(id)) => format!("{}key/{id}", keys_of_the_account(target)),
        None => format!("{}key/*", keys_of_the_account(target)),
    }
}

/// The key is used by way of the bucket's service alone.
pub(super) fn condition(target: &Target) -> Value {
    let domain = if target.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let mut condition = json!({ "StringEquals": { "kms:ViaService": format!("s3.{}.{domain}", target.region) } });
    if let Some(Key::Alias(_, alias)) = key(target) {
        condition["ForAnyValue:StringEquals"] = json!({ "kms:ResourceAliases": alias });
    }
    condition
}

/// The statement that makes a bucket refuse objects under any other key. Parts of an upload name none, and have its key.
pub(super) fn other_keys(target: &Target) -> Option<Value> {
    let Some(Key::Arn(arn)) = key(target) else { return None };
    Some(json!({
        "Sid": "DenyOtherKeys",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": format!("{}/org/{}/*", target.arn(), target.org_id),
        "Condition": { "ArnNotEqualsIfExists": { "s3:x-amz-server-side-encryption-aws-kms-key-id": arn } },
    }))
}

/// The bucket's default encryption, and the key: made where an alias can be given to it, looked up where it has to be there.
pub(super) fn terraform(target: &Target) -> Vec<String> {
    let mut blocks = Vec::new();
    let by_default = match key(target) {
        None => "      sse_algorithm = \"AES256\"".to_owned(),
        Some(Key::Alias(_, alias)) if !alias.starts_with("alias/aws/") => {
            blocks.push(format!(
                r#"resource "aws_kms_key" "walwarden" {{
  description         = "Backups of Walwarden"
  enable_key_rotation = true
}}

resource "aws_kms_alias" "walwarden" {{
  name          = "{alias}"
  target_key_id = aws_kms_key.walwarden.key_id
}}"#
            ));
            with_key("aws_kms_key.walwarden.arn")
        }
        Some(_) => {
            let name = target.kms_key_id.as_deref().unwrap_or_default();
            blocks.push(format!("data \"aws_kms_key\" \"walwarden\" {{\n  key_id = \"{name}\"\n}}"));
            with_key("data.aws_kms_key.walwarden.arn")
        }
    };
    let bucket_key = if key(target).is_some() { "\n    bucket_key_enabled = true" } else { "" };
    blocks.push(format!(
        r#"resource "aws_s3_bucket_server_side_encryption_configuration" "walwarden" {{
  bucket = aws_s3_bucket.walwarden.id
  rule {{
    apply_server_side_encryption_by_default {{
{by_default}
    }}{bucket_key}
  }}
}}"#
    ));
    blocks
}

fn with_key(arn: &str) -> String {
    format!("      sse_algorithm     = \"aws:kms\"\n      kms_master_key_id = {arn}")
}

/// How `aws kms` is told which key: it takes a key's id or ARN, and for some commands no alias.
fn options(target: &Target) -> String {
    let key = target.kms_key_id.as_deref().unwrap_or("<key>");
    format!("--key-id {key} --region {}", target.region)
}

/// What makes a key usable.
pub(super) fn remedy(problem: KeyProblem, target: &Target) -> String {
    if target.provider != Provider::Aws {
        return format!(
            "See to it in the server's key management that the key {} is there, enabled, and open to the destination's access key.",
            target.kms_key_id.as_deref().unwrap_or("of the bucket")
        );
    }
    let options = options(target);
    let (id, region) = (target.id, &target.region);
    match (problem, of_the_key(target)) {
        (KeyProblem::Missing, _) => format!(
            "Look with `aws kms describe-key {options}`, then name a key that is there, in {region}: `walwarden-api admin destination update {id} --encryption sse_kms --kms-key-id <key ARN>`."
        ),
        (KeyProblem::Disabled, _) => format!(
            "Look at KeyState in `aws kms describe-key {options}`. A disabled key: `aws kms enable-key {options}`. One that waits for its deletion: `aws kms cancel-key-deletion {options}` first. Both take the key itself, not its alias. Without the key, no backup under it can be read."
        ),
        (KeyProblem::Denied, Some(statement)) => format!(
            "Add to the policy of the access key or role: {statement}. The key's own policy has to let its account's policies decide, or hold the same statement with Principal {}. A key of another account needs both.",
            principal(target)
        ),
        // The bucket encrypts with a key of its own accord.
        (KeyProblem::Denied, None) => "Allow the access key or role kms:GenerateDataKey and kms:Decrypt on the key that the bucket encrypts with by default.".to_owned(),
    }
}

/// Who uses the key, in its policy.
fn principal(target: &Target) -> Value {
    let arn = target.role.as_ref().map_or_else(|| "<ARN of the access key's user>".to_owned(), |role| role.arn.clone());
    json!({ "AWS": arn })
}

/// What to do where a bucket does not encrypt as it is asked.
pub(super) fn refused(target: &Target) -> String {
    let method = target.encryption.as_str();
    let without = format!(
        "leave encryption to the bucket: `walwarden-api admin destination update {} --encryption none`",
        target.id
    );
    match (target.provider, target.encryption) {
        (Provider::Aws, Encryption::SseKms) => format!(
            "Name the key by its whole ARN: `walwarden-api admin destination update {} --encryption sse_kms --kms-key-id <key ARN>`; or {without}.",
            target.id
        ),
        (Provider::Minio, _) => {
            format!("Set MinIO up with a key management (`mc admin kms key status <alias>` shows it); or {without}.")
        }
        _ => format!("Set the server up for {method}, if it has that; or {without}."),
    }
}
