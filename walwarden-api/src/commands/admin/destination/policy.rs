//! `walwarden-api admin destination policy`.

use clap::Args;
use serde_json::{Value, json};
use walwarden_contract::DestinationId;
use walwarden_contract::model::Provider;

use crate::commands::admin::context::Context;
use crate::commands::output::{Column, CommandResult, Outcome, table};
use crate::engine::preflight::{Documents, Target, TrustedPrincipal, documents};

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin destination policy dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --json";

const COLUMNS: [Column; 2] = [("PERMISSION", "action"), ("PROVEN BY", "provenBy")];

/// The arguments of `destination policy`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct PolicyArguments {
    /// The destination
    #[arg(value_name = "DESTINATION_ID")]
    id: DestinationId,
    /// Who may assume a role that is prepared for this bucket: adds a trust policy
    #[arg(long, value_name = "ARN", value_parser = principal, requires = "external_id")]
    trusted_principal: Option<String>,
    /// External id that the trusted principal has to name
    #[arg(long, value_name = "ID", value_parser = external_id, requires = "trusted_principal")]
    external_id: Option<String>,
}

/// One account, role or user; `*` would be everybody.
fn principal(text: &str) -> Result<String, String> {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let fits = match parts.as_slice() {
        ["arn", partition, "iam", "", account, name] => {
            partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && (*name == "root" || name.starts_with("role/") || name.starts_with("user/"))
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&byte))
        }
        _ => false,
    };
    if fits {
        Ok(text.to_owned())
    } else {
        Err("is an ARN such as arn:aws:iam::123456789012:role/walwarden".to_owned())
    }
}

/// A placeholder protects nothing: it has to look as if it was generated.
fn external_id(text: &str) -> Result<String, String> {
    let random = text.strip_prefix("wal-").unwrap_or_default();
    let mut different: Vec<u8> = random.bytes().collect();
    different.sort_unstable();
    different.dedup();
    let fits = (20..=60).contains(&random.len())
        && random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && random.bytes().any(|byte| byte.is_ascii_digit())
        && different.len() >= 6;
    if fits {
        Ok(text.to_owned())
    } else {
        Err("is wal- and 20 to 60 random lowercase letters and digits, and no placeholder".to_owned())
    }
}

fn section(text: &mut String, heading: &str, body: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(heading);
    text.push_str("\n\n");
    text.push_str(body.trim_end());
}

fn shown(documents: &Documents) -> Outcome {
    let proven = |permission: &crate::engine::preflight::NeededPermission| json!({ "action": permission.action, "provenBy": permission.proven_by });
    let permissions: Vec<Value> = documents.permissions.iter().map(proven).collect();
    let mut text = String::new();
    for (heading, document) in [
        ("Policy of the access key (policy.json):", &documents.iam_policy),
        ("Trust policy of the role:", &documents.trust_policy),
        ("Policy of the bucket:", &documents.bucket_policy),
    ] {
        if let Some(document) = document {
            section(&mut text, heading, &format!("{document:#}"));
        }
    }
    if let Some(terraform) = &documents.terraform {
        section(&mut text, "The same as Terraform, with the bucket:", terraform);
    }
    if !documents.commands.is_empty() {
        section(&mut text, "Commands:", &documents.commands.join("\n"));
    }
    section(&mut text, "What preflight proves each permission by:", &table(&permissions, &COLUMNS, "-"));
    let data = json!({
        "iamPolicy": documents.iam_policy,
        "trustPolicy": documents.trust_policy,
        "bucketPolicy": documents.bucket_policy,
        "terraform": documents.terraform,
        "commands": documents.commands,
        "permissions": permissions,
    });
    Outcome::new(data, text)
}

pub(super) async fn run(arguments: PolicyArguments, context: &Context<'_>) -> CommandResult {
    let PolicyArguments { id, trusted_principal, external_id } = arguments;
    let target = Target::of(&context.store.destination(context.org_id, id).await?);
    let trusted = trusted_principal.zip(external_id).map(|(arn, external_id)| TrustedPrincipal { arn, external_id });
    let outcome = shown(&documents(&target, trusted.as_ref()));
    let outcome = match (target.provider, trusted.is_some()) {
        (Provider::Aws, true) => outcome
            .warn("roles are not assumed yet: backups use the destination's access key, and the role is for later"),
        (Provider::Aws, false) => outcome
            .warn("there is no trust policy, as roles are not assumed yet: backups use the destination's access key"),
        (_, true) => outcome.warn("only Amazon S3 has roles: there is no trust policy for this provider"),
        (_, false) => outcome,
    };
    let id = id.to_string();
    Ok(outcome.then(&["walwarden-api", "admin", "destination", "preflight", &id]))
}
