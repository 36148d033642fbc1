//! `walwarden-api admin database update`.

use clap::Args;
use walwarden_contract::{DatabaseId, DestinationId};

use super::add::{SourceArguments, codec};
use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::output::CommandResult;
use crate::engine::backup::Codec;
use crate::registry::database::{self, DatabaseChange, Source};

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
    let (_, last) = context.store.database(context.org_id, id).await?;
    let source = match source.read(context)? {
        Some(dsn) => Some(Source::seal(&context.keyring()?, context.system, id, &dsn)),
        None => None,
    };
    let codec = codec.map(|codec| codec.to_string());
    let change = DatabaseChange { name, destination_id: destination, source, schedule: None, codec };
    let changed = database::update(&context.store, context.system, context.org_id, id, change, None).await?;
    Ok(shown(context, &changed, last))
}
