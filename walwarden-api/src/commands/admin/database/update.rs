//! `walwarden-api admin database update`.

use clap::Args;
use walwarden_contract::{DatabaseId, DestinationId};

use super::add::{SourceArguments, codec, set_source};
use super::view::shown;
use crate::commands::admin::check_name;
use crate::commands::admin::context::Context;
use crate::commands::output::CommandResult;
use crate::engine::backup::Codec;

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin database update db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --codec gzip:9";

/// The arguments of `database update`. What is not given stays as it is.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct UpdateArguments {
    /// The database
    #[arg(value_name = "DATABASE_ID")]
    id: DatabaseId,
    /// Name of the database here
    #[arg(long)]
    name: Option<String>,
    /// Where its backups go from now on
    #[arg(long, value_name = "DESTINATION_ID")]
    destination: Option<DestinationId>,
    #[command(flatten)]
    source: SourceArguments,
    /// Compression: auto, zstd:1 to zstd:22, gzip:1 to gzip:9, none
    #[arg(long, value_parser = codec)]
    codec: Option<Codec>,
}

pub(super) async fn run(arguments: UpdateArguments, context: &Context<'_>) -> CommandResult {
    let UpdateArguments { id, name, destination, source, codec } = arguments;
    let (mut database, last) = context.store.database(context.org_id, id).await?;
    if let Some(name) = name {
        check_name(&name)?;
        database.name = name;
    }
    if let Some(destination) = destination {
        database.destination_id = context.store.destination(context.org_id, destination).await?.id;
    }
    if let Some(dsn) = source.read(context)? {
        set_source(&mut database, &dsn, context)?;
    }
    if let Some(codec) = codec {
        database.codec = codec.to_string();
    }
    database.updated_at = context.system.now();
    context.store.update_database(&database).await?;
    Ok(shown(context, &database, last))
}
