//! What the events of an organization say about keys. No event holds a key: public ones aside, only their names.

use std::collections::BTreeMap;

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

/// A statement that one key follows another. Both sign the RFC 8785 bytes of the object without `signatures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SigningKeyRotatedPayload", transform = as_stored)]
pub struct SigningKeyRotated {
    /// `walwarden.key_rotation.v1`.
    pub schema: String,
    /// The key that signs from now on.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
    /// Its public half, SPKI PEM.
    #[schemars(regex(pattern = crate::pattern::PUBLIC_KEY))]
    pub public_key: String,
    /// The key that signed until now.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub previous_key_id: String,
    /// Its public half, SPKI PEM.
    #[schemars(regex(pattern = crate::pattern::PUBLIC_KEY))]
    pub previous_public_key: String,
    /// When.
    pub rotated_at: Timestamp,
    /// The signature of each of the two keys, by the key's id.
    pub signatures: BTreeMap<String, String>,
}

/// A statement that a key does not count any more. The current key signs the RFC 8785 bytes of the object without `signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SigningKeyRevokedPayload", transform = as_stored)]
pub struct SigningKeyRevoked {
    /// `walwarden.key_revocation.v1`.
    pub schema: String,
    /// The key that is revoked.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// When.
    pub revoked_at: Timestamp,
    /// The current key: never the one that is revoked.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub signed_by: String,
    /// Its signature.
    #[schemars(regex(pattern = crate::pattern::SIGNATURE))]
    pub signature: String,
}
