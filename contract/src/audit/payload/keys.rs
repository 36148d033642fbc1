//! What the events of an organization say about API keys and sealing keys: their names, and never a key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Actor;
use crate::audit::schema::as_stored;
use crate::id::ApiKeyId;
use crate::model::ClientKind;
use crate::scope::Scope;
use crate::time::Timestamp;

/// Says what the API key may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApiKeyIssuedPayload", transform = as_stored)]
pub struct ApiKeyIssued {
    /// The key.
    pub api_key_id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// What kind of client it is for.
    pub client_kind: ClientKind,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it expires; left out when it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

/// Says which API key opens nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApiKeyRevokedPayload", transform = as_stored)]
pub struct ApiKeyRevoked {
    /// The key.
    pub api_key_id: ApiKeyId,
    /// Who revoked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

/// Says how many secrets were sealed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SecretsResealedPayload", transform = as_stored)]
pub struct SecretsResealed {
    /// The sealing key that they are sealed with now.
    pub key_id: String,
    /// Credentials of destinations.
    pub destinations: u64,
    /// DSNs of databases.
    pub databases: u64,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}
