//! Secrets that a request hands in: never shown, never written anywhere but into that request.

use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret on its way to the server. `Debug` hides it; serializing it is what sends it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The secret for whoever needs its text.
    #[must_use]
    pub const fn expose(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not by way of `String`, whose refusal of a number would repeat it.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self::new(text)),
            _ => Err(serde::de::Error::custom("a secret is a string")),
        }
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "password",
            "writeOnly": true,
            "minLength": 1,
            "maxLength": 4096,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_what_serializing_sends() {
        let secret: Secret = serde_json::from_value(serde_json::json!("hunter2")).expect("text");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(serde_json::json!(secret), serde_json::json!("hunter2"));
    }

    #[test]
    fn a_refused_secret_is_not_repeated() {
        let refused = serde_json::from_value::<Secret>(serde_json::json!(31_415_926)).expect_err("a number");
        assert_eq!(refused.to_string(), "a secret is a string");
    }
}
