//! Command lines that clap refuses, and what can be told about them without having understood them.

mod argument;
mod correction;
mod message;

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;
use walwarden_contract::ErrorCode;
use walwarden_contract::commands::{COMMANDS, Command, GLOBAL_FLAGS, command};

use crate::cli::Cli;
use crate::failure::Failure;

pub(crate) use self::argument::unacceptable;
pub(crate) use self::correction::nearest;

/// What clap has to say instead of a parsed command line.
pub(crate) enum Refusal {
    /// Help or version, as asked for.
    Text(String),
    /// A mistake, and the kind of the document that tells it.
    Usage { kind: String, failure: Failure },
}

/// Whether JSON was asked for, as far as that can be seen in arguments that do not parse.
pub(crate) fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().skip(1).take_while(|argument| *argument != "--").any(|argument| {
        argument == "--json" || argument.to_str().is_some_and(|argument| argument.starts_with("--json="))
    })
}

/// Whether events were asked for, as far as that can be seen in arguments that do not parse.
pub(crate) fn wants_events(arguments: &[OsString]) -> bool {
    let words: Vec<&OsString> = arguments.iter().skip(1).take_while(|argument| *argument != "--").collect();
    let apart = words.windows(2).any(|pair| pair[0] == "--events" && pair[1] == "jsonl");
    let asked = apart || words.iter().any(|word| *word == "--events=jsonl");
    // A command that offers none refuses the flag; where --json stands too, in the one document that it promises.
    let offered = || command(&kind(arguments)).is_some_and(|it| it.flags().any(|flag| flag.name == "--events"));
    asked && (offered() || !wants_json(arguments))
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
    let kind = kind(arguments);
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Refusal::Text(error.render().to_string());
    }
    let mut failure =
        Failure::new(ErrorCode::UsageError, message::message(error, &kind)).untouched("Nothing was done.");
    failure.next.extend(correction::corrected(arguments));
    Refusal::Usage { kind: meant(kind, &failure), failure }
}

/// The kind of the document about a mistake. `restore exceute` is no line of the stream that `restore` writes.
fn meant(kind: String, failure: &Failure) -> String {
    match failure.next.first() {
        Some(next) if kind == "restore" => self::kind(&next.iter().map(OsString::from).collect::<Vec<_>>()),
        _ => kind,
    }
}

fn may_be_secret(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.contains("://") || value.contains("password") || value.starts_with("wrt1.") || value.starts_with("wal_")
}

#[cfg(test)]
mod tests;
