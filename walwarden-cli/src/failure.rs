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

    pub(crate) fn exit(&self) -> ExitStatus {
        self.body.exit()
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Self { body: Box::new(body), untouched: None, next: Vec::new() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.into_body().into()
    }
}
