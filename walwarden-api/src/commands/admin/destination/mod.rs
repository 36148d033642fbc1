//! `walwarden-api admin destination`: buckets that backups go to.

mod add;
mod options;
mod update;
mod view;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use walwarden_contract::{DestinationId, ErrorCode};

use super::context::Context;
use crate::commands::output::{CommandResult, Failure, Outcome, table};
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
    /// Remove a destination that no database uses; what is in the bucket stays there
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
    let databases = context.databases().await?;
    let users: Vec<String> = databases
        .iter()
        .filter(|(database, _)| database.destination_id == id)
        .map(|(database, _)| format!("{} ({})", database.name, database.id))
        .collect();
    if !users.is_empty() {
        let message = format!("the destination is used by {}: give them another one, or remove them", users.join(", "));
        return Err(Failure::new(ErrorCode::InvalidRequest, message));
    }
    context.store.delete_destination(context.org_id, id, context.system.now()).await?;
    let data = json!({ "id": id, "removed": true });
    Ok(Outcome::new(data, format!("Removed {} ({id}). What is in the bucket stays there.", destination.name)))
}
