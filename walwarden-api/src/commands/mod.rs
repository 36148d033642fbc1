//! The commands of `walwarden-api`, one file each. Only [`output`] prints.

pub mod admin;
pub mod arguments;
pub mod init;
pub mod output;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};
use walwarden_contract::{ErrorCode, ExitStatus};

pub use arguments::{Arguments, Command};
use output::Failure;

/// Reads the command line. What ends there (`--help`, `--version`, a mistake) is printed.
///
/// # Errors
/// The status to exit with.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitStatus> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Arguments::try_parse_from(&arguments).map_err(|error| {
        let rendered = error.render().to_string();
        if !error.use_stderr() {
            return output::print_text(&rendered);
        }
        if arguments.iter().any(|argument| argument == "--json") {
            let message = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            output::print(true, &kind(&arguments), Err(Failure::new(ErrorCode::UsageError, message)))
        } else {
            output::print_usage_error(&rendered)
        }
    })
}

/// The command that was meant: the leading words that name one.
fn kind(arguments: &[OsString]) -> String {
    let root = Arguments::command();
    let mut command = &root;
    let mut words: Vec<&str> = Vec::new();
    for word in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        if let Some(found) = command.find_subcommand(word) {
            command = found;
            words.push(word);
        }
    }
    if words.is_empty() { "usage".to_owned() } else { words.join(".") }
}
