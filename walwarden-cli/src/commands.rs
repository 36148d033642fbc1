//! The commands, one file each.

mod backup;
mod capabilities;
mod completions;
mod database;
mod destination;
mod evidence;
mod explain_error;
mod man;
mod profile;
pub(crate) mod restore;
mod verify_environment;

#[cfg(test)]
mod tests;

use serde::Serialize;
use walwarden_contract::model::EvidenceQuery;
use walwarden_contract::page::PageQuery;
use walwarden_sdk::Error;

use crate::cli::{
    BackupCommand, CapabilitiesCommand, Command, DatabaseCommand, DestinationCommand, EvidenceCommand, ProfileCommand,
};
use crate::context::{Context, Report};
use crate::failure::Failure;

/// Runs a command that speaks to the API alone, or to nobody.
pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Profile(ProfileCommand::Validate) => profile::validate::run(context).await,
        Command::Database(DatabaseCommand::List(page)) => database::list::run(context, page.into()).await,
        Command::Database(DatabaseCommand::Get { id }) => database::get::run(context, id).await,
        Command::Destination(DestinationCommand::List(page)) => destination::list::run(context, page.into()).await,
        Command::Destination(DestinationCommand::Get { id }) => destination::get::run(context, id).await,
        Command::Backup(BackupCommand::List { database, page }) => {
            backup::list::run(context, database, page.into()).await
        }
        Command::Backup(BackupCommand::Trigger(arguments)) => backup::trigger::run(context, arguments).await,
        Command::Backup(BackupCommand::Status { id }) => backup::status::run(context, id).await,
        Command::Evidence(EvidenceCommand::List { database, page }) => {
            let page = PageQuery::from(page);
            let query = EvidenceQuery { database_id: database, limit: page.limit, cursor: page.cursor };
            evidence::list::run(context, query).await
        }
        Command::Evidence(EvidenceCommand::Get { id }) => evidence::get::run(context, id).await,
        Command::Capabilities(CapabilitiesCommand::List { compact }) => {
            Ok(capabilities::list::run(compact, &context.view()))
        }
        Command::Capabilities(CapabilitiesCommand::Describe { id }) => {
            capabilities::describe::run(&id, &context.view())
        }
        Command::VerifyEnvironment(arguments) => verify_environment::run(context, arguments).await,
        Command::ExplainError { from_json } => explain_error::run(context, from_json).await,
        Command::Completions { shell } => Ok(completions::run(shell)),
        Command::Man { directory } => man::run(directory.as_deref()),
        Command::Restore(_) => unreachable!("restores are dispatched before"),
    }
}

/// Awaits a call unless a signal comes first.
async fn interruptible<T>(context: &Context, call: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(Failure::cancelled()),
        outcome = call => outcome.map_err(Failure::from),
    }
}

/// The flags that ask for the page which begins at this cursor.
fn page_flags(limit: Option<u32>, cursor: &str) -> Vec<String> {
    let mut flags = Vec::new();
    if let Some(limit) = limit {
        flags.extend(["--limit".to_owned(), limit.to_string()]);
    }
    if cursor.starts_with('-') {
        flags.push(format!("--cursor={cursor}"));
    } else {
        flags.extend(["--cursor".to_owned(), cursor.to_owned()]);
    }
    flags
}

pub(crate) fn to_value(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("the contract's types have string keys only")
}
