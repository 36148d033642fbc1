//! What became of each attempt at a backup.

use serde::{Deserialize, Serialize};
use walwarden_contract::model::AttemptOutcome;
use walwarden_contract::{ErrorCode, Timestamp};

/// How many attempts a job remembers; a worker that shuts down makes one that does not count.
const REMEMBERED: usize = 20;
/// How much of what went wrong is kept for each, in characters.
const MESSAGE: usize = 500;

/// One attempt, from the claim of a worker to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1. One that was handed back does not count: the next has the same number.
    pub attempt: u32,
    /// The worker.
    pub worker: String,
    /// When the worker took the job.
    pub claimed_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<AttemptOutcome>,
    /// Why it failed.
    pub error_code: Option<ErrorCode>,
    /// What there is to say about the failure.
    pub message: Option<String>,
    /// Before when the next attempt does not begin.
    pub retry_at: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptEnd<'a> {
    pub(crate) outcome: AttemptOutcome,
    pub(crate) failure: Option<(ErrorCode, &'a str)>,
    pub(crate) retry_at: Option<Timestamp>,
}

impl AttemptEnd<'_> {
    pub(crate) const fn without_failure(outcome: AttemptOutcome) -> Self {
        Self { outcome, failure: None, retry_at: None }
    }
}

/// The attempts of a job, oldest first; of many, the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempts(Vec<Attempt>);

impl Attempts {
    /// Each, oldest first.
    #[must_use]
    pub fn as_slice(&self) -> &[Attempt] {
        &self.0
    }

    pub(crate) fn begin(&mut self, attempt: u32, worker: &str, at: Timestamp) {
        if self.0.len() >= REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(Attempt {
            attempt,
            worker: worker.to_owned(),
            claimed_at: at,
            ended_at: None,
            outcome: None,
            error_code: None,
            message: None,
            retry_at: None,
        });
    }

    /// Closes the attempt under way; there is none where the job waited for its next.
    pub(crate) fn end(&mut self, at: Timestamp, end: AttemptEnd<'_>) {
        let Some(last) = self.0.last_mut().filter(|last| last.ended_at.is_none()) else { return };
        last.ended_at = Some(at);
        last.outcome = Some(end.outcome);
        last.error_code = end.failure.map(|(code, _)| code);
        last.message = end.failure.map(|(_, message)| message.chars().take(MESSAGE).collect());
        last.retry_at = end.retry_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_attempts_the_newest_are_remembered_and_an_ended_one_is_not_ended_again() {
        let at = |millis| Timestamp::from_millis(millis).expect("in range");
        let mut attempts = Attempts::default();
        for number in 1..=25_u32 {
            attempts.begin(number, "worker", at(i64::from(number)));
            attempts.end(at(100), AttemptEnd::without_failure(AttemptOutcome::HandedBack));
        }
        attempts.end(at(200), AttemptEnd::without_failure(AttemptOutcome::Cancelled));
        let numbers: Vec<_> = attempts.as_slice().iter().map(|attempt| attempt.attempt).collect();
        assert_eq!((numbers.first(), numbers.last(), numbers.len()), (Some(&6), Some(&25), REMEMBERED));
        assert!(attempts.as_slice().iter().all(|attempt| attempt.outcome == Some(AttemptOutcome::HandedBack)));
    }
}
