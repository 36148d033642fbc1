//! Files that hold secrets: read only when they are private, written once and never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Longer than any secret that is read from a file.
const MAX_BYTES: u64 = 64 * 1024;

/// The keys of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    /// Seals DSNs and credentials in the store.
    Sealing,
    /// Signs manifests.
    Signing,
    /// Authenticates restore tokens.
    Token,
}

impl KeyFile {
    /// Every key.
    pub const ALL: [Self; 3] = [Self::Sealing, Self::Signing, Self::Token];

    /// Its file's name in the data directory.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Sealing => "sealing.key",
            Self::Signing => "signing.key.pem",
            Self::Token => "token.key",
        }
    }

    /// What it is called in messages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sealing => "sealing key",
            Self::Signing => "signing key",
            Self::Token => "token key",
        }
    }
}

/// Why a file with a secret cannot be used. Never holds any part of the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read it.
    #[error("{} may be read by others than its owner (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is empty, too long, or not text.
    #[error("{} does not hold a secret: expected one text of at most 64 KiB", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn read_text(path: &Path, private: bool) -> Result<Zeroizing<String>, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if private && mode & 0o077 != 0 {
        return Err(SecretFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text =
        Zeroizing::new(String::with_capacity(usize::try_from(metadata.len().min(MAX_BYTES)).unwrap_or(0) + 1));
    let not_text = || SecretFileError::NotText { path: path.to_owned() };
    let length = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => not_text(),
        _ => unreadable(error),
    })?;
    if length as u64 > MAX_BYTES || text.trim().is_empty() { Err(not_text()) } else { Ok(text) }
}

/// Reads a key, and refuses one that others may read.
///
/// # Errors
/// A [`SecretFileError`] that says what is wrong with the file.
pub fn read_private(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    read_text(path, true)
}

/// Reads a secret that the operator hands in, without the white space around it. Container platforms mount such files
/// readable for all, so their mode is not checked.
///
/// # Errors
/// A [`SecretFileError`] that says what is wrong with the file.
pub fn read_secret_text(path: &Path) -> Result<SecretString, SecretFileError> {
    Ok(SecretString::from(read_text(path, false)?.trim()))
}

/// Writes files of mode 0600 that did not exist before: all of them, or none.
pub(super) fn create_private(files: &[(PathBuf, Zeroizing<String>)]) -> Result<(), SecretFileError> {
    let mut written: Vec<&Path> = Vec::new();
    for (path, text) in files {
        let result = create_one(path, text, &mut written);
        if let Err(source) = result {
            for created in written {
                // What cannot be removed now was at least never reported as usable.
                let _ = fs::remove_file(created);
            }
            return Err(SecretFileError::Unwritable { path: path.clone(), source });
        }
    }
    if let Some(directory) = files.first().and_then(|(path, _)| path.parent()) {
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|source| SecretFileError::Unwritable { path: directory.to_owned(), source })?;
    }
    Ok(())
}

fn create_one<'a>(path: &'a Path, text: &str, written: &mut Vec<&'a Path>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    written.push(path);
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
