//! The keys that sign in the course of time: which one a process starts with, how another takes over, how one is revoked. Statements are
//! signed here, and go into the store with their audit events before anything signs with a new key.

mod files;
mod revocation;
mod rotation;
mod starting;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use walwarden_contract::Timestamp;

pub use self::revocation::{Revoked, revoke};
pub use self::rotation::{NewKey, Rotated, rotate};
pub use self::starting::take_up;
use crate::secrets::{KeyringError, SecretFileError, SignError, TokenError};
use crate::store::StoreError;

/// Why a signing key cannot be used, changed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// A key cannot be read or written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A key does not sign.
    #[error("{0}; nothing was changed")]
    Sign(#[from] SignError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This process's key was never this installation's.
    #[error(
        "the signing key {key_id} is not one of this installation, whose current key is {current} ({kept_in}): put that key back. If the \
         store was brought back from before a rotation, the earlier key lies beside the newer one, with its id in its name"
    )]
    Unknown {
        /// The key.
        key_id: String,
        /// The one that should sign.
        current: String,
        /// Where that one is.
        kept_in: String,
    },
    /// Another key took over.
    #[error(
        "the signing key {key_id} signs no more since {retired_at}: the current key is {current} ({kept_in}). Bring that key to this machine, \
         or name it with --signing-key-file or --pkcs11-key-label, and start again"
    )]
    Retired {
        /// The key.
        key_id: String,
        /// Since when.
        retired_at: Timestamp,
        /// The one that should sign.
        current: String,
        /// Where that one is.
        kept_in: String,
    },
    /// A file of a rotation cannot be moved, copied or locked.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else rotates.
    #[error("another rotation is under way, or another process starts at this moment: try again when it has ended")]
    Busy,
    /// The current key is not the one that this command was given.
    #[error(
        "another key became the current one in the meantime: nothing was changed. Look with `walwarden-api admin signing-key list`"
    )]
    Overtaken,
    /// What was asked for makes no sense.
    #[error("{0}")]
    Refused(String),
    /// There is no such key.
    #[error("there is no signing key {0}")]
    Missing(String),
}

impl From<TokenError> for SigningKeyError {
    fn from(error: TokenError) -> Self {
        KeyringError::from(error).into()
    }
}

impl From<SecretFileError> for SigningKeyError {
    fn from(error: SecretFileError) -> Self {
        KeyringError::from(error).into()
    }
}

type Result<T> = std::result::Result<T, SigningKeyError>;
