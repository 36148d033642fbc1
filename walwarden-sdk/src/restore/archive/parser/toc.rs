//! The table of contents: which entries there are, and which of them have data.

use super::super::fields::Value;
use super::super::{ArchiveError, DataEntry};
use super::{ArchiveParser, Known, State, integer};

const OFFSET_NOT_SET: u8 = 1;
pub(in crate::restore::archive) const OFFSET_SET: u8 = 2;
const OFFSET_NO_DATA: u8 = 3;

/// Limits far beyond real archives, and small enough for what is kept of each entry.
pub(super) const MAX_TOC_ENTRIES: i64 = 1 << 24;
/// A string is skipped, not kept: Postgres itself stops at 1 GiB.
pub(super) const MAX_TOC_TEXT: u64 = 1 << 30;
pub(super) const MAX_DEPENDENCY_TEXT: u64 = 32;
const MAX_DEPENDENCIES: u32 = 1 << 24;
const MAX_DATA_ENTRIES: usize = 1 << 21;

/// A field of an entry in the table of contents, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    DumpId,
    HasDumper,
    /// Table oid, oid, tag, description.
    TextBeforeSection(u8),
    Section,
    /// Definition, drop, copy, namespace, tablespace, and from 1.14 the access method.
    TextAfterSection(u8),
    RelationKind,
    /// Owner, and whether it has oids.
    TextBeforeDependencies(u8),
    Dependency(u32),
    Offset,
}

impl ArchiveParser {
    pub(super) fn entry(&mut self, field: Entry, value: &Value) -> Result<State, ArchiveError> {
        let minor = self.minor();
        let next = match field {
            Entry::DumpId => {
                self.dump_id = i32::try_from(integer(value))
                    .ok()
                    .filter(|id| *id > 0)
                    .ok_or_else(|| self.malformed("id of an entry"))?;
                Entry::HasDumper
            }
            Entry::HasDumper => Entry::TextBeforeSection(0),
            Entry::TextBeforeSection(3) => Entry::Section,
            Entry::TextBeforeSection(index) => Entry::TextBeforeSection(index + 1),
            Entry::Section => Entry::TextAfterSection(0),
            Entry::TextAfterSection(index) if index < 4 || (index == 4 && minor >= 14) => {
                Entry::TextAfterSection(index + 1)
            }
            Entry::TextAfterSection(_) if minor >= 16 => Entry::RelationKind,
            Entry::TextAfterSection(_) | Entry::RelationKind => Entry::TextBeforeDependencies(0),
            Entry::TextBeforeDependencies(0) => Entry::TextBeforeDependencies(1),
            Entry::TextBeforeDependencies(_) => Entry::Dependency(0),
            Entry::Dependency(_) if *value == Value::Null => Entry::Offset,
            Entry::Dependency(count) if count < MAX_DEPENDENCIES => Entry::Dependency(count + 1),
            Entry::Dependency(_) => return Err(self.limit("dependencies of an entry")),
            Entry::Offset => {
                self.offset(value)?;
                self.entries_left -= 1;
                return Ok(self.next_entry());
            }
        };
        Ok(State::Entry(next))
    }

    pub(super) fn next_entry(&self) -> State {
        if self.entries_left > 0 { State::Entry(Entry::DumpId) } else { State::BlockType }
    }

    fn offset(&mut self, value: &Value) -> Result<(), ArchiveError> {
        let declared = match value {
            Value::Offset { state: OFFSET_NO_DATA, .. } => return Ok(()),
            Value::Offset { state: OFFSET_NOT_SET, .. } => None,
            Value::Offset { state: OFFSET_SET, offset } => Some(*offset),
            _ => return Err(self.malformed("state of an offset")),
        };
        if self.known.len() >= MAX_DATA_ENTRIES {
            return Err(self.limit("entries with data"));
        }
        let dump_id = self.dump_id;
        if self.by_id.insert(dump_id, self.known.len()).is_some() {
            return Err(self.malformed("two entries with the same id"));
        }
        let field_position = self.position - 1 - u64::from(self.summary.offset_size);
        let entry = DataEntry { dump_id, field_position, data_offset: 0 };
        self.known.push(Known { entry, declared, seen: false });
        Ok(())
    }
}
