//! What is said about a command line that clap refuses. Values are not repeated: they may be secret, endless, or hostile.

use std::error::Error;
use std::fmt::Write;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use walwarden_contract::commands::NO_COMMAND_KIND;

use super::nearest;
use crate::cli::Cli;

/// No command and no flag is longer.
const LONGEST_WORD: usize = 32;

/// One sentence or two, and the usage line where it helps.
pub(super) fn message(error: &clap::Error, kind: &str) -> String {
    let here = if kind == NO_COMMAND_KIND { format!("`{kind}`") } else { format!("`{}`", kind.replace('.', " ")) };
    let invalid = text(error, ContextKind::InvalidArg).map(|argument| format!("`{argument}`"));
    let mut message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            return format!("A command is missing: {here} has {}.", choices(kind));
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let choices = format!("{here} has {}", choices(kind));
            return format!("{} is no command{}", shown(&word, "That"), guess(error, kind, &format!("; {choices}.")));
        }
        ErrorKind::UnknownArgument => {
            let word = text(error, ContextKind::InvalidArg).unwrap_or_default();
            if word.starts_with('-') {
                format!("{} is no flag of {here}{}", shown(&word, "That"), guess(error, kind, "."))
            } else {
                format!("There is an argument that {here} does not take.")
            }
        }
        ErrorKind::InvalidValue => {
            let empty = text(error, ContextKind::InvalidValue).is_none_or(|value| value.is_empty());
            let verb = if empty { "needs a value" } else { "does not take that value" };
            let choices = list(error, ContextKind::ValidValue);
            let choices = if choices.is_empty() { ".".to_owned() } else { format!("; it takes {}.", either(&choices)) };
            return format!("{} {verb}{}", invalid.unwrap_or_default(), guess(error, kind, &choices));
        }
        ErrorKind::ValueValidation => {
            let reason = error.source().map(ToString::to_string).unwrap_or_default();
            return format!("The value of {} is refused: {reason}.", invalid.unwrap_or_default());
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = list(error, ContextKind::InvalidArg);
            let missing = missing.iter().map(|argument| format!("`{argument}`")).collect::<Vec<_>>().join(", ");
            let or =
                if kind == "restore" { format!(", or one of its commands: {}", choices(kind)) } else { String::new() };
            format!("{here} needs {missing}{or}.")
        }
        ErrorKind::ArgumentConflict => {
            let others = list(error, ContextKind::PriorArg);
            let twice = others.is_empty() || others.iter().any(|other| Some(format!("`{other}`")) == invalid);
            let invalid = invalid.unwrap_or_default();
            if twice {
                format!("{invalid} is given twice.")
            } else {
                format!("{invalid} cannot go with {}.", either(&others))
            }
        }
        ErrorKind::InvalidUtf8 => return "An argument is not UTF-8.".to_owned(),
        _ => format!("The arguments of {here} cannot be understood."),
    };
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    if let Some(usage) = usage.lines().find(|line| line.starts_with("Usage: ")) {
        let _ = write!(message, " {usage}");
    }
    message
}

/// The commands of a command.
fn commands(kind: &str) -> Vec<String> {
    let tree = Cli::command();
    let mut words = kind.split('.').filter(|word| *word != NO_COMMAND_KIND);
    let command = words.try_fold(&tree, |command, word| command.find_subcommand(word));
    let names = command.into_iter().flat_map(Command::get_subcommands).map(Command::get_name);
    names.map(str::to_owned).collect()
}

fn choices(kind: &str) -> String {
    commands(kind).iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A word as it was given, when it can be one that was mistyped.
fn shown(word: &str, otherwise: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let word = word.split('=').next().unwrap_or_default();
    let mistyped = (1..=LONGEST_WORD).contains(&word.len()) && word.bytes().all(plain) && !super::may_be_secret(word);
    if mistyped { format!("`{word}`") } else { otherwise.to_owned() }
}

/// How the sentence ends: with the nearest words, best first, or as it would without any.
fn guess(error: &clap::Error, kind: &str, otherwise: &str) -> String {
    let near = suggestions(error, kind);
    if near.is_empty() { otherwise.to_owned() } else { format!(": did you mean {}?", either(&near)) }
}

/// What clap holds for the word that was meant, best first. It sees nothing in words as short as `et` for `get`.
pub(super) fn suggestions(error: &clap::Error, kind: &str) -> Vec<String> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let near: Vec<String> = kinds.into_iter().flat_map(|kind| list(error, kind).into_iter().rev()).collect();
    match text(error, ContextKind::InvalidSubcommand) {
        Some(word) if near.is_empty() => nearest(&word, &commands(kind)).into_iter().collect(),
        _ => near,
    }
}

fn either(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
}

pub(super) fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn list(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
