//! The one JSON document that every command writes with `--json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorBody;

/// The version of the envelope's shape.
pub const SCHEMA_VERSION: u32 = 1;

/// What a command printed: either data or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Whether the command did what was asked.
    pub ok: bool,
    /// The command, for example `backup.trigger`; `help` for `--help` and `--version`.
    pub kind: String,
    /// The result, when `ok`; beside an error, what was found before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
    /// The error, when not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// What deserves attention although the command succeeded.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Commands that a caller may want to run next, as argument vectors.
    #[serde(default)]
    pub next: Vec<Vec<String>>,
}

impl Envelope {
    /// A success.
    #[must_use]
    pub fn success(kind: &str, data: serde_json::Value) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            ok: true,
            kind: kind.to_owned(),
            data: Some(data),
            error: None,
            warnings: Vec::new(),
            next: Vec::new(),
        }
    }

    /// A failure.
    #[must_use]
    pub fn failure(kind: &str, error: ErrorBody) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            ok: false,
            kind: kind.to_owned(),
            data: None,
            error: Some(error),
            warnings: Vec::new(),
            next: Vec::new(),
        }
    }
}
