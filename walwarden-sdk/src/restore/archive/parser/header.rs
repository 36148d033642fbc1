//! The header: magic, sizes, codec, and who wrote the archive.

use super::super::fields::Value;
use super::super::{ArchiveError, Compression};
use super::{ArchiveParser, State};

pub(super) const MAGIC: &[u8; 5] = b"PGDMP";
pub(super) const MAX_HEADER_TEXT: u64 = 4096;
const FORMAT_CUSTOM: u8 = 1;
const OLDEST_MINOR: u8 = 12;
const NEWEST_MINOR: u8 = 16;

/// A field of the header, in its order; the versions and sizes come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Magic,
    Sizes,
    CompressionLevel,
    CompressionAlgorithm,
    CreationTime(u8),
    DatabaseName,
    ServerVersion,
    PgDumpVersion,
}

impl ArchiveParser {
    pub(super) fn header(&mut self, field: Header, value: Value) -> Result<State, ArchiveError> {
        let next = match (field, value) {
            (Header::Magic, Value::Bytes(bytes)) => {
                let (magic, version) = bytes.split_at(MAGIC.len());
                if magic != MAGIC {
                    return Err(ArchiveError::NotAnArchive);
                }
                let (major, minor) = (version[0], version[1]);
                if major != 1 || !(OLDEST_MINOR..=NEWEST_MINOR).contains(&minor) {
                    return Err(ArchiveError::UnsupportedVersion { major, minor });
                }
                self.summary.version = (major, minor, version[2]);
                Header::Sizes
            }
            (Header::Sizes, Value::Bytes([integer_size, offset_size, format, ..])) => {
                if !(4..=8).contains(&integer_size) || !(4..=8).contains(&offset_size) {
                    return Err(self.malformed("size of an integer or offset"));
                }
                if format != FORMAT_CUSTOM {
                    return Err(ArchiveError::NotAnArchive);
                }
                self.reader.set_sizes(integer_size, offset_size);
                (self.summary.integer_size, self.summary.offset_size) = (integer_size, offset_size);
                if self.minor() >= 15 { Header::CompressionAlgorithm } else { Header::CompressionLevel }
            }
            (Header::CompressionLevel, Value::Integer(level)) => {
                self.summary.compression = if level == 0 { Compression::None } else { Compression::Gzip };
                Header::CreationTime(0)
            }
            (Header::CompressionAlgorithm, Value::Bytes([algorithm, ..])) => {
                self.summary.compression = match algorithm {
                    0 => Compression::None,
                    1 => Compression::Gzip,
                    2 => Compression::Lz4,
                    3 => Compression::Zstd,
                    _ => return Err(self.malformed("compression algorithm")),
                };
                Header::CreationTime(0)
            }
            (Header::CreationTime(6), _) => Header::DatabaseName,
            (Header::CreationTime(field), _) => Header::CreationTime(field + 1),
            (Header::DatabaseName, Value::Text(text)) => {
                self.summary.database_name = text.unwrap_or_default();
                Header::ServerVersion
            }
            (Header::ServerVersion, Value::Text(text)) => {
                self.summary.server_version = text.unwrap_or_default();
                Header::PgDumpVersion
            }
            (Header::PgDumpVersion, Value::Text(text)) => {
                self.summary.pg_dump_version = text.unwrap_or_default();
                return Ok(State::EntryCount);
            }
            _ => return Err(self.malformed("header")),
        };
        Ok(State::Header(next))
    }
}
