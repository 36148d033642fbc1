//! Reads an archive from somebody who may mean harm: in one pass, in fixed memory, and in the one form that [`super::Writer`]
//! gives it. Links, directories, paths that lead elsewhere, names that come twice and everything behind the end are refused.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::GzDecoder;

use super::archive::{BLOCK, GZIP_UNKNOWN_SYSTEM, header, padding};
use super::verify::{Code, Failure};

/// What a gzip header is that says nothing: deflate, no flags, no time; then how hard it was tried, and the system.
const GZIP_HEAD: [u8; 8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
/// How many bytes the files of a bundle have together at most, without a dump or leaves: they are held in memory, where JSON
/// takes up to sixteen times its length.
pub const MAX_HELD_BYTES: u64 = 32 << 20;
/// How many files are taken.
const MAX_ENTRIES: usize = 20_000;

type Source<'a> = BufReader<Chain<Cursor<Vec<u8>>, &'a mut dyn Read>>;

/// An archive that is being read.
pub(super) struct Archive<'a> {
    tar: GzDecoder<Source<'a>>,
    held: u64,
    entries: usize,
}

/// The header of a file; its bytes come next.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
}

fn unreadable(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Code::NotAnArchive.because(format!("the bundle's compressed data is damaged: {error}"))
        }
        io::ErrorKind::UnexpectedEof => Code::NotAnArchive.because("the bundle ends in the middle"),
        _ => Code::UnreadableFile.because(format!("the bundle cannot be read: {error}")),
    }
}

fn refused(problem: impl Into<String>) -> Failure {
    Code::ArchiveNotCanonical.because(problem.into())
}

impl<'a> Archive<'a> {
    pub(super) fn open(source: &'a mut dyn Read) -> Result<Self, Failure> {
        let mut head = vec![0; 10];
        source.read_exact(&mut head).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Code::NotAnArchive.because("the bundle is not a gzip file"),
            _ => unreadable(&error),
        })?;
        if head[..3] != GZIP_HEAD[..3] {
            return Err(Code::NotAnArchive.because("the bundle is not a gzip file"));
        }
        if head[..8] != GZIP_HEAD || head[8] != 0 || head[9] != GZIP_UNKNOWN_SYSTEM {
            return Err(refused("the gzip header holds a name, a time or a system, which Walwarden never writes"));
        }
        let tar = GzDecoder::new(BufReader::new(Cursor::new(head).chain(source)));
        Ok(Self { tar, held: 0, entries: 0 })
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Failure> {
        let mut block = [0; BLOCK];
        self.tar.read_exact(&mut block).map_err(|error| unreadable(&error))?;
        Ok(block)
    }

    /// The next file, once the bytes of the one before are read; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Failure> {
        let block = self.block()?;
        if block == [0; BLOCK] {
            self.end()?;
            return Ok(None);
        }
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(Code::ArchiveTooLarge.because(format!("the bundle holds more than {MAX_ENTRIES} files")));
        }
        let received = tar::Header::from_byte_slice(&block);
        let path = received.path_bytes();
        let name = std::str::from_utf8(&path).map_err(|_| refused("a file's name is not text"))?.to_owned();
        let shown = name.escape_debug();
        if received.entry_type() != tar::EntryType::Regular || received.as_bytes()[156] != b'0' {
            return Err(Code::EntryRefused.because(format!("{shown} is no regular file")));
        }
        let strange = |part: &str| part.is_empty() || part == "." || part == "..";
        if name.split('/').any(strange) || name.contains('\\') || name.contains(char::is_control) {
            return Err(Code::EntryRefused.because(format!("{shown} leads to another place")));
        }
        let size = received.size().map_err(|_| refused(format!("the length of {shown} is no number")))?;
        match header(&name, size) {
            Ok(expected) if expected.as_bytes() == &block => Ok(Some(Entry { name, size })),
            _ => Err(refused(format!("the header of {shown} is not as Walwarden writes it"))),
        }
    }

    /// The bytes of a small file.
    pub(super) fn hold(&mut self, entry: &Entry) -> Result<Vec<u8>, Failure> {
        // The sum cannot overflow: what is held is far below the limit of the type.
        if entry.size > MAX_HELD_BYTES - self.held {
            let limit = MAX_HELD_BYTES >> 20;
            return Err(Code::ArchiveTooLarge.because(format!("the bundle's documents are larger than {limit} MiB")));
        }
        self.held += entry.size;
        let mut bytes = Vec::new();
        self.pass(entry, &mut |chunk| bytes.extend_from_slice(chunk))?;
        Ok(bytes)
    }

    /// Hands the bytes of a file on, piece by piece.
    pub(super) fn pass(&mut self, entry: &Entry, to: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
        let (mut left, mut buffer) = (entry.size, vec![0; 64 << 10]);
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let read = match self.tar.read(&mut buffer[..wanted]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| unreadable(&error))?,
            };
            if read == 0 {
                return Err(unreadable(&io::ErrorKind::UnexpectedEof.into()));
            }
            to(&buffer[..read]);
            left -= read as u64;
        }
        let mut zeros = [0; BLOCK];
        let zeros = &mut zeros[..padding(entry.size)];
        self.tar.read_exact(zeros).map_err(|error| unreadable(&error))?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(refused(format!("something stands behind the end of {}", entry.name.escape_debug())));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        if self.block()? != [0; BLOCK] {
            return Err(refused("the archive does not end with two empty blocks"));
        }
        let mut more = [0; 1];
        if self.tar.read(&mut more).map_err(|error| unreadable(&error))? != 0 {
            return Err(refused("something stands behind the archive's end"));
        }
        // A second gzip member, or anything else in the file.
        if self.tar.get_mut().read(&mut more).map_err(|error| unreadable(&error))? != 0 {
            return Err(refused("something stands behind the compressed archive"));
        }
        Ok(())
    }
}
