//! `walwarden restore`

mod consent;
pub(super) mod create;
mod execute;
pub(crate) mod legacy;
mod options;
mod password;
pub(super) mod plan;
pub(super) mod session;
pub(super) mod status;

use crate::cli::RestoreCommand;
use crate::context::{Context, Report};
use crate::failure::Failure;

/// Runs one of the commands that use an API key.
pub(crate) async fn run(context: &Context, command: RestoreCommand) -> Result<Report, Failure> {
    match command {
        RestoreCommand::Create(arguments) => create::run(context, arguments).await,
        RestoreCommand::Execute(arguments) => execute::run(context, arguments).await,
        RestoreCommand::Status { id } => status::run(context, id).await,
    }
}
