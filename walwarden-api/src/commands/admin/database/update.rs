//! `walwarden-api admin database update`.

use clap::Args;
use walwarden_contract::{DatabaseId, DestinationId};

use super::add::{LookArguments, SourceArguments, codec, with_findings};
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
    /// Days after which completed backups are deleted from the bucket, those that are there included; 0 keeps every backup
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    #[command(flatten)]
    look: LookArguments,
}

pub(super) async fn run(arguments: UpdateArguments, context: &Context<'_>) -> CommandResult {
    let UpdateArguments { id, name, destination, source, codec, retention_days, look } = arguments;
    let (_, last) = context.store.database(context.org_id, id).await?;
    let mut report = None;
    let source = match source.read(context)? {
        Some(dsn) => {
            report = match look.look(&dsn, context).await? {
                Ok(report) => report,
                Err(refused) => return Ok(refused),
            };
            Some(Source::seal(&context.keyring()?, context.system, id, &dsn).checked(report.as_ref()))
        }
        None => None,
    };
    let codec = codec.map(|codec| codec.to_string());
    let change = DatabaseChange { name, destination_id: destination, source, schedule: None, codec, retention_days };
    let changed = database::update(&context.store, context.system, context.org_id, id, change, None).await?;
    Ok(with_findings(shown(context, &changed, last), report.as_ref()))
}
