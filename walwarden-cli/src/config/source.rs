//! Where a setting was found: shown in place of values, which may be secret.

use std::fmt;
use std::path::PathBuf;

/// The place that a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A flag of this command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(&'static str),
    /// A profile of the configuration file.
    Profile {
        /// The profile.
        name: String,
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Environment(name) => formatter.write_str(name),
            Self::Profile { name, file } => write!(formatter, "profile {name} of {}", file.display()),
        }
    }
}

/// A setting and its place.
#[derive(Debug, Clone)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

impl<T> Sourced<T> {
    pub(super) fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }
}
