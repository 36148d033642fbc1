//! `walwarden-api admin evidence`: what is handed to auditors, made from the store alone.

mod archive;
mod export;
mod report;

use clap::Subcommand;

use super::context::Context;
use crate::commands::output::CommandResult;

/// What can be made of the evidence.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Write the evidence of a backup, or of a period, as one archive that anybody can check offline
    #[command(after_help = export::EXAMPLE)]
    Export(export::ExportArguments),
    /// Report on a period, by the controls of a framework, each line with the hashes of its events
    #[command(after_help = report::EXAMPLE)]
    Report(report::ReportArguments),
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Export(_) => "export",
            Self::Report(_) => "report",
        }
    }
}

pub(super) async fn run(verb: Verb, context: &Context<'_>, json: bool) -> CommandResult {
    match verb {
        Verb::Export(arguments) => export::run(arguments, context).await,
        Verb::Report(arguments) => report::run(arguments, context, json).await,
    }
}
