//! The one error type of this crate: an [`ErrorBody`], whether the server sent it or it arose here.

use std::fmt;

use walwarden_contract::error::ConfirmationChallenge;
use walwarden_contract::{ErrorBody, ErrorCode, ExitStatus};

/// What went wrong. Its text never holds a token, a password or a URL's query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<ErrorBody>);

impl Error {
    /// An error with the catalog's next action.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorBody::new(code, message)))
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// How a command that ends with this error exits.
    #[must_use]
    pub fn exit(&self) -> ExitStatus {
        self.0.code.exit()
    }

    /// Whether the same call may succeed when it is made again unchanged.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The request that failed, as the server's log names it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What a person has to consent to. Once they have, repeat the very same call with
    /// [`Client::confirming`](crate::Client::confirming).
    #[must_use]
    pub fn confirmation(&self) -> Option<&ConfirmationChallenge> {
        self.0.confirmation.as_ref()
    }

    /// Everything there is to say about it.
    #[must_use]
    pub fn body(&self) -> &ErrorBody {
        &self.0
    }

    /// Everything there is to say about it.
    #[must_use]
    pub fn into_body(self) -> ErrorBody {
        *self.0
    }

    /// The same error with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorCode::Cancelled, ErrorCode::Cancelled.meaning())
    }
}

impl From<ErrorBody> for Error {
    fn from(body: ErrorBody) -> Self {
        Self(Box::new(body))
    }
}

impl From<Error> for ErrorBody {
    fn from(error: Error) -> Self {
        error.into_body()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// The causes of an error in one line, innermost last; each is said once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
