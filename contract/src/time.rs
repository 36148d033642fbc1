//! Times as they stand in JSON: RFC 3339, UTC, milliseconds.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant with millisecond precision, so that its text round-trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The instant this many milliseconds after the Unix epoch, or `None` outside of jiff's range.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The instant as jiff knows it.
    #[must_use]
    pub const fn as_jiff(self) -> jiff::Timestamp {
        self.0
    }
}

/// Truncates to milliseconds.
impl From<jiff::Timestamp> for Timestamp {
    fn from(at: jiff::Timestamp) -> Self {
        Self(jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(Self::from)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        if generator.contract().is_deserialize() {
            return schemars::json_schema!({
                "type": "string",
                "format": "date-time",
                "description": "RFC 3339, with `Z` or an offset",
                "examples": ["2026-01-31T03:00:00+01:00"],
            });
        }
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": crate::pattern::TIMESTAMP,
            "description": "RFC 3339, UTC, milliseconds",
            "examples": ["2026-01-31T02:00:00.000Z"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_always_written() {
        let at = Timestamp::from_millis(1_769_824_800_000).expect("in range");
        assert_eq!(at.to_string(), "2026-01-31T02:00:00.000Z");
        assert_eq!(at.to_string().parse::<Timestamp>().ok(), Some(at));
    }
}
