//! Who the caller is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, OrgId};
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
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it expires; null when it does not.
    pub expires_at: Option<Timestamp>,
    /// The version of the server.
    pub server_version: String,
}
