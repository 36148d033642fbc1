//! `walwarden-api admin destination`: buckets that backups go to.

mod add;
mod options;
mod policy;
mod preflight;
mod update;
mod view;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use walwarden_contract::DestinationId;

use super::context::Context;
use crate::commands::output::{CommandResult, Outcome, table};
use crate::registry::destination;
use view::{COLUMNS, shown};

/// What can be done with destinations.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Add a bucket
    #[command(after_help = add::EXAMPLE)]
    Add(add::AddArguments),
    /// Show a destination
    #[command(after_help = "Example:\n  walwarden-api admin destination show dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Show(One),
    /// List destinations
    #[command(after_help = "Example:\n  walwarden-api admin destination list --json")]
    List,
    /// Change a destination
    #[command(after_help = update::EXAMPLE)]
    Update(update::UpdateArguments),
    /// Try out everything that a backup asks of a destination, on a small probe object
    #[command(after_help = preflight::EXAMPLE)]
    Preflight(One),
    /// Print what the owner of the bucket sets up: the access key's policy, the bucket's, and Terraform or commands
    #[command(after_help = policy::EXAMPLE)]
    Policy(policy::PolicyArguments),
    /// Remove a destination that neither a database nor a backup uses; what is in the bucket stays there
    #[command(after_help = "Example:\n  walwarden-api admin destination remove dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Remove(One),
}

/// Names one destination.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The destination
    #[arg(value_name = "DESTINATION_ID")]
    id: DestinationId,
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Show(_) => "show",
            Self::List => "list",
            Self::Update(_) => "update",
            Self::Preflight(_) => "preflight",
            Self::Policy(_) => "policy",
            Self::Remove(_) => "remove",
        }
    }
}

pub(super) async fn run(verb: Verb, context: &Context<'_>) -> CommandResult {
    match verb {
        Verb::Add(arguments) => add::run(arguments, context).await,
        Verb::Show(One { id }) => Ok(shown(&context.store.destination(context.org_id, id).await?)),
        Verb::List => list(context).await,
        Verb::Update(arguments) => update::run(arguments, context).await,
        Verb::Preflight(One { id }) => preflight::run(id, context).await,
        Verb::Policy(arguments) => policy::run(arguments, context).await,
        Verb::Remove(One { id }) => remove(id, context).await,
    }
}

async fn list(context: &Context<'_>) -> CommandResult {
    let destinations = context.store.destinations(context.org_id).await?;
    let records: Vec<Value> = destinations.iter().map(view::record).collect();
    let text = table(&records, &COLUMNS, "There are no destinations yet.");
    Ok(Outcome::new(json!({ "destinations": records }), text))
}

async fn remove(id: DestinationId, context: &Context<'_>) -> CommandResult {
    let destination = context.store.destination(context.org_id, id).await?;
    destination::remove(&context.store, context.system, context.org_id, id, None).await?;
    let data = json!({ "id": id, "removed": true });
    Ok(Outcome::new(data, format!("Removed {} ({id}). What is in the bucket stays there.", destination.name)))
}
