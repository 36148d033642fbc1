//! `walwarden-api admin`: destinations, databases and API keys, managed locally against the store.

mod context;
mod database;
mod destination;
mod evidence;
mod key;
mod reconcile;
mod sealing;
mod secret;
mod signing_key;

#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};
use walwarden_contract::{ErrorCode, ExitStatus, OrgId};

use super::arguments::CommonArguments;
use super::output::{self, CommandResult, Failure};
use crate::config::Environment;
use crate::registry::RegistryError;
use crate::registry::source_check::refusal;
use crate::system::System;
use context::Context;

/// The arguments of `admin`.
#[derive(Debug, Args)]
pub struct AdminArguments {
    /// The organization, when there are several
    #[arg(long, global = true, value_name = "ORG_ID")]
    organization: Option<OrgId>,
    /// Print one JSON document
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Buckets that backups go to
    #[command(subcommand)]
    Destination(destination::Verb),
    /// Databases that are backed up
    #[command(subcommand)]
    Database(database::Verb),
    /// API keys
    #[command(subcommand)]
    Key(key::Verb),
    /// Evidence to hand to others
    #[command(subcommand)]
    Evidence(evidence::Verb),
    /// Keys that sign manifests
    #[command(subcommand)]
    SigningKey(signing_key::Verb),
    /// How stored secrets are sealed
    #[command(subcommand)]
    Secret(sealing::Verb),
    /// Hold schedules, audit chains, signed manifests and buckets against each other
    #[command(after_help = reconcile::EXAMPLE)]
    Reconcile(reconcile::ReconcileArguments),
}

impl AdminArguments {
    /// The command's name in its envelope.
    fn kind(&self) -> String {
        let (noun, verb) = match &self.noun {
            Noun::Destination(verb) => ("destination", verb.name()),
            Noun::Database(verb) => ("database", verb.name()),
            Noun::Key(verb) => ("key", verb.name()),
            Noun::Evidence(verb) => ("evidence", verb.name()),
            Noun::SigningKey(verb) => ("signing-key", verb.name()),
            Noun::Secret(verb) => ("secret", verb.name()),
            Noun::Reconcile(_) => return "admin.reconcile".to_owned(),
        };
        format!("admin.{noun}.{verb}")
    }
}

/// Runs an `admin` command and prints how it ended.
pub async fn run(
    common: &CommonArguments,
    arguments: AdminArguments,
    system: &System,
    env: &Environment<'_>,
) -> ExitStatus {
    let (json, kind) = (arguments.json, arguments.kind());
    output::print(json, &kind, execute(common, arguments, system, env).await)
}

async fn execute(
    common: &CommonArguments,
    arguments: AdminArguments,
    system: &System,
    env: &Environment<'_>,
) -> CommandResult {
    let json = arguments.json;
    let context = Context::open(common, arguments.organization, system, env).await?;
    let result = match arguments.noun {
        Noun::Destination(verb) => destination::run(verb, &context).await,
        Noun::Database(verb) => database::run(verb, &context).await,
        Noun::Key(verb) => key::run(verb, &context).await,
        Noun::Evidence(verb) => evidence::run(verb, &context, json).await,
        Noun::SigningKey(verb) => signing_key::run(verb, &context).await,
        Noun::Secret(verb) => sealing::run(&verb, &context).await,
        Noun::Reconcile(arguments) => reconcile::run(arguments, &context).await,
    };
    context.store.close().await;
    result
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UsageError, message)
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Invalid { field, problem } => usage(format!("{} {problem}", field.flag())),
            RegistryError::NameTaken(_) => Self::new(ErrorCode::NameTaken, error.to_string()),
            RegistryError::InUse(message) => Self::new(ErrorCode::ResourceInUse, message),
            RegistryError::Refused(report) => Self(Box::new(refusal(&report))),
            RegistryError::Sealed(error) => error.into(),
            RegistryError::Store(error) => error.into(),
        }
    }
}
