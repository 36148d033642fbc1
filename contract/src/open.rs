//! Values of a set that may grow: what a newer server answers must not break an older client.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StringDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value as an answer holds it: one that this version knows, or a word that a newer server has added since.
///
/// Requests hold plain values: what a server does not know, it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Open<T> {
    /// A value that this version knows.
    Known(T),
    /// Any other word, as it came.
    Unknown(String),
}

impl<T: Copy> Open<T> {
    /// The value, when this version knows it.
    #[must_use]
    pub const fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Unknown(_) => None,
        }
    }

    /// Whether this version knows the value and `test` holds for it.
    #[must_use]
    pub fn is(&self, test: impl FnOnce(T) -> bool) -> bool {
        self.known().is_some_and(test)
    }
}

impl<T: Serialize> Open<T> {
    /// The word in JSON. One that is not known may hold anything: neutralize it before a terminal sees it.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Known(value) => {
                let word = serde_json::to_value(value).unwrap_or_default();
                word.as_str().unwrap_or_default().to_owned()
            }
            Self::Unknown(word) => word.clone(),
        }
    }
}

impl<T: Serialize> fmt::Display for Open<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.word())
    }
}

impl<T> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: PartialEq> PartialEq<T> for Open<T> {
    fn eq(&self, other: &T) -> bool {
        matches!(self, Self::Known(value) if value == other)
    }
}

impl<T: Serialize> Serialize for Open<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(word) => word.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known: StringDeserializer<ValueError> = word.clone().into_deserializer();
        Ok(T::deserialize(known).map_or(Self::Unknown(word), Self::Known))
    }
}

/// Described as the values that this version knows: these are what this version's server answers.
impl<T: JsonSchema> JsonSchema for Open<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::BackupState;

    #[test]
    fn values_that_are_known_read_as_such() {
        for state in BackupState::ALL {
            let open: Open<BackupState> = serde_json::from_value(json!(state)).expect("a word");
            assert!(open == state && open.known() == Some(state) && open.is(|it| it == state));
            assert_eq!((open.word(), json!(open)), (state.as_str().to_owned(), json!(state)));
        }
        assert!(serde_json::from_value::<Open<BackupState>>(json!(7)).is_err(), "no word at all");
    }

    proptest! {
        #[test]
        fn any_other_word_is_kept_as_it_came(word in any::<String>()) {
            prop_assume!(BackupState::ALL.iter().all(|state| state.as_str() != word));
            let open: Open<BackupState> = serde_json::from_value(json!(word)).expect("a word");
            prop_assert_eq!(open.known(), None);
            prop_assert_eq!(json!(open), json!(word.clone()));
            prop_assert_eq!(open.to_string(), word);
        }
    }
}
