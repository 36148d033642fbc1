//! Who the caller is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, OrgId};
use crate::open::Open;
use crate::scope::Scope;
use crate::time::Timestamp;

/// What the API key is, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The organization that the key belongs to.
    pub org_id: OrgId,
    /// Its name.
    pub org_name: String,
    /// The key.
    pub api_key_id: ApiKeyId,
    /// The name under which it was issued.
    pub api_key_name: String,
    /// What kind of client it was issued to.
    pub client_kind: Open<ClientKind>,
    /// What it may do.
    pub scopes: Vec<Open<Scope>>,
    /// When it expires; null when it does not.
    pub expires_at: Option<Timestamp>,
    /// The version of the server.
    pub server_version: String,
    /// The version of the capability contract that the server keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface_version: Option<String>,
    /// The oldest client that the server understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_client_version: Option<String>,
}

/// What kind of client a key was issued to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// A service, a pipeline or a person at a terminal.
    #[default]
    Service,
    /// An agent outside of the organization's own code: gated operations answer it with a challenge first.
    McpExternal,
}

impl ClientKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Service, Self::McpExternal];

    /// The kind as it stands in JSON, flags and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::McpExternal => "mcp_external",
        }
    }
}

/// The API key that asks, described by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyDescription {
    /// The key.
    pub id: ApiKeyId,
    /// The organization that it belongs to.
    pub org_id: OrgId,
    /// The name under which it was issued.
    pub name: String,
    /// What kind of client it was issued to.
    pub client_kind: Open<ClientKind>,
    /// What it may do.
    pub scopes: Vec<Open<Scope>>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires; null when it does not.
    pub expires_at: Option<Timestamp>,
    /// The operations that it may call, by `operationId`.
    pub operations: Vec<String>,
}
