//! The structure of an archive as a state machine: header, table of contents, data blocks.

mod header;
mod toc;

use std::collections::HashMap;

use header::{Header, MAGIC, MAX_HEADER_TEXT};
pub(super) use toc::OFFSET_SET;
use toc::{Entry, MAX_DEPENDENCY_TEXT, MAX_TOC_ENTRIES, MAX_TOC_TEXT};

use super::fields::{FieldReader, Value, Want};
use super::{ArchiveError, ArchiveSummary, Compression, DataEntry};

pub(super) const BLOCK_DATA: u8 = 1;
pub(super) const BLOCK_LARGE_OBJECTS: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header(Header),
    EntryCount,
    Entry(Entry),
    BlockType,
    BlockId { large_objects: bool },
    LargeObject,
    ChunkLength { large_objects: bool },
    Chunk { length: u64, large_objects: bool },
}

struct Known {
    entry: DataEntry,
    /// What the table of contents itself says.
    declared: Option<u64>,
    seen: bool,
}

/// Reads an archive pushed to it piece by piece, in pieces of any size.
///
/// Memory is bounded by the count of entries with data, about 100 bytes each; data is passed over, not read.
pub struct ArchiveParser {
    reader: FieldReader,
    state: State,
    position: u64,
    failed: bool,
    summary: ArchiveSummary,
    entries_left: i64,
    dump_id: i32,
    block_start: u64,
    known: Vec<Known>,
    by_id: HashMap<i32, usize>,
}

impl Default for ArchiveParser {
    fn default() -> Self {
        Self::new()
    }
}

impl ArchiveParser {
    /// A parser at the start of an archive.
    #[must_use]
    pub fn new() -> Self {
        Self {
            reader: FieldReader::new(),
            state: State::Header(Header::Magic),
            position: 0,
            failed: false,
            summary: ArchiveSummary {
                version: (0, 0, 0),
                integer_size: 0,
                offset_size: 0,
                compression: Compression::None,
                pg_dump_version: String::new(),
                server_version: String::new(),
                database_name: String::new(),
                toc_entries: 0,
                data_entries: Vec::new(),
                size_bytes: 0,
            },
            entries_left: 0,
            dump_id: 0,
            block_start: 0,
            known: Vec::new(),
            by_id: HashMap::new(),
        }
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes the next piece of the archive.
    ///
    /// # Errors
    /// [`ArchiveError`] as soon as the structure is broken; every later call fails too.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        if self.failed {
            return Err(ArchiveError::Refused);
        }
        self.take(bytes).inspect_err(|_| self.failed = true)
    }

    /// Proves that the archive ended where it should, with all of its data.
    ///
    /// # Errors
    /// [`ArchiveError::Truncated`] or [`ArchiveError::MissingData`], or [`ArchiveError::Refused`] after a failed push.
    pub fn finish(self) -> Result<ArchiveSummary, ArchiveError> {
        if self.failed {
            return Err(ArchiveError::Refused);
        }
        if self.state != State::BlockType || self.reader.is_within_value() {
            return Err(ArchiveError::Truncated { position: self.position, within: self.part() });
        }
        if let Some(missing) = self.known.iter().find(|known| !known.seen) {
            return Err(ArchiveError::MissingData { dump_id: missing.entry.dump_id });
        }
        let data_entries = self.known.into_iter().map(|known| known.entry).collect();
        Ok(ArchiveSummary { data_entries, size_bytes: self.position, ..self.summary })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let mut input = bytes;
        while !input.is_empty() {
            let before = input.len();
            let start = self.position;
            let value = self.reader.read(self.want(), &mut input, start)?;
            self.position += (before - input.len()) as u64;
            let Some(value) = value else { break };
            self.state = self.advance(value)?;
        }
        Ok(())
    }

    fn want(&self) -> Want {
        match self.state {
            State::Header(Header::Magic) => Want::Bytes(MAGIC.len() + 3),
            State::Header(Header::Sizes) => Want::Bytes(3),
            State::Header(Header::CompressionAlgorithm) | State::BlockType => Want::Bytes(1),
            State::Header(Header::DatabaseName | Header::ServerVersion | Header::PgDumpVersion) => {
                Want::Text { limit: MAX_HEADER_TEXT }
            }
            State::Entry(Entry::Dependency(_)) => Want::SkippedText { limit: MAX_DEPENDENCY_TEXT },
            State::Entry(
                Entry::TextBeforeSection(_) | Entry::TextAfterSection(_) | Entry::TextBeforeDependencies(_),
            ) => Want::SkippedText { limit: MAX_TOC_TEXT },
            State::Entry(Entry::Offset) => Want::Offset,
            State::Chunk { length, .. } => Want::Skip(length),
            State::Header(Header::CompressionLevel | Header::CreationTime(_))
            | State::EntryCount
            | State::Entry(Entry::DumpId | Entry::HasDumper | Entry::Section | Entry::RelationKind)
            | State::BlockId { .. }
            | State::LargeObject
            | State::ChunkLength { .. } => Want::Integer,
        }
    }

    fn advance(&mut self, value: Value) -> Result<State, ArchiveError> {
        match self.state {
            State::Header(field) => self.header(field, value),
            State::EntryCount => {
                let count = integer(&value);
                if count < 0 {
                    return Err(self.malformed("count of entries"));
                }
                if count > MAX_TOC_ENTRIES {
                    return Err(self.limit("entries in the table of contents"));
                }
                self.entries_left = count;
                self.summary.toc_entries = count.unsigned_abs();
                Ok(self.next_entry())
            }
            State::Entry(field) => self.entry(field, &value),
            State::BlockType => {
                self.block_start = self.position - 1;
                match value {
                    Value::Bytes([BLOCK_DATA, ..]) => Ok(State::BlockId { large_objects: false }),
                    Value::Bytes([BLOCK_LARGE_OBJECTS, ..]) => Ok(State::BlockId { large_objects: true }),
                    _ => Err(self.malformed("type of a data block")),
                }
            }
            State::BlockId { large_objects } => {
                let dump_id = i32::try_from(integer(&value)).map_err(|_| self.malformed("id of a data block"))?;
                self.block(dump_id)?;
                Ok(if large_objects { State::LargeObject } else { State::ChunkLength { large_objects } })
            }
            State::LargeObject => match integer(&value) {
                0 => Ok(State::BlockType),
                // Oids are unsigned, but go through a signed integer.
                _ => Ok(State::ChunkLength { large_objects: true }),
            },
            State::ChunkLength { large_objects } => match u64::try_from(integer(&value)) {
                Ok(0) => Ok(if large_objects { State::LargeObject } else { State::BlockType }),
                Ok(length) => Ok(State::Chunk { length, large_objects }),
                Err(_) => Err(self.malformed("length of a chunk")),
            },
            State::Chunk { large_objects, .. } => Ok(State::ChunkLength { large_objects }),
        }
    }

    fn block(&mut self, dump_id: i32) -> Result<(), ArchiveError> {
        let known = self.by_id.get(&dump_id).and_then(|index| self.known.get_mut(*index));
        let known = known.filter(|known| !known.seen).ok_or(ArchiveError::UnexpectedData { dump_id })?;
        if known.declared.is_some_and(|declared| declared != self.block_start) {
            return Err(ArchiveError::OffsetMismatch { dump_id });
        }
        known.seen = true;
        known.entry.data_offset = self.block_start;
        Ok(())
    }

    fn minor(&self) -> u8 {
        self.summary.version.1
    }

    fn part(&self) -> &'static str {
        match self.state {
            State::Header(_) => "the header",
            State::EntryCount | State::Entry(_) => "the table of contents",
            _ => "the data",
        }
    }

    fn malformed(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::Malformed { position: self.position, reason }
    }

    fn limit(&self, limit: &'static str) -> ArchiveError {
        ArchiveError::LimitExceeded { position: self.position, limit }
    }
}

fn integer(value: &Value) -> i64 {
    if let Value::Integer(integer) = value { *integer } else { -1 }
}
