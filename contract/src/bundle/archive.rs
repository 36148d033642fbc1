//! The archive itself: gzip and ustar, in the one form that the same files always have.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

/// The length of a tar block.
pub(super) const BLOCK: usize = 512;
/// "Unknown" in a gzip header: the archive does not tell where it was made.
pub(super) const GZIP_UNKNOWN_SYSTEM: u8 = 255;

/// The header of a file, byte for byte.
pub(super) fn header(name: &str, size: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_path(name)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// How many zeros follow a file's bytes.
pub(super) fn padding(size: u64) -> usize {
    let rest = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - rest) % BLOCK
}

/// Writes an archive. Nothing but names and bytes goes in: no time, no owner, no name of a machine.
pub struct Writer<W: Write> {
    out: GzEncoder<W>,
    /// How many bytes of the file that was begun are still to come, and its length.
    open: Option<(u64, u64)>,
}

fn wrong_length() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a file of the archive has not the length that was announced")
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(out: W) -> Self {
        let gzip = GzBuilder::new().mtime(0).operating_system(GZIP_UNKNOWN_SYSTEM);
        Self { out: gzip.write(out, Compression::default()), open: None }
    }

    /// Appends a file.
    ///
    /// # Errors
    /// When it cannot be written, or its name is longer than 100 bytes.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.begin(name, bytes.len() as u64)?;
        self.write(bytes)
    }

    /// Begins a file of this length, whose bytes come piece by piece.
    ///
    /// # Errors
    /// As [`Self::add`], or when the file before is not whole.
    pub fn begin(&mut self, name: &str, size: u64) -> io::Result<()> {
        self.close()?;
        self.open = Some((size, size));
        self.out.write_all(header(name, size)?.as_bytes())
    }

    /// Appends bytes to the file that was begun.
    ///
    /// # Errors
    /// When they cannot be written, or are more than were announced.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (left, size) = self.open.ok_or_else(wrong_length)?;
        let left = left.checked_sub(bytes.len() as u64).ok_or_else(wrong_length)?;
        self.open = Some((left, size));
        self.out.write_all(bytes)
    }

    fn close(&mut self) -> io::Result<()> {
        match self.open.take() {
            None => Ok(()),
            Some((0, size)) => self.out.write_all(&[0; BLOCK][..padding(size)]),
            Some(_) => Err(wrong_length()),
        }
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When it cannot be written, or the last file is not whole.
    pub fn finish(mut self) -> io::Result<W> {
        self.close()?;
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.finish()
    }
}
