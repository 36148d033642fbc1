//! What the commands write that need no API: the capability contract, and the meaning of an error.

use super::{Deserialize, ErrorCode, Fixer, HumanGate, JsonSchema, Open, Risk, Scope, Serialize, Status, Tool};

/// `capabilities list`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitiesListData {
    /// The version of the capability contract that this command line holds.
    pub surface_version: String,
    /// The oldest client that understands it.
    pub min_client_version: String,
    /// Every capability, planned ones included.
    pub capabilities: Vec<CapabilityEntry>,
}

/// A capability in short. `--compact` leaves out every member that may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityEntry {
    /// Its name.
    pub id: String,
    /// Whether it may be relied on.
    pub status: Status,
    /// What it may change.
    pub risk: Risk,
    /// Whether a person has to consent before an agent's key may do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_gate: Option<HumanGate>,
    /// The scopes that a key needs for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// The commands that carry it, by kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Its tool in the live catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}

/// `capabilities describe`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitiesDescribeData {
    /// The capability.
    pub capability: CapabilityDescription,
}

/// A capability with everything that there is to know about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityDescription {
    /// Its name.
    pub id: String,
    /// Whether it may be relied on.
    pub status: Status,
    /// What may be claimed when it is available; what must not be claimed while it is not.
    pub claim: String,
    /// What it may change.
    pub risk: Risk,
    /// Whether a person has to consent before an agent's key may do it.
    pub human_gate: HumanGate,
    /// The scopes that a key needs for all of it.
    pub scopes: Vec<Scope>,
    /// The operations that carry it, by `operationId`.
    pub operations: Vec<String>,
    /// The commands that carry it.
    pub commands: Vec<CapabilityCommand>,
    /// Its tool in the live catalog, with the schemas of its input and output; null without one.
    pub tool: Option<Tool>,
    /// How it may fail.
    pub errors: Vec<ErrorExplanation>,
}

/// A command that carries a capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityCommand {
    /// The envelope's `kind`.
    pub kind: String,
    /// The usage line.
    pub usage: String,
    /// A command line that parses.
    pub example: String,
}

/// `explain-error`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainErrorData {
    /// What it was read from.
    pub source: ErrorSource,
    /// What the code means.
    pub explanation: ErrorExplanation,
    /// What the error itself said, without what looks like a secret; null when it said nothing.
    pub message: Option<String>,
    /// What to do next, the most useful first. None of it changes anything that must not be changed.
    pub safe_next_actions: Vec<String>,
    /// Whether, when and how to try again.
    pub retry: RetryAdvice,
    /// What must not be claimed after it.
    pub do_not_claim: Vec<String>,
    /// The entries of `pg_restore`'s stderr, when that is what was given.
    pub entries: Vec<StderrEntry>,
}

/// What an error was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorSource {
    /// An answer of the API, or an error by itself.
    Error,
    /// An envelope of this program, or the result line of its events.
    Envelope,
    /// The last line of a restore with a token.
    Line,
    /// A job that failed.
    Job,
    /// What `pg_restore` wrote to stderr.
    PgRestore,
}

/// Whether, when and how to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryAdvice {
    /// Whether the same thing may succeed when it is tried again unchanged.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds, when the error said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// How.
    pub how: String,
}

/// One error or warning of `pg_restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StderrEntry {
    /// What it is about, without the statement and the server's details: those may hold data.
    pub text: String,
    /// Why it leaves the data whole; null when it is not known to.
    pub harmless: Option<String>,
}

/// What the catalog says about a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorExplanation {
    /// The stable code; one that this version does not know is explained by what the error says about itself.
    pub code: Open<ErrorCode>,
    /// What happened, in one sentence.
    pub meaning: String,
    /// The HTTP status of an answer with this code.
    pub http_status: u16,
    /// The exit code of a command that ends with it.
    pub exit_code: u8,
    /// Whether the same thing may succeed when it is tried again unchanged.
    pub retryable: bool,
    /// Who can mend it.
    pub fixable_by: Fixer,
    /// What to do next.
    pub next_action: String,
    /// Where the code is documented.
    pub docs: String,
}

/// `completions`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletionsData {
    /// The shell that the script is for.
    pub shell: String,
    /// The script.
    pub script: String,
}

/// `man`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManData {
    /// Where the pages were written; absent when the page is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The pages: with `--directory` those that were written, else that of `walwarden` itself.
    pub pages: Vec<ManPage>,
}

/// A manual page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManPage {
    /// The name of its file.
    pub file: String,
    /// Its text in roff; absent when it was written to the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl From<ErrorCode> for ErrorExplanation {
    fn from(code: ErrorCode) -> Self {
        Self {
            code: code.into(),
            meaning: code.meaning().to_owned(),
            http_status: code.http_status(),
            exit_code: code.exit().code(),
            retryable: code.retryable(),
            fixable_by: code.fixable_by(),
            next_action: code.next_action().to_owned(),
            docs: code.docs(),
        }
    }
}
