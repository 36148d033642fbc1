//! The live tool catalog: what this key may call, for programs that choose by themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::capabilities::{HumanGate, Risk};
use crate::error::ErrorCode;
use crate::open::Open;
use crate::operations::Method;
use crate::scope::Scope;

/// What the key may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolCatalog {
    /// The version of the capability contract.
    pub surface_version: String,
    /// The oldest client that understands it.
    pub min_client_version: String,
    /// The tools, by name.
    pub tools: Vec<Tool>,
}

/// One tool: a capability that one operation carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Its name, for example `walwarden.backup.trigger`.
    pub name: String,
    /// The capability.
    pub capability_id: String,
    /// What it does.
    pub description: String,
    /// What it may change.
    pub risk: Open<Risk>,
    /// Whether a person has to consent.
    pub human_gate: Open<HumanGate>,
    /// How the consent is given; null where none is needed.
    pub confirmation: Option<ToolConfirmation>,
    /// The scopes that the key needs.
    pub required_scopes: Vec<Open<Scope>>,
    /// What to call.
    pub operation: ToolOperation,
    /// JSON Schema 2020-12 of what it takes: path, query and body members together.
    pub input_schema: Map<String, Value>,
    /// JSON Schema 2020-12 of what it answers; null when it answers with a file or nothing.
    pub output_schema: Option<Map<String, Value>>,
    /// The codes that it may fail with.
    pub error_codes: Vec<Open<ErrorCode>>,
}

/// How a person consents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolConfirmation {
    /// The code of the answer that carries the challenge.
    pub code: Open<ErrorCode>,
    /// The header in which the challenge comes back.
    pub header: String,
    /// What to do.
    pub instructions: String,
}

/// The operation behind a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolOperation {
    /// Its `operationId`.
    pub operation_id: String,
    /// HTTP method.
    pub method: Open<Method>,
    /// The path, with parameters in braces.
    pub path: String,
    /// Whether it needs an `Idempotency-Key` header.
    pub idempotency_key: bool,
}
