//! `walwarden-api admin database`: databases that are backed up.

mod add;
mod check;
mod schedule;
mod update;
mod view;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use walwarden_contract::DatabaseId;

use super::context::Context;
use crate::commands::output::{CommandResult, Outcome, table};
use crate::registry::database;
use view::{COLUMNS, shown};

/// What can be done with databases.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Add a database to back up
    #[command(after_help = add::EXAMPLE)]
    Add(add::AddArguments),
    /// Show a database
    #[command(after_help = "Example:\n  walwarden-api admin database show db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Show(One),
    /// List databases
    #[command(after_help = "Example:\n  walwarden-api admin database list --json")]
    List,
    /// Change a database
    #[command(after_help = update::EXAMPLE)]
    Update(update::UpdateArguments),
    /// Look at everything that a backup asks of a source
    #[command(after_help = check::EXAMPLE)]
    Check(check::CheckArguments),
    /// Set, or take away, a database's schedule
    #[command(after_help = schedule::EXAMPLE)]
    Schedule(schedule::ScheduleArguments),
    /// Remove a database; its backups stay in the bucket, and can still be restored
    #[command(after_help = "Example:\n  walwarden-api admin database remove db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Remove(One),
}

/// Names one database.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The database
    #[arg(value_name = "DATABASE_ID")]
    id: DatabaseId,
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Show(_) => "show",
            Self::List => "list",
            Self::Update(_) => "update",
            Self::Check(_) => "check",
            Self::Schedule(_) => "schedule",
            Self::Remove(_) => "remove",
        }
    }
}

pub(super) async fn run(verb: Verb, context: &Context<'_>) -> CommandResult {
    match verb {
        Verb::Add(arguments) => add::run(arguments, context).await,
        Verb::Show(One { id }) => {
            let (database, last) = context.store.database(context.org_id, id).await?;
            Ok(shown(context, &database, last))
        }
        Verb::List => list(context).await,
        Verb::Update(arguments) => update::run(arguments, context).await,
        Verb::Check(arguments) => check::run(arguments, context).await,
        Verb::Schedule(arguments) => schedule::run(arguments, context).await,
        Verb::Remove(One { id }) => remove(id, context).await,
    }
}

async fn list(context: &Context<'_>) -> CommandResult {
    let databases = context.databases().await?;
    let records: Vec<Value> = databases.iter().map(|(database, last)| view::record(context, database, *last)).collect();
    let text = table(&records, &COLUMNS, "There are no databases yet.");
    Ok(Outcome::new(json!({ "databases": records }), text))
}

async fn remove(id: DatabaseId, context: &Context<'_>) -> CommandResult {
    let (database, _) = context.store.database(context.org_id, id).await?;
    database::remove(&context.store, context.system, context.org_id, id, None).await?;
    let data = json!({ "id": id, "removed": true });
    Ok(Outcome::new(data, format!("Removed {} ({id}). Its backups stay in the bucket.", database.name)))
}
