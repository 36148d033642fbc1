//! The commands, one file each.

mod backup;
mod database;
mod evidence;
mod profile;
pub(crate) mod restore;

use serde::Serialize;
use walwarden_sdk::Error;

use crate::cli::{BackupCommand, Command, DatabaseCommand, EvidenceCommand, ProfileCommand};
use crate::context::{Context, Report};
use crate::failure::Failure;

/// Runs a command that only speaks to the API.
pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Profile(ProfileCommand::Validate) => profile::validate::run(context).await,
        Command::Database(DatabaseCommand::List(page)) => database::list::run(context, page.into()).await,
        Command::Database(DatabaseCommand::Get { id }) => database::get::run(context, id).await,
        Command::Backup(BackupCommand::List { database, page }) => {
            backup::list::run(context, database, page.into()).await
        }
        Command::Backup(BackupCommand::Trigger(arguments)) => backup::trigger::run(context, arguments).await,
        Command::Backup(BackupCommand::Status { id }) => backup::status::run(context, id).await,
        Command::Evidence(EvidenceCommand::Get { id }) => evidence::get::run(context, id).await,
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

fn to_value(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("the contract's types have string keys only")
}
