//! The words and flags of the commands that need no API.

use super::Subcommand;

pub(super) const EXPLAIN_HELP: &str = "\
Takes an envelope of this program, an answer of the API, an error by itself, or {\"code\": \"…\"}; at most 64 KiB.

Examples:
  walwarden --json explain-error --from-json error.json
  walwarden --json backup list --database db_… | walwarden explain-error --from-json -";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  walwarden completions bash > ~/.local/share/bash-completion/completions/walwarden
  walwarden completions zsh > ~/.zfunc/_walwarden
  walwarden completions fish > ~/.config/fish/completions/walwarden.fish";

pub(super) const MAN_HELP: &str = "\
Examples:
  walwarden man | man -l -
  walwarden man --directory ~/.local/share/man/man1";

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
        #[arg(value_name = "CAPABILITY_ID")]
        id: String,
    },
}
