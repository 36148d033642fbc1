//! The archive itself: gzip and ustar, in the one form that the same files always have.

use std::io::{self, Read, Write};

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
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(out: W) -> Self {
        let gzip = GzBuilder::new().mtime(0).operating_system(GZIP_UNKNOWN_SYSTEM);
        Self { out: gzip.write(out, Compression::default()) }
    }

    /// Appends a file.
    ///
    /// # Errors
    /// When it cannot be written, or its name is longer than 100 bytes.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.add_from(name, bytes.len() as u64, bytes)
    }

    /// Appends a file of this length from a stream.
    ///
    /// # Errors
    /// As [`Self::add`], or when the stream has another length.
    pub fn add_from(&mut self, name: &str, size: u64, from: impl Read) -> io::Result<()> {
        self.out.write_all(header(name, size)?.as_bytes())?;
        // One byte more than announced is enough to know that the length is another.
        if io::copy(&mut from.take(size.saturating_add(1)), &mut self.out)? != size {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} has not the announced length")));
        }
        self.out.write_all(&[0; BLOCK][..padding(size)])
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.finish()
    }
}
