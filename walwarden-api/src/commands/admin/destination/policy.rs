//! `walwarden-api admin destination policy`.

use clap::Args;
use serde_json::{Value, json};
use walwarden_contract::DestinationId;
use walwarden_contract::model::Provider;

use crate::commands::admin::context::Context;
use crate::commands::admin::usage;
use crate::commands::output::{Column, CommandResult, Outcome, table};
use crate::config::is_principal;
use crate::engine::preflight::{Documents, LIFECYCLE_NOTE, Target, TrustedPrincipal, documents};

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin destination policy dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --json";

const COLUMNS: [Column; 2] = [("PERMISSION", "action"), ("PROVEN BY", "provenBy")];

/// The arguments of `destination policy`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct PolicyArguments {
    /// The destination
    #[arg(value_name = "DESTINATION_ID")]
    id: DestinationId,
    /// Who may assume the role, instead of the setting `aws_principal`
    #[arg(long, value_name = "ARN", value_parser = principal)]
    trusted_principal: Option<String>,
    /// External id that the trusted principal has to name, for a role that is prepared for later
    #[arg(long, value_name = "ID", value_parser = external_id, requires = "trusted_principal")]
    external_id: Option<String>,
}

fn principal(text: &str) -> Result<String, String> {
    let expected = "is an ARN such as arn:aws:iam::123456789012:role/walwarden";
    is_principal(text).then(|| text.to_owned()).ok_or_else(|| expected.to_owned())
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
        ("What the bucket tidies by itself (lifecycle.json):", &documents.lifecycle),
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
    section(&mut text, "About what the bucket tidies by itself:", LIFECYCLE_NOTE);
    section(&mut text, "What preflight proves each permission by:", &table(&permissions, &COLUMNS, "-"));
    let data = json!({
        "iamPolicy": documents.iam_policy,
        "trustPolicy": documents.trust_policy,
        "bucketPolicy": documents.bucket_policy,
        "lifecycle": documents.lifecycle,
        "lifecycleNote": LIFECYCLE_NOTE,
        "terraform": documents.terraform,
        "commands": documents.commands,
        "permissions": permissions,
    });
    Outcome::new(data, text)
}

pub(super) async fn run(arguments: PolicyArguments, context: &Context<'_>) -> CommandResult {
    let PolicyArguments { id, trusted_principal, external_id } = arguments;
    let expires = context.store.expires_backups(context.org_id, id).await?;
    let target = Target::of(&context.store.destination(context.org_id, id).await?).expiring(expires);
    let own = target.role.as_ref().map(|role| role.external_id.clone());
    if own.is_some() && external_id.is_some() {
        return Err(usage("--external-id goes without a role: the destination has an external id of its own"));
    }
    let to_be_assumed = own.is_some();
    let principal = trusted_principal.or_else(|| context.settings().aws_principal.clone());
    let trusted = principal.zip(own.or(external_id)).map(|(arn, external_id)| TrustedPrincipal { arn, external_id });
    let outcome = shown(&documents(&target, trusted.as_ref()));
    let outcome = match (target.provider, trusted.is_some()) {
        (Provider::Aws, true) if to_be_assumed => outcome,
        (Provider::Aws, true) => outcome
            .warn("the destination has an access key: the role is for later, and gets an external id of its own then"),
        (Provider::Aws, false) if to_be_assumed => outcome.warn(
            "there is no trust policy, as this server's AWS identity is not known: set WALWARDEN_AWS_PRINCIPAL, or add --trusted-principal",
        ),
        (Provider::Aws, false) => {
            outcome.warn("there is no trust policy, as the destination has an access key and no role")
        }
        (_, true) => outcome.warn("only Amazon S3 has roles: there is no trust policy for this provider"),
        (_, false) => outcome,
    };
    let id = id.to_string();
    Ok(outcome.then(&["walwarden-api", "admin", "destination", "preflight", &id]))
}
