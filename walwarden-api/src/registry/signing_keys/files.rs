//! The files of a rotation. The new key is written beside the old one, put in its place when the store knows it, and the old one kept under its id:
//! at every moment a whole key stands where the key has to be.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{Result, SigningKeyError};
use crate::failpoint::{Failpoint, reach};

const EXTENSION: &str = ".pem";

fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, extension) = name.strip_suffix(EXTENSION).map_or((&*name, ""), |stem| (stem, EXTENSION));
    path.with_file_name(format!("{stem}.{what}{extension}"))
}

/// Where a new key is until it takes over.
pub(super) fn next(path: &Path) -> PathBuf {
    beside(path, "next")
}

/// Where an earlier key is kept.
pub(super) fn kept(path: &Path, key_id: &str) -> PathBuf {
    beside(path, key_id)
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> SigningKeyError + use<> {
    let path = path.to_owned();
    move |source| SigningKeyError::File { path, source }
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Lets nobody else change a key's files until it is dropped, or the process ends.
pub(super) struct Locked(#[expect(dead_code, reason = "the lock is the open file's")] File);

impl Locked {
    /// Takes the lock, or says that somebody has it.
    pub(super) fn try_take(path: &Path) -> Result<Self> {
        let directory = directory_of(path);
        let file = File::open(&directory).map_err(failed(&directory))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(SigningKeyError::Busy),
            Err(error) => Err(failed(&directory)(error.into())),
        }
    }
}

fn sync(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(failed(directory))
}

/// Keeps the old key under its id, and puts the new one in its place. Safe to repeat at any point.
pub(super) fn take_over(path: &Path, previous_key_id: &str) -> Result<PathBuf> {
    let (next, kept, directory) = (next(path), kept(path, previous_key_id), directory_of(path));
    // A second name for the same file: it is there whole, or it is not there.
    match fs::hard_link(path, &kept) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(&kept)(error)),
    }
    sync(&directory)?;
    reach(Failpoint::AfterOldKeyKept);
    fs::rename(&next, path).map_err(failed(path))?;
    sync(&directory)?;
    reach(Failpoint::AfterNewKeyPlaced);
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_beside_the_key_and_end_as_it_does() {
        let path = Path::new("/data/signing.key.pem");
        assert_eq!(next(path), Path::new("/data/signing.key.next.pem"));
        assert_eq!(kept(path, "wk_1"), Path::new("/data/signing.key.wk_1.pem"));
        assert_eq!(next(Path::new("key")), Path::new("key.next"));
        assert_eq!(directory_of(Path::new("key")), Path::new("."));
    }

    #[test]
    fn one_at_a_time_changes_the_files_of_a_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("signing.key.pem");
        let held = Locked::try_take(&path).expect("locks");
        assert!(matches!(Locked::try_take(&path), Err(SigningKeyError::Busy)));
        drop(held);
        assert!(Locked::try_take(&path).is_ok());
    }
}
