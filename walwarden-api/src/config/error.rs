//! What can be wrong with the configuration.

use std::io;
use std::path::PathBuf;

use crate::secrets::SecretFileError;

/// Why the configuration is refused. Never holds a setting's value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("the configuration file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The configuration file is no TOML.
    #[error("the configuration file {}, line {line}: {message}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says, without the line's content.
        message: String,
    },
    /// The configuration file sets something that there is not.
    #[error("the configuration file {} sets `{key}`, which is no setting; the settings are {}", path.display(), known.join(", "))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// A value is not acceptable.
    #[error("{origin}: {reason}")]
    Invalid {
        /// The flag, variable or key.
        origin: String,
        /// What it should be.
        reason: String,
    },
    /// A secret is given twice.
    #[error("both {one} and {other} are set: set only one of them")]
    Both {
        /// The value.
        one: String,
        /// The path.
        other: String,
    },
    /// A secret's file cannot be used.
    #[error("{origin}: {source}")]
    SecretFile {
        /// The flag, variable or key that names the file.
        origin: String,
        /// Why.
        source: SecretFileError,
    },
}
