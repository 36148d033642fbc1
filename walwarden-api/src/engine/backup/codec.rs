//! The compression inside of the archive, which a stock `pg_restore` must be able to undo.

use std::fmt;
use std::str::FromStr;

use walwarden_contract::ErrorCode;
use walwarden_sdk::postgres::{CodecSupport, ToolVersion};

use super::BackupError;

/// What a database's owner can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// `zstd:3` where this `pg_dump` has it, else `gzip:1`.
    Auto,
    /// Zstandard at a level from 1 to 22.
    Zstd(u8),
    /// zlib at a level from 1 to 9.
    Gzip(u8),
    /// No compression.
    None,
}

/// The text names no codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the codec is one of auto, zstd:1 to zstd:22, gzip:1 to gzip:9, none")]
pub struct UnknownCodec;

impl FromStr for Codec {
    type Err = UnknownCodec;
    fn from_str(text: &str) -> Result<Self, UnknownCodec> {
        let level = |level: &str, highest: u8| {
            level.parse::<u8>().ok().filter(|level| (1..=highest).contains(level)).ok_or(UnknownCodec)
        };
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "none" => Ok(Self::None),
            Some(("zstd", rest)) => level(rest, 22).map(Self::Zstd),
            Some(("gzip", rest)) => level(rest, 9).map(Self::Gzip),
            _ => Err(UnknownCodec),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Zstd(level) => write!(formatter, "zstd:{level}"),
            Self::Gzip(level) => write!(formatter, "gzip:{level}"),
            Self::None => formatter.write_str("none"),
        }
    }
}

impl Codec {
    /// Decides what `auto` means here, and refuses what this `pg_dump` cannot write.
    ///
    /// # Errors
    /// `tool_version_unsupported`.
    pub fn resolve(self, support: CodecSupport) -> Result<Self, BackupError> {
        match self {
            Self::Auto if support.zstd => Ok(Self::Zstd(3)),
            Self::Auto => Ok(Self::Gzip(1)),
            Self::Zstd(_) if !support.zstd => Err(BackupError::new(
                ErrorCode::ToolVersionUnsupported,
                format!("this pg_dump was built without zstd, and the database asks for {self}"),
            )),
            other => Ok(other),
        }
    }

    /// The value of `pg_dump --compress`: a bare level is all that versions before 16 take.
    #[must_use]
    pub fn to_argument(self, pg_dump: &ToolVersion) -> String {
        match self {
            Self::None => "0".to_owned(),
            Self::Gzip(level) if pg_dump.major < 16 => level.to_string(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_nonsense_is_refused() {
        for text in ["auto", "none", "zstd:1", "zstd:22", "gzip:9"] {
            assert_eq!(text.parse::<Codec>().map(|codec| codec.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "zstd", "zstd:0", "zstd:23", "gzip:10", "gzip:-1", "lz4:1", "AUTO", "gzip:1;x"] {
            assert!(text.parse::<Codec>().is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn auto_prefers_zstd_and_never_what_the_tool_lacks() {
        let with = CodecSupport { gzip: true, lz4: true, zstd: true };
        let without = CodecSupport { gzip: true, lz4: false, zstd: false };
        assert_eq!(Codec::Auto.resolve(with).ok(), Some(Codec::Zstd(3)));
        assert_eq!(Codec::Auto.resolve(without).ok(), Some(Codec::Gzip(1)));
        assert!(Codec::Zstd(3).resolve(without).is_err());
    }
}
