//! The command line as clap sees it: words, flags and help, no behaviour.

mod local;
mod restore;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use secrecy::SecretString;
use walwarden_contract::model::RestoreMode;
use walwarden_contract::page::PageQuery;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, RestoreJobId};

use crate::config::MAX_TIMEOUT_MS;

pub(crate) use local::{CapabilitiesCommand, VerifyArgs};
pub(crate) use restore::{CreateArgs, ExecuteArgs, LegacyArgs, RestoreArgs, RestoreCommand, RunArgs, TargetArgs};

const AFTER_HELP: &str = "\
Environment:
  WALWARDEN_BASE_URL      The API's address (WALWARDEN_API_URL is its older name)
  WALWARDEN_API_KEY       The API key; WALWARDEN_API_KEY_FILE names a file that holds it
  WALWARDEN_CONFIG        The configuration file, when not ~/.config/walwarden/config.json
  WALWARDEN_PROFILE       The profile of that file, when not `default`
  WALWARDEN_TIMEOUT_MS    How long one request may take
  WALWARDEN_TOKEN         The restore token; WALWARDEN_TOKEN_FILE names a file that holds it
  WALWARDEN_TARGET_DSN    The restore target, in place of --target
  PGPASSWORD, PGPASSFILE  The target's password, when the target names none

Flags go before the environment, the environment before the profile.

Exit codes: 0 ok, 1 retryable, 2 user error, 3 terminal, 4 cancelled

Example: walwarden --json database list";

/// Postgres backups in a bucket of your own, and restores that are proven before they touch anything.
#[derive(Debug, Parser)]
#[command(name = "walwarden", version, after_help = AFTER_HELP, disable_help_subcommand = true, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Write exactly one JSON document to stdout, and nothing to stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The profile of the configuration file that settings are taken from; `default` when absent
    #[arg(long, global = true, value_name = "NAME", value_parser = value::name)]
    pub(crate) profile: Option<String>,
    /// The configuration file; `~/.config/walwarden/config.json` when absent
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// The API's address, over `WALWARDEN_BASE_URL`
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) api_url: Option<String>,
    /// The API key, over `WALWARDEN_API_KEY`; arguments are visible to other users of this machine
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) api_key: Option<SecretString>,
    /// How long one request may take
    #[arg(long, global = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=MAX_TIMEOUT_MS))]
    pub(crate) timeout_ms: Option<u64>,
    /// Allow plain http to other machines; keys and tokens then travel in clear
    #[arg(long, global = true)]
    pub(crate) allow_insecure_http: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the API key and the connection to the API
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Protected databases
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Backup destinations: the buckets that backups go to
    #[command(subcommand)]
    Destination(DestinationCommand),
    /// Backup jobs
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Evidence of completed backups
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Restore a backup into a database; with --manifest, run the restore of a token
    Restore(Box<RestoreArgs>),
    /// What Walwarden can do, and what it cannot do yet
    #[command(subcommand)]
    Capabilities(CapabilitiesCommand),
    /// Check this machine, its settings and the API key before they are needed
    #[command(after_help = local::VERIFY_HELP)]
    VerifyEnvironment(VerifyArgs),
    /// Say what an error means, who can mend it and what to do next
    #[command(after_help = local::EXPLAIN_HELP)]
    ExplainError {
        /// A file that holds the error, or - for stdin
        #[arg(long, value_name = "FILE")]
        from_json: PathBuf,
    },
    /// Print the script that lets a shell complete commands and flags
    #[command(after_help = local::COMPLETIONS_HELP)]
    Completions {
        /// The shell: bash, zsh, fish, elvish or powershell
        #[arg(value_name = "SHELL", hide_possible_values = true)]
        shell: Shell,
    },
    /// Print the manual page, or write one page for each command
    #[command(after_help = local::MAN_HELP)]
    Man {
        /// Write every page into this folder, which is created when it is missing
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Read what the API key is and may do
    #[command(after_help = "Example: walwarden --json profile validate")]
    Validate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    /// List the protected databases that the API key can see
    #[command(after_help = "Example: walwarden --json database list --limit 20")]
    List(PageArgs),
    /// Read one protected database
    #[command(after_help = "Example: walwarden --json database get db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Get {
        /// The database
        #[arg(value_name = "DATABASE_ID")]
        id: DatabaseId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DestinationCommand {
    /// List the backup destinations that the API key can see, without their credentials
    #[command(after_help = "Example: walwarden --json destination list --limit 20")]
    List(PageArgs),
    /// Read one backup destination, without its credentials
    #[command(after_help = "Example: walwarden --json destination get dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Get {
        /// The destination
        #[arg(value_name = "DESTINATION_ID")]
        id: DestinationId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// List the backup jobs of a database, newest first
    #[command(after_help = "Example: walwarden --json backup list --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    List {
        /// The database
        #[arg(long, value_name = "DATABASE_ID")]
        database: DatabaseId,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Start a backup now
    #[command(
        after_help = "Example: walwarden --json backup trigger --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --wait"
    )]
    Trigger(TriggerArgs),
    /// Read a backup job
    #[command(after_help = "Example: walwarden --json backup status bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Status {
        /// The backup job
        #[arg(value_name = "BACKUP_ID")]
        id: BackupJobId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// The database to back up
    #[arg(long, value_name = "DATABASE_ID")]
    pub(crate) database: DatabaseId,
    /// Follow the job to its end; exit 0 only when it is completed
    #[arg(long)]
    pub(crate) wait: bool,
    /// Stop following after this time; the job goes on. Without it, there is no limit
    #[arg(long, value_name = "MS", requires = "wait")]
    pub(crate) wait_timeout_ms: Option<u64>,
    /// Makes repeating this command harmless: the same key starts one backup
    #[arg(long, value_name = "KEY", value_parser = value::idempotency_key)]
    pub(crate) idempotency_key: Option<String>,
    /// Write every event as one line to stdout, the result last, and nothing to stderr
    #[arg(long, value_enum, value_name = "FORMAT", requires = "wait")]
    pub(crate) events: Option<EventsFormat>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventsFormat {
    Jsonl,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// List the evidence of completed backups, newest first
    #[command(after_help = "Example: walwarden --json evidence list --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    List {
        /// Only evidence of the backups of this database
        #[arg(long, value_name = "DATABASE_ID")]
        database: Option<DatabaseId>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Read the signed manifest, the verification and the audit chain of a completed backup
    #[command(after_help = "Example: walwarden --json evidence get bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Get {
        /// The backup job
        #[arg(value_name = "BACKUP_ID")]
        id: BackupJobId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// At most this many, 1 to 200; 50 when absent
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: Option<u32>,
    /// The nextCursor of the page before
    #[arg(long, value_parser = value::cursor)]
    cursor: Option<String>,
}

impl From<PageArgs> for PageQuery {
    fn from(page: PageArgs) -> Self {
        Self { limit: page.limit, cursor: page.cursor }
    }
}

/// How a restore treats its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Create a database; touch nothing that exists
    #[value(name = "new_database")]
    NewDatabase,
    /// Replace in the target every object that the backup holds; others stay
    #[value(name = "in_place")]
    InPlace,
}

impl From<Mode> for RestoreMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::NewDatabase => Self::NewDatabase,
            Mode::InPlace => Self::InPlace,
        }
    }
}

/// Parses arguments, the program's name first.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments)
}

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;
