//! What a verification found, for people and for programs.

use serde_json::{Value, json};

use super::code::shown;
use super::{Code, Failure, Verdict};
use crate::bundle::Recoverability;

/// How one line of a report begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Ok,
    /// It was not looked at.
    Skip,
    /// It holds, and nothing outside of the bundle says so.
    Unanchored,
    /// It does not hold.
    Fail,
}

impl Status {
    /// What the line begins with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Skip => "SKIP",
            Self::Unanchored => "UNANCHORED",
            Self::Fail => "FAIL",
        }
    }
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it begins.
    pub status: Status,
    /// What it says.
    pub text: String,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong; `None` when everything holds.
    pub failure: Option<Failure>,
    /// What was looked at, in order.
    pub lines: Vec<Line>,
    /// How many manifests were verified.
    pub manifests: usize,
    /// How many events.
    pub events: usize,
    /// How many events the log had at the checkpoint that the bundle is as of.
    pub checkpoint_size: Option<u64>,
    /// Whether the log was held against a checkpoint from elsewhere.
    pub anchored: bool,
    /// What the evidence of a single backup amounts to.
    pub recoverability: Option<Recoverability>,
}

/// A number and a noun, as the published verifier writes them: always in the plural.
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}s")
}

impl Report {
    pub(super) fn ok(&mut self, text: impl AsRef<str>) {
        self.lines.push(Line { status: Status::Ok, text: shown(text.as_ref()) });
    }

    pub(super) fn skip(&mut self, text: impl AsRef<str>) {
        self.lines.push(Line { status: Status::Skip, text: shown(text.as_ref()) });
    }

    pub(super) fn unanchored(&mut self, text: impl AsRef<str>) {
        self.lines.push(Line { status: Status::Unanchored, text: shown(text.as_ref()) });
    }

    pub(super) const fn counts(&mut self, manifests: usize, events: usize) {
        (self.manifests, self.events) = (manifests, events);
    }

    pub(super) fn state(&mut self, recoverability: Option<Recoverability>) {
        self.recoverability = recoverability;
    }

    pub(super) fn end(mut self, ended: Result<(), Failure>) -> Self {
        match ended {
            Ok(()) => {
                let (manifests, events) = (self.manifests, self.events);
                self.ok(format!("{manifests} manifests verified, {events} audit events chain-intact (exit 0)"));
            }
            Err(failure) => {
                let exit = failure.code.verdict().exit_code();
                let text = format!("{failure} ({}; exit {exit})", failure.code.verdict().as_str());
                self.lines.push(Line { status: Status::Fail, text });
                (self.manifests, self.events, self.anchored) = (0, 0, false);
                (self.checkpoint_size, self.recoverability) = (None, None);
                self.failure = Some(failure);
            }
        }
        self
    }

    /// A report of something that failed before anything could be looked at.
    #[must_use]
    pub fn of(failure: Failure) -> Self {
        Self::default().end(Err(failure))
    }

    /// How it ends.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.failure.as_ref().map_or(Verdict::Verified, |failure| failure.code.verdict())
    }

    /// The report as one JSON document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let lines = self.lines.iter().map(|line| json!({ "status": line.status.as_str(), "text": line.text }));
        json!({
            "schema": "walwarden.verification.v1",
            "verdict": self.verdict().as_str(),
            "exitCode": self.verdict().exit_code(),
            "code": self.failure.as_ref().map(|failure| failure.code.as_str()),
            "message": self.failure.as_ref().map(|failure| failure.message.clone()),
            "meaning": self.failure.as_ref().map(|failure| Code::meaning(failure.code)),
            "checkpointSize": self.checkpoint_size,
            "anchored": self.anchored,
            "manifests": self.manifests,
            "events": self.events,
            "state": self.recoverability.as_ref().map(|found| found.state),
            "recoverability": self.recoverability,
            "lines": lines.collect::<Vec<_>>(),
        })
    }
}
