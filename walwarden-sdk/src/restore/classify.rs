//! What `pg_restore` says on stderr, entry by entry, against a short list of errors that leave the data whole.
//!
//! `pg_restore` exits with 1 after any SQL error, harmless or not. An entry is harmless only if [`tolerated`] knows its
//! statement and its message, in English: on servers that speak another language the restore fails closed.

use std::fmt::Write as _;

use walwarden_contract::ErrorCode;

use super::target::class_code;
use crate::Error;
use crate::postgres::{FailureClass, ToolStatus, classify_stderr};

/// This many entries are kept; all are counted.
const MAX_KEPT: usize = 5;
const MAX_WARNINGS: usize = 20;
const MAX_TEXT: usize = 500;

/// A restore that ended well, and what it ended well in spite of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tolerated {
    pub(super) ignored_errors: u32,
    pub(super) warnings: Vec<String>,
}

/// Reads stderr line by line, in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Classifier {
    /// The entry of the table of contents that was announced last, without its numbers.
    context: String,
    current: Option<Entry>,
    ignored: u32,
    fatal: u32,
    kept: Vec<Entry>,
    warnings: Vec<String>,
    /// What `pg_restore` itself counted.
    counted: Option<u32>,
    missing_role: bool,
    judged: Vec<JudgedEntry>,
}

/// An entry and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedEntry {
    /// What it is about and what went wrong, without the statement and the server's details: those may hold data.
    pub text: String,
    /// Why it leaves the data whole; `None` when it is not known to.
    pub harmless: Option<&'static str>,
}

/// What `pg_restore` wrote to stderr, judged without having seen how it exited.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StderrVerdict {
    /// How many errors are known to be harmless.
    pub ignored: u32,
    /// How many are not.
    pub fatal: u32,
    /// The first entries, 20 at most.
    pub entries: Vec<JudgedEntry>,
    /// What a restore that ended so would have failed with; `None` when nothing speaks against its data.
    pub error: Option<Error>,
}

/// Judges what `pg_restore` wrote to stderr as a restore would. `None` when there is nothing of `pg_restore` in it.
#[must_use]
pub fn judge_stderr(text: &str) -> Option<StderrVerdict> {
    let mut classifier = Classifier::default();
    let lines = || text.lines().map(|line| line.trim_end_matches('\r'));
    // In a log, each line may begin with a time or a name of its own.
    let start = |line: &str| line.find("pg_restore: ").unwrap_or(0);
    if !lines().any(|line| line.contains("pg_restore: ")) {
        return None;
    }
    lines().for_each(|line| classifier.line(&line[start(line)..]));
    classifier.close();
    let (ignored, fatal, entries) = (classifier.ignored, classifier.fatal, classifier.judged.clone());
    let error =
        (fatal > 0 || classifier.unread().is_some()).then(|| classifier.judge(ToolStatus::Code(1)).err()).flatten();
    Some(StderrVerdict { ignored, fatal, entries, error })
}

#[derive(Debug, Default)]
struct Entry {
    context: String,
    message: String,
    statement: String,
    /// Lines between message and statement belong to the server's details, which may hold data.
    in_statement: bool,
}

/// Statements that only set session defaults, with parameters that older servers do not have.
const SETTINGS: &[&str] =
    &["transaction_timeout", "idle_in_transaction_session_timeout", "default_table_access_method"];

/// Why an error leaves the data whole, if it does.
///
/// | error | statement | why it is harmless |
/// |---|---|---|
/// | `schema "public" already exists` | `CREATE SCHEMA public` | every new database has it |
/// | `must be owner of schema public` | `COMMENT ON`, `DROP SCHEMA IF EXISTS public` | the schema stays, with the platform's comment |
/// | `cannot drop schema public` | `DROP SCHEMA IF EXISTS public` | objects that are not in the backup are in it; they stay |
/// | `must be owner of extension` | `COMMENT ON EXTENSION`, `DROP EXTENSION IF EXISTS` | the platform owns the extension; it stays |
/// | `cannot drop extension` | `DROP EXTENSION IF EXISTS` | something outside of the backup needs it; it stays |
/// | `unrecognized configuration parameter` | `SET` of [`SETTINGS`] | a newer `pg_dump` sets what an older server lacks |
fn tolerated(message: &str, statement: &str) -> Option<&'static str> {
    let error = message.split_once("ERROR:").map_or("", |(_, error)| error.trim());
    let starts = |start: &str| statement.starts_with(start);
    if error == "schema \"public\" already exists" && starts("CREATE SCHEMA public;") {
        return Some("schema public was there already");
    }
    let public = starts("COMMENT ON SCHEMA public ") || starts("DROP SCHEMA IF EXISTS public;");
    if error == "must be owner of schema public" && public {
        return Some("schema public belongs to the platform");
    }
    if error.starts_with("cannot drop schema public because") && starts("DROP SCHEMA IF EXISTS public;") {
        return Some("schema public holds objects that are not in the backup; they stay");
    }
    let extension = starts("COMMENT ON EXTENSION ") || starts("DROP EXTENSION IF EXISTS ");
    if error.starts_with("must be owner of extension ") && extension {
        return Some("the extension belongs to the platform");
    }
    if error.starts_with("cannot drop extension ") && starts("DROP EXTENSION IF EXISTS ") {
        return Some("the extension is needed by objects that are not in the backup; it stays");
    }
    let setting = SETTINGS.iter().any(|name| {
        error == format!("unrecognized configuration parameter \"{name}\"") && starts(&format!("SET {name} = "))
    });
    setting.then_some("the server is too old for this session default")
}

impl Classifier {
    /// Takes the next line, already redacted.
    pub(super) fn line(&mut self, line: &str) {
        let Some(text) = line.strip_prefix("pg_restore: ") else {
            if let Some(entry) = &mut self.current {
                entry.continues(line);
            }
            return;
        };
        self.close();
        if let Some(toc) = text.strip_prefix("from TOC entry ") {
            // `5; 2615 2200 SCHEMA public postgres`: the numbers mean nothing to a person.
            let words = toc.split_once("; ").map_or(toc, |(_, words)| words);
            let words = words.trim_start_matches(|character: char| character.is_ascii_digit() || character == ' ');
            words.clone_into(&mut self.context);
        } else if let Some(count) = text.strip_prefix("warning: errors ignored on restore: ") {
            self.counted = count.trim().parse().ok();
        } else if let Some(warning) = text.strip_prefix("warning: ") {
            self.warn(warning);
        } else if text.starts_with("while ") {
            self.context.clear();
        } else if text.starts_with("detail: ") || text.starts_with("hint: ") {
            // Belongs to the entry before, which is closed by now and says enough.
        } else {
            let message = text.strip_prefix("error: ").unwrap_or(text);
            let context = self.context.clone();
            self.current = Some(Entry { context, message: short(message), ..Entry::default() });
        }
    }

    fn warn(&mut self, text: &str) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(format!("pg_restore: {}", short(text)));
        }
    }

    /// Judges the entry that is complete now.
    fn close(&mut self) {
        let Some(entry) = self.current.take() else { return };
        let harmless = tolerated(&entry.message, &entry.statement);
        if self.judged.len() < MAX_WARNINGS {
            self.judged.push(JudgedEntry { text: entry.describe(), harmless });
        }
        if let Some(reason) = harmless {
            self.ignored += 1;
            self.warn(&format!("{} ({reason})", entry.describe()));
            return;
        }
        self.fatal += 1;
        self.missing_role |= entry.message.contains("role \"") && entry.message.contains("does not exist");
        if self.kept.len() < MAX_KEPT {
            self.kept.push(entry);
        }
    }

    /// What `pg_restore` counted, when it is more than was read and found harmless.
    fn unread(&self) -> Option<u32> {
        self.counted.filter(|counted| *counted > self.ignored)
    }

    /// Says how the restore ended, given how the process did.
    pub(super) fn judge(mut self, status: ToolStatus) -> Result<Tolerated, Error> {
        self.close();
        let explained = self.fatal == 0 && self.counted.is_some_and(|counted| counted <= self.ignored);
        let well = match status {
            ToolStatus::Code(0) => self.fatal == 0,
            // Workers count entries, not errors: their sum may be lower than what was read, never higher.
            ToolStatus::Code(1) => explained,
            _ => false,
        };
        if well {
            return Ok(Tolerated { ignored_errors: self.ignored, warnings: self.warnings });
        }
        let mut message = format!("pg_restore ended with {status}");
        if self.fatal > 0 {
            let _ = write!(message, " and {} errors that are not known to be harmless", self.fatal);
        } else if let Some(counted) = self.unread() {
            let _ =
                write!(message, "; it counted {counted} errors, of which {} are known to be harmless", self.ignored);
        }
        for (index, entry) in self.kept.iter().enumerate() {
            let _ = write!(message, "{} {}", if index == 0 { ":" } else { ";" }, entry.describe());
        }
        if self.fatal as usize > self.kept.len() {
            let _ = write!(message, "; and {} more", self.fatal as usize - self.kept.len());
        }
        message.push('.');
        if self.missing_role {
            message
                .push_str(" Roles are not part of a backup: create them first, or restore with --no-owner --no-acl.");
        }
        Err(Error::new(self.code(), message))
    }

    /// A code that says more than `restore_failed`, where the first error is about the connection or the new database.
    fn code(&self) -> ErrorCode {
        let Some(first) = self.kept.first() else {
            return ErrorCode::RestoreFailed;
        };
        let class = classify_stderr(&first.message);
        let connecting = first.message.contains("connection to server") || first.message.contains("could not connect");
        let creating = first.statement.starts_with("CREATE DATABASE ");
        if class == FailureClass::VersionMismatch || connecting || creating {
            class_code(class)
        } else {
            ErrorCode::RestoreFailed
        }
    }
}

impl Entry {
    fn continues(&mut self, line: &str) {
        if let Some(statement) = line.strip_prefix("Command was: ") {
            self.in_statement = true;
            self.statement = short(statement);
        } else if self.in_statement && self.statement.len() < MAX_TEXT {
            self.statement.push('\n');
            self.statement.push_str(&short(line));
        }
    }

    /// Entry and message, without the statement and the server's details: those may hold data.
    fn describe(&self) -> String {
        let message = self.message.strip_prefix("could not execute query: ").unwrap_or(&self.message);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.context.is_empty() { message } else { format!("{}: {message}", self.context) }
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests;
