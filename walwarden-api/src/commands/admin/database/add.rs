//! `walwarden-api admin database add`.

use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;
use walwarden_contract::model::{SourceCheckMode, SourceCheckReport, SourceCheckStatus};
use walwarden_contract::{DatabaseId, DestinationId};
use walwarden_sdk::postgres::Dsn;

use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::admin::{secret, usage};
use crate::commands::output::{CommandResult, Failure, Outcome};
use crate::engine::backup::Codec;
use crate::jobs::Submitted;
use crate::registry::RegistryError;
use crate::registry::database::{self, NewDatabase, Source};
use crate::registry::source_check::{findings, refusal, vet};

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
    /// Days after which completed backups are deleted from the bucket; without it every backup is kept
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    #[command(flatten)]
    look: LookArguments,
}

/// Whether the source is looked at, and what a failed check means.
#[derive(Debug, Args)]
pub(super) struct LookArguments {
    /// Take the source without looking at it
    #[arg(long, conflicts_with = "force")]
    no_check: bool,
    /// Look at the source, and take it even when a check fails
    #[arg(long)]
    force: bool,
}

impl LookArguments {
    /// Looks at a source. The report of one that is refused comes back as the command's result.
    pub(super) async fn look(
        &self,
        dsn: &Dsn,
        context: &Context<'_>,
    ) -> Result<Result<Option<SourceCheckReport>, Outcome>, Failure> {
        let mode = if self.no_check { SourceCheckMode::Skip } else { SourceCheckMode::Required };
        match vet(&context.source_checker(), context.system, dsn, mode).await {
            Ok(report) => Ok(Ok(report)),
            Err(RegistryError::Refused(report)) if self.force => Ok(Ok(Some(*report))),
            Err(RegistryError::Refused(report)) => {
                let outcome = Outcome::new(json!(report), super::check::text(&report));
                Ok(Err(Outcome { finding: Some(Box::new(refusal(&report))), ..outcome }))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The same outcome, with a warning for each finding.
pub(super) fn with_findings(outcome: Outcome, report: Option<&SourceCheckReport>) -> Outcome {
    let Some(report) = report else { return outcome };
    if report.result == SourceCheckStatus::Skipped {
        return outcome.warn("the source was not looked at: there is no psql here");
    }
    findings(report)
        .fold(outcome, |outcome, check| outcome.warn(&format!("{} ({}): {}", check.id, check.status, check.evidence)))
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

impl SourceArguments {
    /// The source, if one was given.
    pub(super) fn read(&self, context: &Context<'_>) -> Result<Option<Dsn>, Failure> {
        let dsn = if let Some(text) = &self.source {
            let dsn = Source::parse(text)?;
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
            Source::parse(text.expose_secret())?
        };
        Ok(Some(dsn))
    }
}

pub(super) async fn run(arguments: AddArguments, context: &Context<'_>) -> CommandResult {
    let AddArguments { name, destination, source, schedule, codec, retention_days, look } = arguments;
    let dsn = source.read(context)?.ok_or_else(|| {
        usage("the source is missing: set WALWARDEN_SOURCE_DSN or WALWARDEN_SOURCE_DSN_FILE, or add --source-file or --source")
    })?;
    let id = DatabaseId::from_uuid(context.system.uuid());
    let report = match look.look(&dsn, context).await? {
        Ok(report) => report,
        Err(refused) => return Ok(refused),
    };
    let source = Source::seal(&context.keyring()?, context.system, id, &dsn).checked(report.as_ref());
    let codec = Some(codec.to_string());
    let new = NewDatabase { id, name, destination_id: destination, source, schedule, codec, retention_days };
    let created = database::create(&context.store, context.system, context.org_id, new, None, None).await?;
    let database = match created {
        Submitted::New(database) => database,
        Submitted::Replayed(_) => unreachable!("nothing is replayed that was asked for without an Idempotency-Key"),
    };
    let id = id.to_string();
    let outcome = with_findings(shown(context, &database, None), report.as_ref());
    Ok(outcome.then(&["walwarden", "backup", "trigger", "--database", &id, "--wait"]))
}
