//! Identifiers: a prefix that names the kind of record, and a `UUIDv7` without hyphens.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a string is not an identifier of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}_` followed by 32 lowercase hexadecimal digits")]
pub struct ParseIdError {
    /// The prefix that was expected, without the underscore.
    pub prefix: &'static str,
}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, ParseIdError> {
    let hex = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
        .ok_or(ParseIdError { prefix })?;
    Uuid::try_parse(hex).map_err(|_| ParseIdError { prefix })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What every identifier of this kind begins with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a `UUIDv7` made by the caller, who owns the clock and the randomness.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The `UUIDv7` alone.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$"),
                    "examples": [concat!($prefix, "_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")],
                })
            }
        }
    )*};
}

ids! {
    /// An organization: the owner of everything else.
    OrgId = "org";
    /// A protected database.
    DatabaseId = "db";
    /// A backup destination: a bucket that the customer owns.
    DestinationId = "dst";
    /// A backup job, and the artifact it produces.
    BackupJobId = "bkp";
    /// A restore job.
    RestoreJobId = "rst";
    /// An API key.
    ApiKeyId = "key";
    /// An audit event.
    EventId = "evt";
    /// A recovery window: the span that one verified backup covers.
    WindowId = "win";
}

/// A window and the backup that opens it share their `UUIDv7`.
impl From<BackupJobId> for WindowId {
    fn from(id: BackupJobId) -> Self {
        Self(id.0)
    }
}

impl From<WindowId> for BackupJobId {
    fn from(id: WindowId) -> Self {
        Self(id.0)
    }
}

/// Whose audit chain: an organization's, or one job's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// Changes of keys, destinations and databases.
    Organization(OrgId),
    /// The life of a backup job.
    Backup(BackupJobId),
    /// The life of a restore job.
    Restore(RestoreJobId),
}

/// The text names no audit stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of an organization, a backup job or a restore job")]
pub struct ParseStreamIdError;

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => id.fmt(formatter),
            Self::Backup(id) => id.fmt(formatter),
            Self::Restore(id) => id.fmt(formatter),
        }
    }
}

impl FromStr for StreamId {
    type Err = ParseStreamIdError;
    fn from_str(text: &str) -> Result<Self, ParseStreamIdError> {
        let organization = text.parse().map(Self::Organization).ok();
        let backup = || text.parse().map(Self::Backup).ok();
        let restore = || text.parse().map(Self::Restore).ok();
        organization.or_else(backup).or_else(restore).ok_or(ParseStreamIdError)
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for StreamId {
    fn schema_name() -> Cow<'static, str> {
        "StreamId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": crate::pattern::STREAM_ID,
            "examples": ["bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let id = BackupJobId::from_uuid(Uuid::from_u128(0x0192_8c3e_5f7a_7c3e_8d2b_4a6f_90c1_e2d3));
        assert_eq!(id.to_string(), "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_value::<BackupJobId>(serde_json::json!(id)).ok(), Some(id));
    }

    #[test]
    fn another_kind_or_another_spelling_is_refused() {
        let wrong = [
            "",
            "bkp_",
            "db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
            "bkp_01928C3E5F7A7C3E8D2B4A6F90C1E2D3",
            "bkp_01928c3e-5f7a-7c3e-8d2b-4a6f90c1e2d3",
            "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3\n",
            "--help",
        ];
        for text in wrong {
            assert!(text.parse::<BackupJobId>().is_err(), "{text:?} was accepted");
        }
    }
}
