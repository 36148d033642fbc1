//! A bundle on its way into a file: beside its place first, and under its name only once it is whole and on record.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use walwarden_contract::ErrorCode;
use walwarden_contract::bundle::{Files, Writer};

use crate::commands::output::Failure;
use crate::engine::storage::Bucket;
use crate::evidence::bundle::{BundleError, Leaves};

/// Counts and hashes what is written.
struct Hashed {
    file: NamedTempFile,
    hasher: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(super) struct Archive {
    out: PathBuf,
    writer: Writer<Hashed>,
}

/// A bundle that is whole, and has not its name yet.
pub(super) struct Sealed {
    out: PathBuf,
    file: NamedTempFile,
}

fn directory(out: &Path) -> &Path {
    out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn unwritable(out: &Path, error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::WorkerDiskFull,
        _ => ErrorCode::UsageError,
    };
    Failure::new(code, format!("{} cannot be written: {error}; nothing was left there", out.display()))
}

impl Archive {
    pub(super) fn begin(out: &Path) -> Result<Self, Failure> {
        if out.symlink_metadata().is_ok() {
            let message = format!("{} is there already; nothing was exported", out.display());
            return Err(Failure::new(ErrorCode::UsageError, message));
        }
        let file = NamedTempFile::new_in(directory(out)).map_err(|error| unwritable(out, &error))?;
        Ok(Self { out: out.to_owned(), writer: Writer::new(Hashed { file, hasher: Sha256::new() }) })
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        unwritable(&self.out, error)
    }

    pub(super) fn add(&mut self, files: &Files) -> Result<(), Failure> {
        let added = files.iter().try_for_each(|(name, bytes)| self.writer.add(name, bytes));
        added.map_err(|error| self.unwritable(&error))
    }

    /// Lets an object of a bucket follow, piece by piece, and answers the SHA-256 of its bytes.
    pub(super) async fn stream(
        &mut self,
        bucket: &Bucket,
        key: &str,
        name: &str,
        size: u64,
    ) -> Result<String, Failure> {
        const RANGE: u64 = 64 << 20;
        self.writer.begin(name, size).map_err(|error| self.unwritable(&error))?;
        let (mut offset, mut hasher) = (0, Sha256::new());
        while offset < size {
            let length = RANGE.min(size - offset);
            let mut failed = None;
            let read = bucket.read_range(key, offset, length, |piece| {
                hasher.update(piece);
                if failed.is_none() {
                    failed = self.writer.write(piece).err();
                }
            });
            read.await.map_err(|error| Failure::new(error.code(), error.message))?;
            if let Some(error) = failed {
                return Err(self.unwritable(&error));
            }
            offset += length;
        }
        Ok(hex::encode(hasher.finalize()))
    }

    pub(super) async fn leaves(&mut self, leaves: &Leaves) -> Result<(), Failure> {
        let file = leaves.described();
        self.writer.begin(&file.name, file.size_bytes).map_err(|error| self.unwritable(&error))?;
        let (mut failed, writer) = (None, &mut self.writer);
        let mut take = |line: &[u8]| {
            writer.write(line).map_err(|error| {
                failed = Some(error);
                BundleError::TooLarge("the file takes no more".to_owned())
            })
        };
        let read = leaves.each(&mut take).await;
        match failed {
            Some(error) => Err(self.unwritable(&error)),
            None => Ok(read?),
        }
    }

    /// The whole archive, and its SHA-256.
    pub(super) fn finish(self) -> Result<(Sealed, String), Failure> {
        let out = self.out;
        let finished = self.writer.finish().and_then(|mut hashed| {
            hashed.flush()?;
            hashed.file.as_file().sync_all()?;
            Ok(hashed)
        });
        let Hashed { file, hasher } = finished.map_err(|error| unwritable(&out, &error))?;
        Ok((Sealed { out, file }, hex::encode(hasher.finalize())))
    }
}

impl Sealed {
    /// Gives the file its name, if nothing has taken it meanwhile.
    pub(super) fn keep(self) -> Result<(), Failure> {
        let Self { out, file } = self;
        file.persist_noclobber(&out).map_err(|error| unwritable(&out, &error.error))?;
        // The name is on disk only once its directory is.
        let directory = directory(&out).to_owned();
        let synced = std::fs::File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| unwritable(&out, &error))
    }
}
