//! The closed catalog of error codes, and the error body that every surface shows.

mod advice;
mod catalog;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::catalog::ErrorCode;
use crate::exit::ExitStatus;
use crate::model::SourceCheck;
use crate::open::Open;
use crate::scope::Scope;
use crate::time::Timestamp;

/// Who can mend what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fixer {
    /// Whoever sent the request or ran the command.
    Caller,
    /// A person who may consent to what an agent wants to do.
    Human,
    /// Whoever issues API keys.
    KeyIssuer,
    /// Whoever runs `walwarden-api`.
    Operator,
    /// Whoever administers the Postgres server.
    DatabaseOwner,
    /// Whoever owns the bucket.
    BucketOwner,
    /// Whoever maintains Walwarden: it is a defect.
    Walwarden,
    /// Nobody needs to: it passes.
    Nobody,
}

impl Fixer {
    /// Every fixer.
    pub const ALL: [Self; 8] = [
        Self::Caller,
        Self::Human,
        Self::KeyIssuer,
        Self::Operator,
        Self::DatabaseOwner,
        Self::BucketOwner,
        Self::Walwarden,
        Self::Nobody,
    ];

    /// The fixer as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Human => "human",
            Self::KeyIssuer => "key_issuer",
            Self::Operator => "operator",
            Self::DatabaseOwner => "database_owner",
            Self::BucketOwner => "bucket_owner",
            Self::Walwarden => "walwarden",
            Self::Nobody => "nobody",
        }
    }
}

impl ErrorCode {
    /// Whether the same thing may succeed when it is tried again unchanged.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self.exit(), ExitStatus::Retryable)
    }

    /// The page and anchor that document this code, relative to the documentation's root.
    #[must_use]
    pub fn docs(self) -> String {
        format!("docs/reference/errors.md#{}", self.as_str())
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is not in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown error code")]
pub struct UnknownErrorCode;

impl std::str::FromStr for ErrorCode {
    type Err = UnknownErrorCode;
    fn from_str(text: &str) -> Result<Self, UnknownErrorCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownErrorCode)
    }
}

/// An error as the API sends it (`application/problem+json`) and the command line shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The stable code.
    pub code: Open<ErrorCode>,
    /// What happened to this request, for a person.
    pub message: String,
    /// Whether the same thing may succeed when it is tried again unchanged.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The scope that the API key lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_scope: Option<Open<Scope>>,
    /// What a person has to consent to, and the challenge that proves which request they saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<ConfirmationChallenge>,
    /// What was found at a source that was refused: the checks that failed, and the warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<SourceCheck>,
    /// The request that failed, as the server's log names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What to do next.
    pub next_action: String,
    /// Where this code is documented.
    pub docs: String,
}

impl ErrorBody {
    /// An error with the catalog's next action.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            retryable: code.retryable(),
            retry_after_ms: None,
            required_scope: None,
            confirmation: None,
            findings: Vec::new(),
            request_id: None,
            next_action: code.next_action().to_owned(),
            docs: code.docs(),
        }
    }

    /// The exit code of a command that ends with this error. A code that this version does not know says by
    /// `retryable` whether to try again.
    #[must_use]
    pub fn exit(&self) -> ExitStatus {
        match self.code.known() {
            Some(code) => code.exit(),
            None if self.retryable => ExitStatus::Retryable,
            None => ExitStatus::Terminal,
        }
    }
}

/// The header in which a challenge comes back.
pub const CONFIRMATION_HEADER: &str = "Walwarden-Confirmation";

/// What a gated operation answers to an agent: the very same request passes once it carries the challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmationChallenge {
    /// What the request would do, for the person who decides.
    pub summary: String,
    /// Bound to this key, this operation and this body; send it back in [`CONFIRMATION_HEADER`].
    #[schemars(
        description = "Bound to this key, operation and body; sent back in the Walwarden-Confirmation header.",
        regex(pattern = crate::pattern::CHALLENGE)
    )]
    pub challenge: String,
    /// When the challenge is void.
    pub expires_at: Timestamp,
}

/// An [`ErrorBody`] with the members that RFC 9457 asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "An error with the members that RFC 9457 asks for.")]
pub struct Problem {
    /// A reference that identifies the kind of problem.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = "^urn:walwarden:error:[a-z_]+$"))]
    pub kind: String,
    /// The catalog's meaning of the code.
    pub title: String,
    /// The HTTP status, repeated.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// The error itself.
    #[serde(flatten)]
    pub error: ErrorBody,
}

impl From<ErrorBody> for Problem {
    fn from(error: ErrorBody) -> Self {
        let known = error.code.known().unwrap_or(ErrorCode::UnexpectedResponse);
        Self {
            kind: format!("urn:walwarden:error:{}", error.code),
            title: known.meaning().to_owned(),
            status: known.http_status(),
            error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_round_trip() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::json!(code), serde_json::json!(code.as_str()));
            assert_ne!(code.exit(), ExitStatus::Ok, "{code} would exit 0");
            assert!((400..600).contains(&code.http_status()));
        }
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}
