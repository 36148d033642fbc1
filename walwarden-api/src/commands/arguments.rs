//! The command line of `walwarden-api`.

use clap::{Args, Parser, Subcommand};

use super::admin::AdminArguments;
pub use crate::config::{CommonArguments, ServeArguments};

/// Backs Postgres databases up into buckets that you own, and proves it.
#[derive(Debug, Parser)]
#[command(name = "walwarden-api", version, after_help = "Start with: walwarden-api init")]
pub struct Arguments {
    /// The settings that every command takes.
    #[command(flatten)]
    pub common: CommonArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process, made of its command line")]
pub enum Command {
    /// Run the API, the worker and the scheduler
    #[command(after_help = "Example:\n  walwarden-api serve --listen 127.0.0.1:8420")]
    Serve(ServeArguments),
    /// Create the data directory, the keys and the first organization
    #[command(after_help = "Example:\n  walwarden-api init --organization acme")]
    Init(InitArguments),
    /// Manage destinations, databases and API keys, locally against the store
    Admin(AdminArguments),
    /// Back up and restore a sample database end to end, on throw-away servers
    #[cfg(feature = "demo")]
    #[command(after_help = "Example:\n  walwarden-api demo")]
    Demo(super::demo::DemoArguments),
}

/// The arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Name of the first organization
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub organization: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
