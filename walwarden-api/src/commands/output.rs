//! The only place that prints: one JSON document, or text for people; and the exit status that goes with it.

use std::io::{self, Write};

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;
use walwarden_contract::{Envelope, ErrorBody, ErrorCode, ExitStatus};

use crate::config::ConfigError;
use crate::jobs::preflights::LookError;
use crate::secrets::{KeyringError, SealError, SecretFileError};
use crate::store::StoreError;

/// What a command achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The result, as it stands in JSON.
    pub data: Value,
    /// The result, for people.
    pub text: String,
    /// What deserves attention.
    pub warnings: Vec<String>,
    /// Commands to run next.
    pub next: Vec<Vec<String>>,
    /// What the result says is wrong with what was looked at; it decides the exit status.
    pub finding: Option<Box<ErrorBody>>,
}

impl Outcome {
    /// A result without warnings.
    #[must_use]
    pub fn new(data: Value, text: String) -> Self {
        Self { data, text, warnings: Vec::new(), next: Vec::new(), finding: None }
    }

    /// The same, with what it says is wrong.
    #[must_use]
    pub fn finding(mut self, code: ErrorCode, message: impl Into<String>) -> Self {
        self.finding = Some(Box::new(ErrorBody::new(code, message)));
        self
    }

    /// The same, with this warning.
    #[must_use]
    pub fn warn(mut self, warning: &str) -> Self {
        self.warnings.push(warning.to_owned());
        self
    }

    /// The same, with this command to run next.
    #[must_use]
    pub fn then(mut self, command: &[&str]) -> Self {
        self.next.push(command.iter().map(ToString::to_string).collect());
        self
    }
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub Box<ErrorBody>);

impl Failure {
    /// A failure with the catalog's next action.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorBody::new(code, message)))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorCode::ConfigInvalid, error.to_string())
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        Self::new(ErrorCode::ConfigInvalid, error.to_string())
    }
}

impl From<SecretFileError> for Failure {
    fn from(error: SecretFileError) -> Self {
        Self::new(ErrorCode::ConfigInvalid, error.to_string())
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        Self::new(ErrorCode::ConfigInvalid, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Database(_) => ErrorCode::ServiceUnavailable,
            StoreError::Missing(_) => ErrorCode::NotFound,
            StoreError::Expired => ErrorCode::BackupExpired,
            StoreError::Duplicate(_) | StoreError::InUse(_) => ErrorCode::InvalidRequest,
            StoreError::Transition(_) | StoreError::LeaseLost => ErrorCode::InvalidTransition,
            StoreError::Migrate(_) | StoreError::Corrupt(_) => ErrorCode::InternalError,
        };
        Self::new(code, error.to_string())
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Sealed(error) => error.into(),
            LookError::Storage(error) => Self::new(error.code(), error.message),
            LookError::Store(error) => error.into(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

/// Result of a command.
pub type CommandResult = Result<Outcome, Failure>;

/// A pipe whose reader went away is no reason to fail: the work is done.
fn write(mut stream: impl Write, text: &str) {
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Prints how a command ended, and answers the status to exit with.
///
/// # Panics
/// Never: an envelope always has a JSON form.
#[must_use]
pub fn print(json: bool, kind: &str, result: CommandResult) -> ExitStatus {
    let status = match &result {
        Ok(outcome) => outcome.finding.as_ref().map_or(ExitStatus::Ok, |error| error.exit()),
        Err(Failure(error)) => error.exit(),
    };
    if json {
        let envelope = match result {
            Ok(outcome) => {
                let (ok, error) = (outcome.finding.is_none(), outcome.finding.map(|error| *error));
                let (warnings, next) = (outcome.warnings, outcome.next);
                Envelope { ok, error, warnings, next, ..Envelope::success(kind, outcome.data) }
            }
            Err(Failure(error)) => Envelope::failure(kind, *error),
        };
        let document = serde_json::to_string(&envelope).expect("an envelope always has a JSON form");
        write(io::stdout(), &format!("{document}\n"));
        return status;
    }
    match result {
        Ok(outcome) => {
            write(io::stdout(), &format!("{}\n", outcome.text.trim_end()));
            for warning in &outcome.warnings {
                write(io::stderr(), &format!("warning: {warning}\n"));
            }
            if let Some(error) = &outcome.finding {
                write(io::stderr(), &format!("error: {} ({})\n", error.message, error.code));
            }
            if !outcome.next.is_empty() {
                let commands: Vec<_> = outcome.next.iter().map(|words| format!("  {}\n", words.join(" "))).collect();
                write(io::stdout(), &format!("\nNext:\n{}", commands.concat()));
            }
        }
        Err(Failure(error)) => {
            write(io::stderr(), &format!("error: {} ({})\n{}\n", error.message, error.code, error.next_action));
        }
    }
    status
}

/// Prints text that was asked for.
#[must_use]
pub fn print_text(text: &str) -> ExitStatus {
    write(io::stdout(), text);
    ExitStatus::Ok
}

/// Prints what is wrong with the command line.
#[must_use]
pub fn print_usage_error(text: &str) -> ExitStatus {
    write(io::stderr(), text);
    ErrorCode::UsageError.exit()
}

/// A heading, and the key of the value below or beside it.
pub type Column = (&'static str, &'static str);

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(values)) => values.iter().map(|value| cell(Some(value))).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

fn aligned() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

fn trimmed(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

/// One record: a line per value.
#[must_use]
pub fn details(record: &Value, columns: &[Column]) -> String {
    let mut table = aligned();
    for (heading, key) in columns {
        table.add_row([(*heading).to_owned(), cell(record.get(key))]);
    }
    trimmed(&table)
}

/// Records: a line each.
#[must_use]
pub fn table(records: &[Value], columns: &[Column], none: &str) -> String {
    if records.is_empty() {
        return none.to_owned();
    }
    let mut table = aligned();
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    for record in records {
        table.add_row(columns.iter().map(|(_, key)| cell(record.get(key))));
    }
    trimmed(&table)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_aligned() {
        let records = [json!({"id": "dst_1", "name": "eu", "scopes": ["a", "b"]}), json!({"id": "dst_22", "on": true})];
        let columns = [("ID", "id"), ("NAME", "name"), ("SCOPES", "scopes"), ("ON", "on")];
        insta::assert_snapshot!(table(&records, &columns, "none"), @r"
        ID      NAME  SCOPES  ON
        dst_1   eu    a b     -
        dst_22  -     -       yes
        ");
        insta::assert_snapshot!(details(&records[0], &columns), @r"
        ID      dst_1
        NAME    eu
        SCOPES  a b
        ON      -
        ");
        assert_eq!(table(&[], &columns, "none yet"), "none yet");
    }
}
