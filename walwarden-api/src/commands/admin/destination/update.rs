//! `walwarden-api admin destination update`.

use clap::Args;
use walwarden_contract::DestinationId;

use super::add::SecretArguments;
use super::options::Options;
use super::preflight;
use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::output::CommandResult;
use crate::registry::destination::{self, DestinationChange, Looker, NewCredentials};

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin destination update dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --retention-days 90
  walwarden-api admin destination update dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --encryption sse_s3";

/// The arguments of `destination update`. What is not given stays as it is.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct UpdateArguments {
    /// The destination
    #[arg(value_name = "DESTINATION_ID")]
    id: DestinationId,
    /// Name of the destination
    #[arg(long)]
    name: Option<String>,
    /// The bucket; backups in the old one stay there, and out of reach
    #[arg(long)]
    bucket: Option<String>,
    #[command(flatten)]
    options: Options,
    /// Identifier of the access key
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// Role to assume in place of an access key; Amazon S3 only
    #[arg(long, value_name = "ARN", conflicts_with_all = ["access_key_id", "secret_access_key_file", "secret_access_key_stdin"])]
    role_arn: Option<String>,
    #[command(flatten)]
    secret: SecretArguments,
    /// Leave the preflight to a worker, because the bucket is not set up yet
    #[arg(long)]
    skip_preflight: bool,
    /// Replace an access key, or a role by another, although preflight fails with the new one
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(arguments: UpdateArguments, context: &Context<'_>) -> CommandResult {
    let UpdateArguments { id, name, bucket, options, access_key_id, role_arn, secret, skip_preflight, force } =
        arguments;
    let before = context.store.destination(context.org_id, id).await?;
    // A variable that was set for another destination is not meant for this one.
    let meant = role_arn.is_none() && (access_key_id.is_some() || secret.is_named());
    let secret_access_key = if meant { secret.read(context.env)? } else { None };
    let new_key = access_key_id.is_some() || secret_access_key.is_some();
    // The external id of a first role is made by the change itself: no trust policy can name it before.
    let rekeyed = new_key || (role_arn.is_some() && before.role.is_some());
    let keyring = context.keyring()?;
    let credentials = new_key.then(|| NewCredentials { keyring: &keyring, access_key_id, secret_access_key });
    let looker = if skip_preflight { Looker::Worker } else { Looker::Caller };
    let change = DestinationChange { name, bucket, connection: options.into(), credentials, role_arn, looker };
    if rekeyed && !skip_preflight && !force {
        let candidate = destination::changed(&before, change.clone(), context.system)?;
        if let Some(refused) = preflight::refused(context, &keyring, &before, &candidate).await? {
            return Ok(refused);
        }
    }
    let changed = destination::update(&context.store, context.system, context.org_id, id, change, None).await?;
    let to_be_looked_at = changed.verification.revision != before.verification.revision && !skip_preflight;
    let outcome =
        if to_be_looked_at { preflight::after_change(context, &keyring, &changed).await? } else { shown(&changed) };
    Ok(if changed.bucket == before.bucket {
        outcome
    } else {
        outcome.warn("backups in the old bucket stay there, and cannot be restored from here")
    })
}
