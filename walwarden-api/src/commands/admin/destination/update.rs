//! `walwarden-api admin destination update`.

use clap::Args;
use walwarden_contract::DestinationId;

use super::add::{SecretArguments, check_access_key_id};
use super::options::{Options, check};
use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::output::CommandResult;

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin destination update dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --retention-days 90";

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
    #[command(flatten)]
    secret: SecretArguments,
}

pub(super) async fn run(arguments: UpdateArguments, context: &Context<'_>) -> CommandResult {
    let UpdateArguments { id, name, bucket, options, access_key_id, secret } = arguments;
    let mut destination = context.store.destination(context.org_id, id).await?;
    let moved = bucket.as_ref().is_some_and(|bucket| *bucket != destination.bucket);
    destination.name = name.unwrap_or(destination.name);
    destination.bucket = bucket.unwrap_or(destination.bucket);
    options.apply(&mut destination);
    check(&destination)?;
    let secret_access_key = secret.read(context.env)?;
    if access_key_id.is_some() || secret_access_key.is_some() {
        let keyring = context.keyring()?;
        let mut credentials = keyring.open_credentials(&destination)?;
        if let Some(id) = access_key_id {
            check_access_key_id(&id)?;
            credentials.access_key_id = id;
        }
        credentials.secret_access_key = secret_access_key.unwrap_or(credentials.secret_access_key);
        destination.sealed_credentials = keyring.seal_credentials(context.system, destination.id, &credentials);
    }
    destination.updated_at = context.system.now();
    context.store.update_destination(&destination).await?;
    let outcome = shown(&destination);
    Ok(if moved {
        outcome.warn("backups in the old bucket stay there, and cannot be restored from here")
    } else {
        outcome
    })
}
