//! `walwarden-api admin database add`.

use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret;
use walwarden_contract::{DatabaseId, DestinationId, ErrorCode, Timestamp};
use walwarden_sdk::postgres::Dsn;

use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::admin::{check_name, secret};
use crate::commands::output::{CommandResult, Failure};
use crate::engine::backup::Codec;
use crate::jobs::schedule;
use crate::store::databases::Database;

pub(super) const EXAMPLE: &str = "Example:
  WALWARDEN_SOURCE_DSN_FILE=dsn.txt walwarden-api admin database add --name shop \\
      --destination dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --schedule \"0 2 * * *\"";

/// The arguments of `database add`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct AddArguments {
    /// Name of the database here
    #[arg(long)]
    name: String,
    /// Where its backups go
    #[arg(long, value_name = "DESTINATION_ID")]
    destination: DestinationId,
    #[command(flatten)]
    source: SourceArguments,
    /// When to back up: five-field cron expression in UTC
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// Compression: auto, zstd:1 to zstd:22, gzip:1 to gzip:9, none
    #[arg(long, default_value = "auto", value_parser = codec)]
    codec: Codec,
}

/// Where the source's DSN comes from.
#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    /// File that holds the source's connection string, unless it is in `WALWARDEN_SOURCE_DSN` or
    /// `WALWARDEN_SOURCE_DSN_FILE` names its file
    #[arg(long, value_name = "PATH")]
    source_file: Option<PathBuf>,
    /// The source's connection string, only when there is no password in it
    #[arg(long, value_name = "DSN", conflicts_with = "source_file")]
    source: Option<String>,
}

pub(super) fn codec(text: &str) -> Result<Codec, String> {
    text.parse::<Codec>().map_err(|error| error.to_string())
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UsageError, message)
}

impl SourceArguments {
    /// The source, if one was given.
    pub(super) fn read(&self, context: &Context<'_>) -> Result<Option<Dsn>, Failure> {
        let dsn = if let Some(text) = &self.source {
            let dsn = Dsn::parse(text).map_err(|error| usage(format!("--source: {error}")))?;
            if dsn.has_password() || dsn.parameter("sslpassword").is_some() {
                return Err(usage(
                    "--source holds a password, which other users of this machine can see: change it, and hand the \
                     connection string in with --source-file or WALWARDEN_SOURCE_DSN",
                ));
            }
            dsn
        } else {
            let file = self.source_file.as_deref();
            let Some(text) = secret::from_file_or_environment(file, "WALWARDEN_SOURCE_DSN", context.env)? else {
                return Ok(None);
            };
            Dsn::parse(text.expose_secret()).map_err(|error| usage(format!("the source: {error}")))?
        };
        if dsn.database().is_none() {
            return Err(usage("the source's connection string names no database"));
        }
        Ok(Some(dsn))
    }
}

/// Sets everything about a database that follows from its source.
pub(super) fn set_source(database: &mut Database, dsn: &Dsn, context: &Context<'_>) -> Result<(), Failure> {
    dsn.database().unwrap_or_default().clone_into(&mut database.database_name);
    database.redacted_dsn = dsn.redacted();
    database.sealed_dsn = context.keyring()?.seal_dsn(context.system, database.id, dsn);
    Ok(())
}

/// Sets the schedule and the run that follows from it.
pub(super) fn set_schedule(database: &mut Database, cron: Option<&str>, now: Timestamp) -> Result<(), Failure> {
    let next = cron.map(|cron| schedule::next_after(cron, now)).transpose();
    database.next_run_at = next.map_err(|error| usage(error.to_string()))?;
    database.schedule = cron.map(|cron| cron.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(())
}

pub(super) async fn run(arguments: AddArguments, context: &Context<'_>) -> CommandResult {
    let AddArguments { name, destination, source, schedule, codec } = arguments;
    check_name(&name)?;
    let destination = context.store.destination(context.org_id, destination).await?;
    let dsn = source.read(context)?.ok_or_else(|| {
        usage("the source is missing: set WALWARDEN_SOURCE_DSN or WALWARDEN_SOURCE_DSN_FILE, or add --source-file or --source")
    })?;
    let now = context.system.now();
    let mut database = Database {
        id: DatabaseId::from_uuid(context.system.uuid()),
        org_id: context.org_id,
        destination_id: destination.id,
        name,
        database_name: String::new(),
        redacted_dsn: String::new(),
        sealed_dsn: String::new(),
        codec: codec.to_string(),
        schedule: None,
        next_run_at: None,
        created_at: now,
        updated_at: now,
    };
    set_schedule(&mut database, schedule.as_deref(), now)?;
    set_source(&mut database, &dsn, context)?;
    context.store.create_database(&database).await?;
    let id = database.id.to_string();
    Ok(shown(context, &database, None).then(&["walwarden", "backup", "trigger", "--database", &id, "--wait"]))
}
