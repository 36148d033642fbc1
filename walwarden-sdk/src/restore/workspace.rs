//! A private directory for one restore, removed with everything in it when the restore ends.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use tempfile::TempDir;
use walwarden_contract::ErrorCode;

use crate::Error;

const ARTIFACT: &str = "artifact.dump";
/// Left free beside the artifact: passfile, and room for the others on this disk.
const SLACK_BYTES: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct Workspace {
    directory: TempDir,
}

impl Workspace {
    pub(super) fn create(parent: &Path) -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix("walwarden-restore-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(|error| no_directory(parent, &error))?;
        Ok(Self { directory })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn artifact(&self) -> PathBuf {
        self.directory.path().join(ARTIFACT)
    }

    /// Refuses before the first byte what would fail at the last.
    pub(super) fn check_space(&self, size: u64) -> Result<(), Error> {
        let free = free_bytes(self.path()).map_err(|error| unwritable(&error))?;
        let needed = size.saturating_add(SLACK_BYTES);
        if free >= needed {
            return Ok(());
        }
        let parent = self.path().parent().unwrap_or(self.path()).display();
        let message = format!("The artifact needs {needed} bytes in {parent}, where {free} are free.");
        Err(Error::new(ErrorCode::InsufficientDiskSpace, message))
    }

    pub(super) fn create_artifact(&self) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        options.open(self.artifact()).map_err(|error| unwritable(&error))
    }

    /// Removes everything now, and says whether that worked.
    pub(super) fn close(self) -> io::Result<()> {
        self.directory.close()
    }
}

/// How many bytes the restore of an artifact of this size needs, and how many are free, in the directory where it would be
/// kept. Writes nothing.
///
/// # Errors
/// `config_invalid` when it is no directory, or nothing can be made in it.
pub fn room(parent: &Path, size: u64) -> Result<(u64, u64), Error> {
    // The dot makes a file be no directory, executable or not.
    let usable = rustix::fs::access(parent.join("."), Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from);
    let free = usable.and_then(|()| free_bytes(parent)).map_err(|error| no_directory(parent, &error))?;
    Ok((size.saturating_add(SLACK_BYTES), free))
}

fn free_bytes(directory: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(directory)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn no_directory(parent: &Path, error: &io::Error) -> Error {
    let message = format!("No private directory can be made in {}: {error}.", parent.display());
    Error::new(ErrorCode::ConfigInvalid, message)
}

/// A failed write to the local copy.
pub(super) fn unwritable(error: &io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { ErrorCode::InsufficientDiskSpace } else { ErrorCode::DownloadFailed };
    Error::new(code, format!("The artifact's local copy cannot be written: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_see_nothing_and_nothing_stays() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let workspace = Workspace::create(parent.path()).expect("workspace");
        let file = workspace.create_artifact().expect("artifact");
        assert_eq!(file.metadata().expect("metadata").permissions().mode() & 0o777, 0o600);
        assert_eq!(workspace.path().metadata().expect("metadata").permissions().mode() & 0o777, 0o700);
        drop(workspace);
        assert_eq!(parent.path().read_dir().expect("readable").count(), 0);
    }

    #[test]
    fn a_full_disk_is_found_before_the_download() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let workspace = Workspace::create(parent.path()).expect("workspace");
        assert!(workspace.check_space(1).is_ok());
        let error = workspace.check_space(1 << 60).expect_err("no disk is that large");
        assert_eq!(error.code(), ErrorCode::InsufficientDiskSpace);
        drop(workspace);
        let (needed, free) = room(parent.path(), 1).expect("a directory");
        assert!(needed == 1 + SLACK_BYTES && free > 0);
        assert_eq!(parent.path().read_dir().expect("readable").count(), 0, "looking has written something");
    }

    #[test]
    fn a_missing_work_dir_is_the_operators_mistake() {
        let missing = Path::new("/nonexistent/walwarden");
        for error in [Workspace::create(missing).expect_err("refused"), room(missing, 1).expect_err("refused")] {
            assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        }
    }
}
