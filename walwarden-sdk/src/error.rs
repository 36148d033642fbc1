//! The one error type of this crate. Whatever went wrong is told by an [`ErrorBody`], whether the server sent it or it
//! arose here; the variant says where it arose.

use std::fmt;

use walwarden_contract::error::ConfirmationChallenge;
use walwarden_contract::{ErrorBody, ErrorCode, ExitStatus, Open};

/// What went wrong. Its text never holds a token, a password or a URL's query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The API answered with an error of its own.
    Api(Box<ErrorBody>),
    /// The API could not be reached, or the connection broke: it is not known whether the request was carried out.
    Transport(Box<ErrorBody>),
    /// The time allowed ran out: it is not known whether the request was carried out.
    Timeout(Box<ErrorBody>),
    /// The API answered with success and a document that does not fit.
    Decode(Box<ErrorBody>),
    /// Something answered that does not behave like a Walwarden API.
    Unexpected(Box<ErrorBody>),
    /// What happened, or was refused, on this machine: settings, cancellation, tools, files, the restore's own steps.
    Local(Box<ErrorBody>),
}

impl Error {
    /// An error that arose here, with the catalog's next action.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ErrorBody::new(code, message).into()
    }

    /// The stable code; a word that this version does not know, when a newer server sent it.
    #[must_use]
    pub fn code(&self) -> Open<ErrorCode> {
        self.body().code.clone()
    }

    /// How a command that ends with this error exits.
    #[must_use]
    pub fn exit(&self) -> ExitStatus {
        self.body().exit()
    }

    /// Whether the same call may succeed when it is made again unchanged.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.body().retryable
    }

    /// The request that failed, as the server's log names it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.body().request_id.as_deref()
    }

    /// What a person has to consent to. Once they have, repeat the very same call with
    /// [`WalwardenClient::confirming`](crate::WalwardenClient::confirming).
    #[must_use]
    pub fn confirmation(&self) -> Option<&ConfirmationChallenge> {
        self.body().confirmation.as_ref()
    }

    /// Everything there is to say about it.
    #[must_use]
    pub fn body(&self) -> &ErrorBody {
        match self {
            Self::Api(body)
            | Self::Transport(body)
            | Self::Timeout(body)
            | Self::Decode(body)
            | Self::Unexpected(body)
            | Self::Local(body) => body,
        }
    }

    /// Everything there is to say about it.
    #[must_use]
    pub fn into_body(self) -> ErrorBody {
        match self {
            Self::Api(body)
            | Self::Transport(body)
            | Self::Timeout(body)
            | Self::Decode(body)
            | Self::Unexpected(body)
            | Self::Local(body) => *body,
        }
    }

    /// The same error with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.body_mut().message = message.into();
        self
    }

    /// The same error with another next action, where more is known than the code says.
    #[must_use]
    pub fn with_next_action(mut self, next_action: impl Into<String>) -> Self {
        self.body_mut().next_action = next_action.into();
        self
    }

    fn body_mut(&mut self) -> &mut ErrorBody {
        match self {
            Self::Api(body)
            | Self::Transport(body)
            | Self::Timeout(body)
            | Self::Decode(body)
            | Self::Unexpected(body)
            | Self::Local(body) => body,
        }
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorCode::Cancelled, ErrorCode::Cancelled.meaning())
    }
}

/// An error that arose here.
impl From<ErrorBody> for Error {
    fn from(body: ErrorBody) -> Self {
        let (code, body) = (body.code.known(), Box::new(body));
        match code {
            Some(ErrorCode::NetworkError) => Self::Transport(body),
            Some(ErrorCode::Timeout) => Self::Timeout(body),
            Some(ErrorCode::UnexpectedResponse) => Self::Unexpected(body),
            _ => Self::Local(body),
        }
    }
}

impl From<Error> for ErrorBody {
    fn from(error: Error) -> Self {
        error.into_body()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.body().message)
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
