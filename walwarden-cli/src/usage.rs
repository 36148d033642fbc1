//! Command lines that clap refuses, and what can be told about them without having understood them.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;
use walwarden_contract::ErrorCode;
use walwarden_contract::commands::{COMMANDS, Command, GLOBAL_FLAGS};

use crate::cli::Cli;
use crate::failure::Failure;

/// What clap ends its messages with; the error's next action says the same.
const SEE_HELP: &str = "For more information, try '--help'.";

/// What clap has to say instead of a parsed command line.
pub(crate) enum Refusal {
    /// Help or version, as asked for.
    Text(String),
    /// A mistake.
    Usage(Failure),
}

/// Whether JSON was asked for, as far as that can be seen in arguments that do not parse.
pub(crate) fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().skip(1).take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// The command's words joined by dots: `backup.trigger`, or `walwarden` when there is none.
pub(crate) fn kind(arguments: &[OsString]) -> String {
    let mut command = &Cli::command();
    let mut words: Vec<&str> = Vec::new();
    let mut arguments = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        if takes_value(argument) {
            arguments.next();
        } else if let Some(found) = command.find_subcommand(argument) {
            words.push(found.get_name());
            command = found;
        }
    }
    if words.is_empty() { "walwarden".to_owned() } else { words.join(".") }
}

/// Whether the next argument is the value of this one, and no word of the command.
fn takes_value(argument: &str) -> bool {
    let mut flags = GLOBAL_FLAGS.iter().chain(COMMANDS.iter().flat_map(Command::flags));
    flags.any(|flag| flag.name == argument && flag.value.is_some())
}

pub(crate) fn refusal(error: &clap::Error, arguments: &[OsString]) -> Refusal {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Refusal::Text(text),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Refusal::Usage(usage("A command is missing: run with --help to see what there is."))
        }
        _ => {
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            Refusal::Usage(usage(&redact(text.trim_end().trim_end_matches(SEE_HELP).trim_end(), arguments)))
        }
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(ErrorCode::UsageError, message).untouched("Nothing was done.")
}

/// clap repeats arguments that it does not expect. One that may hold a secret must not be repeated.
fn redact(text: &str, arguments: &[OsString]) -> String {
    let mut text = text.to_owned();
    for argument in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        let value =
            if argument.starts_with("--") { argument.split_once('=').map_or("", |(_, value)| value) } else { argument };
        if may_be_secret(value) {
            text = text.replace(value, "[redacted]");
        }
    }
    text
}

fn may_be_secret(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.contains("://") || value.contains("password") || value.starts_with("wrt1.") || value.starts_with("wal_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_kind_is_found_in_broken_command_lines() {
        let cases = [
            ("walwarden", "walwarden"),
            ("walwarden --json", "walwarden"),
            ("walwarden --json backup trigger --bogus", "backup.trigger"),
            ("walwarden --api-url backup database list", "database.list"),
            ("walwarden backup --timeout-ms x status", "backup.status"),
            ("walwarden backup --profile list status", "backup.status"),
            ("walwarden restore --created-database create --bogus", "restore"),
            ("walwarden restore --manifest x", "restore"),
            ("walwarden nonsense", "walwarden"),
        ];
        for (line, expected) in cases {
            assert_eq!(kind(&arguments(line)), expected, "{line}");
        }
    }

    #[test]
    fn refused_arguments_are_not_repeated_when_they_may_be_secret() {
        let line = arguments("walwarden database get postgresql://u:hunter2@h/d --x=wrt1.abc");
        let text = redact("unexpected argument 'postgresql://u:hunter2@h/d' and 'wrt1.abc'", &line);
        assert_eq!(text, "unexpected argument '[redacted]' and '[redacted]'");
    }
}
