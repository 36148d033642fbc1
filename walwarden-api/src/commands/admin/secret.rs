//! How a secret is handed to a command: by environment, file or standard input, never as an argument.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use secrecy::SecretString;
use walwarden_contract::ErrorCode;
use zeroize::Zeroizing;

use crate::commands::output::Failure;
use crate::config::Environment;
use crate::secrets::read_secret_text;

/// Longer than any secret that is read from standard input.
const MAX_BYTES: u64 = 64 * 1024;

/// A secret from the file that a flag names, or else from `variable` or `variable_FILE`.
pub(super) fn from_file_or_environment(
    file: Option<&Path>,
    variable: &str,
    env: &Environment<'_>,
) -> Result<Option<SecretString>, Failure> {
    if let Some(path) = file {
        return Ok(Some(read_secret_text(path)?));
    }
    let file_variable = format!("{variable}_FILE");
    let given = |name: &str| env(name).filter(|text| !text.is_empty());
    match (given(variable), given(&file_variable)) {
        (Some(_), Some(_)) => {
            let message = format!("both {variable} and {file_variable} are set: set only one of them");
            Err(Failure::new(ErrorCode::ConfigInvalid, message))
        }
        (Some(text), None) => Ok(Some(SecretString::from(text))),
        (None, Some(path)) => Ok(Some(read_secret_text(Path::new(&path))?)),
        (None, None) => Ok(None),
    }
}

/// The first line of standard input, which must not be a terminal: there it would be shown.
pub(super) fn from_stdin() -> Result<SecretString, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let message = "standard input is a terminal, which would show the secret: pipe it in";
        return Err(Failure::new(ErrorCode::UsageError, message));
    }
    let mut text = Zeroizing::new(String::new());
    let unreadable =
        |error: io::Error| Failure::new(ErrorCode::UsageError, format!("standard input: {}", error.kind()));
    stdin.lock().take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(SecretString::from(line)),
        _ => Err(Failure::new(ErrorCode::UsageError, "standard input is empty: expected the secret on its first line")),
    }
}
