//! The command line that was meant, as one that can be run.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use walwarden_sdk::postgres::Dsn;

use super::message::{suggestions, text};
use super::{may_be_secret, takes_value};
use crate::cli;

/// More mistakes than this are no typing errors.
const MOST_MISTAKES: usize = 4;

/// The arguments with every mistyped word put right, when that is beyond doubt; with `--help` when others are missing. It
/// parses, and what may be secret is left out of it.
pub(super) fn corrected(arguments: &[OsString]) -> Option<Vec<String>> {
    let mut words: Vec<String> =
        arguments.iter().map(|word| word.to_str().map(str::to_owned)).collect::<Option<_>>()?;
    for _ in 0..MOST_MISTAKES {
        match parse(&words) {
            Ok(()) => return public(&words).filter(|words| parse(words).is_ok()),
            Err(error) if is_incomplete(&error) => words.push("--help".to_owned()),
            Err(error) => correct(&mut words, &error)?,
        }
    }
    None
}

/// Whether nothing is wrong but that something is missing.
fn is_incomplete(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// Whether a command line does something; help and version count.
fn parse(words: &[String]) -> Result<(), clap::Error> {
    let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    match cli::parse(&arguments) {
        Err(error) if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Err(error),
        _ => Ok(()),
    }
}

/// Replaces the word that an error is about.
fn correct(words: &mut [String], error: &clap::Error) -> Option<()> {
    let wrong = match error.kind() {
        ErrorKind::InvalidSubcommand => text(error, ContextKind::InvalidSubcommand),
        ErrorKind::UnknownArgument => text(error, ContextKind::InvalidArg),
        ErrorKind::InvalidValue => text(error, ContextKind::InvalidValue),
        _ => None,
    }?;
    let kind = super::kind(&words.iter().map(OsString::from).collect::<Vec<_>>());
    let right = nearest(&wrong, &suggestions(error, &kind))?;
    let mut value = false;
    for word in words.iter_mut().skip(1) {
        let (name, given) = word.split_once('=').map_or((word.as_str(), None), |(name, given)| (name, Some(given)));
        let (name, given) = (name.to_owned(), given.map(str::to_owned));
        let is_value = std::mem::replace(&mut value, takes_value(word));
        match error.kind() {
            ErrorKind::InvalidValue if given.as_ref() == Some(&wrong) => *word = format!("{name}={right}"),
            ErrorKind::InvalidValue if *word == wrong => *word = right,
            ErrorKind::UnknownArgument if !is_value && name == wrong => {
                *word = given.map_or(right.clone(), |given| format!("{right}={given}"));
            }
            ErrorKind::InvalidSubcommand if !is_value && *word == wrong => *word = right,
            _ => continue,
        }
        return Some(());
    }
    None
}

/// The one word that is meant beyond doubt.
pub(crate) fn nearest(word: &str, near: &[String]) -> Option<String> {
    let mut by_distance: Vec<_> = near.iter().map(|it| (strsim::damerau_levenshtein(word, it), it)).collect();
    by_distance.sort_unstable();
    let (distance, best) = *by_distance.first()?;
    let rival = by_distance.get(1).is_some_and(|(second, _)| *second == distance);
    let letters = best.trim_start_matches('-').len();
    (distance <= (letters / 3).max(1) && !rival).then(|| best.clone())
}

/// The command line without what may be secret; `None` when that cannot be told, or when another command would be left.
fn public(words: &[String]) -> Option<Vec<String>> {
    let mut public = vec!["walwarden".to_owned()];
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let joined = word.split_once('=').filter(|(flag, _)| flag.starts_with("--"));
        let (flag, value) = match joined {
            Some((flag, value)) => (flag, value),
            None if takes_value(word) => (word.as_str(), words.next()?.as_str()),
            None if may_be_secret(word) => return None,
            None => {
                public.push(word.clone());
                continue;
            }
        };
        let value = match flag {
            "--api-key" => continue,
            "--target" => without_password(value)?,
            "--api-url" if !value.contains(['@', '?', '#']) => value.to_owned(),
            _ if may_be_secret(value) => return None,
            _ => value.to_owned(),
        };
        if joined.is_some() {
            public.push(format!("{flag}={value}"));
        } else {
            public.extend([flag.to_owned(), value]);
        }
    }
    Some(public)
}

/// A target as it may be shown. Only a URL is taken apart: what else holds a password is not certain.
fn without_password(target: &str) -> Option<String> {
    target.contains("://").then(|| Dsn::parse(target).ok())?.map(|target| target.redacted())
}
