//! `walwarden-api admin evidence`: what is handed to auditors, made from the store alone.

mod report;

use clap::Subcommand;

use super::context::Context;
use crate::commands::output::CommandResult;

/// What can be made of the evidence.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Report on a period, by the controls of a framework, each line with the hashes of its events
    #[command(after_help = report::EXAMPLE)]
    Report(report::ReportArguments),
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Report(_) => "report",
        }
    }
}

pub(super) async fn run(verb: Verb, context: &Context<'_>, json: bool) -> CommandResult {
    match verb {
        Verb::Report(arguments) => report::run(arguments, context, json).await,
    }
}
