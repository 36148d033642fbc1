//! How a command fails: the error that every surface shows, and what it left untouched.

use walwarden_contract::{ErrorBody, ErrorCode, ExitStatus};
use walwarden_sdk::Error;

/// A failed command.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) body: Box<ErrorBody>,
    /// What a person need not worry about.
    pub(crate) untouched: Option<String>,
    /// Commands that may help, as argument vectors.
    pub(crate) next: Vec<Vec<String>>,
    /// What was found before it, for the envelope's `data` and for a person.
    pub(crate) found: Option<Box<Found>>,
}

/// What a command found although it failed.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) data: serde_json::Value,
    pub(crate) human: String,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ErrorBody::new(code, message).into()
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorCode::Cancelled, "Interrupted by a signal.")
    }

    pub(crate) fn untouched(mut self, text: impl Into<String>) -> Self {
        self.untouched = Some(text.into());
        self
    }

    pub(crate) fn next(mut self, command: Vec<String>) -> Self {
        self.next.push(command);
        self
    }

    pub(crate) fn found(mut self, data: serde_json::Value, human: String) -> Self {
        self.found = Some(Box::new(Found { data, human }));
        self
    }

    pub(crate) fn exit(&self) -> ExitStatus {
        self.body.exit()
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Self { body: Box::new(body), untouched: None, next: Vec::new(), found: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.into_body().into()
    }
}
