//! `pg_dump`'s custom format, read as it streams by: proves an archive whole and finds where each table's data starts.
//!
//! The format is that of `pg_backup_archiver.c` and `pg_backup_custom.c`, archive versions 1.12 to 1.16
//! (`PostgreSQL` 9.0 to 18). Compressed data is not decoded here: what is proven is the structure.

mod fields;
mod parser;
mod patch;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use parser::ArchiveParser;
pub use patch::{PatchError, patch_offsets};

/// What a whole archive was found to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveSummary {
    /// Version of the archive format: major, minor, revision.
    pub version: (u8, u8, u8),
    /// Size of an integer in this archive, in bytes.
    pub integer_size: u8,
    /// Size of a file offset in this archive, in bytes.
    pub offset_size: u8,
    /// The codec of the data.
    pub compression: Compression,
    /// Version of the `pg_dump` which wrote it.
    pub pg_dump_version: String,
    /// Version of the server it was taken from.
    pub server_version: String,
    /// Name of the database it was taken from.
    pub database_name: String,
    /// Entries in the table of contents.
    pub toc_entries: u64,
    /// The entries which have data, in the order of the table of contents.
    pub data_entries: Vec<DataEntry>,
    /// Length of the archive in bytes.
    pub size_bytes: u64,
}

/// Where the data of one entry lies, and where the table of contents says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataEntry {
    /// The entry's id within the archive.
    pub dump_id: i32,
    /// Position in the file of the entry's offset field (a state byte, then the offset).
    pub field_position: u64,
    /// Position in the file of the entry's data block.
    pub data_offset: u64,
}

/// The codec of an archive's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compression {
    /// Not compressed.
    None,
    /// zlib
    Gzip,
    /// LZ4
    Lz4,
    /// Zstandard
    Zstd,
}

/// Why a byte stream is not a whole archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The stream does not start with the format's magic.
    #[error("not a custom-format archive of pg_dump")]
    NotAnArchive,
    /// A version of the format which is not known.
    #[error("archive version {major}.{minor} is not supported")]
    UnsupportedVersion {
        /// Major version.
        major: u8,
        /// Minor version.
        minor: u8,
    },
    /// The structure is broken.
    #[error("the archive is malformed at byte {position}: {reason}")]
    Malformed {
        /// Position in the stream.
        position: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A count or a length is beyond what any real archive holds.
    #[error("the archive exceeds a limit at byte {position}: {limit}")]
    LimitExceeded {
        /// Position in the stream.
        position: u64,
        /// Which limit.
        limit: &'static str,
    },
    /// The stream ends within the structure.
    #[error("the archive is truncated: it ends at byte {position}, within {within}")]
    Truncated {
        /// Length of the stream.
        position: u64,
        /// The part which is cut.
        within: &'static str,
    },
    /// The table of contents promises data which is not there.
    #[error("the archive lacks the data of entry {dump_id}")]
    MissingData {
        /// The first such entry.
        dump_id: i32,
    },
    /// A data block belongs to no entry, or is the second one of its entry.
    #[error("the archive holds unexpected data for entry {dump_id}")]
    UnexpectedData {
        /// The id in the block's header.
        dump_id: i32,
    },
    /// The table of contents already holds an offset, and it is wrong.
    #[error("the archive's table of contents is wrong about where the data of entry {dump_id} starts")]
    OffsetMismatch {
        /// The entry.
        dump_id: i32,
    },
    /// The parser was used after it had failed.
    #[error("the archive was refused before")]
    Refused,
}
