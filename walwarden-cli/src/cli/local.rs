//! The words and flags of the commands that need no API.

use walwarden_contract::model::cli::Loop;

use super::{Args, PathBuf, Subcommand, ValueEnum};

pub(super) const EXPLAIN_HELP: &str = "\
Takes an envelope of this program, an answer of the API, a failed job, the lines of a restore or of --events, or what
pg_restore wrote to stderr; at most 64 KiB.

Examples:
  walwarden --json explain-error --from-json error.json
  pg_restore --dbname=shop shop.dump 2>&1 | walwarden explain-error --from-json -
  walwarden --json backup status bkp_… | walwarden explain-error --from-json -";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  walwarden completions bash > ~/.local/share/bash-completion/completions/walwarden
  walwarden completions zsh > ~/.zfunc/_walwarden
  walwarden completions fish > ~/.config/fish/completions/walwarden.fish";

pub(super) const MAN_HELP: &str = "\
Examples:
  walwarden man | man -l -
  walwarden man --directory ~/.local/share/man/man1";

pub(super) const VERIFY_HELP: &str = "\
Looks at settings and their sources, TLS, the API, the key and its scopes, the clock, the Postgres client tools and the free disk.

Examples:
  walwarden verify-environment
  walwarden --json verify-environment --loop backup --loop restore --work-dir /var/tmp";

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// What this machine and this key are to be ready for; may be given twice
    #[arg(long = "loop", value_name = "LOOP", value_enum)]
    pub(crate) loops: Vec<LoopName>,
    /// Where artifacts are to be kept during restores; the system's temporary directory when absent
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: Option<PathBuf>,
}

/// A way of working, by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoopName {
    /// Trigger a backup, follow it, read its evidence
    Backup,
    /// Open a restore session and restore on this machine
    Restore,
}

impl From<LoopName> for Loop {
    fn from(name: LoopName) -> Self {
        match name {
            LoopName::Backup => Self::Backup,
            LoopName::Restore => Self::Restore,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CapabilitiesCommand {
    /// List what Walwarden can do, and what it cannot do yet
    #[command(after_help = "Example: walwarden --json capabilities list --compact")]
    List {
        /// Leave out scopes, commands and tools
        #[arg(long)]
        compact: bool,
    },
    /// Describe one capability: risk, scopes, commands, input and output, errors
    #[command(after_help = "Example: walwarden --json capabilities describe backup.trigger")]
    Describe {
        /// The capability
        #[arg(value_name = "CAPABILITY_ID", value_parser = super::value::name)]
        id: String,
    },
}
