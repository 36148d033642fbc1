//! When a call is tried again: only what is safe to repeat, a bounded number of times.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use walwarden_contract::ErrorCode;

use crate::error::Error;

/// How often and how fast a failed call is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Repetitions after the first attempt.
    pub max_retries: usize,
    /// The wait before the first repetition; it doubles from there, with jitter.
    pub min_delay: Duration,
    /// The longest wait of our own choosing.
    pub max_delay: Duration,
    /// The longest `Retry-After` that is waited for; a longer one ends the call.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 4,
            min_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// One attempt, no repetition.
    #[must_use]
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }
}

/// A failed attempt, and whether the same request may be sent again.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) repeat: bool,
}

impl Failure {
    /// A failure that an answer of the server explains. Codes that need another request, not the same one, stay.
    pub(crate) fn answered(error: Error) -> Self {
        let stays = |code| matches!(code, ErrorCode::BackupInProgress | ErrorCode::RestoreTimedOut);
        let repeat = error.is_retryable() && !error.code().is(stays);
        Self { error, repeat }
    }

    /// A failure on the way, of which the server may know nothing.
    pub(crate) fn transport(error: Error) -> Self {
        Self { error, repeat: true }
    }
}

/// Runs `attempt` until it succeeds, fails for good, or the policy is spent.
pub(crate) async fn run<T, F>(policy: &RetryPolicy, attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Failure>>,
{
    let backoff = ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(policy.min_delay)
        .with_max_delay(policy.max_delay)
        .with_max_times(policy.max_retries);
    let outcome = attempt
        .retry(backoff)
        .when(|failure: &Failure| failure.repeat)
        .adjust(|failure, delay| wait(policy, failure, delay))
        .notify(|failure, delay| tracing::debug!(code = %failure.error.code(), ?delay, "trying again"))
        .await;
    outcome.map_err(|failure| failure.error)
}

/// The server's wish where it is longer than ours; no further attempt where it is too long.
fn wait(policy: &RetryPolicy, failure: &Failure, delay: Option<Duration>) -> Option<Duration> {
    let delay = delay?;
    match failure.error.body().retry_after_ms.map(Duration::from_millis) {
        Some(asked) if asked > policy.max_retry_after => None,
        Some(asked) => Some(asked.max(delay)),
        None => Some(delay),
    }
}

#[cfg(test)]
mod tests {
    use walwarden_contract::ErrorBody;

    use super::*;

    fn failure(retry_after_ms: Option<u64>) -> Failure {
        let body = ErrorBody { retry_after_ms, ..ErrorBody::new(ErrorCode::RateLimited, "slow down") };
        Failure::answered(Error::Api(Box::new(body)))
    }

    #[test]
    fn a_wish_of_the_server_is_honoured_within_bounds() {
        let policy = RetryPolicy::default();
        let own = Some(Duration::from_millis(100));
        assert_eq!(wait(&policy, &failure(None), own), own);
        assert_eq!(wait(&policy, &failure(Some(2_000)), own), Some(Duration::from_secs(2)));
        assert_eq!(wait(&policy, &failure(Some(1)), own), own);
        assert_eq!(wait(&policy, &failure(Some(3_600_000)), own), None);
        assert_eq!(wait(&policy, &failure(Some(2_000)), None), None);
    }

    #[test]
    fn a_running_backup_is_not_waited_for() {
        assert!(!Failure::answered(Error::new(ErrorCode::BackupInProgress, "")).repeat);
        assert!(!Failure::answered(Error::new(ErrorCode::RestoreTimedOut, "")).repeat);
        assert!(!Failure::answered(Error::new(ErrorCode::NotFound, "")).repeat);
        assert!(Failure::answered(Error::new(ErrorCode::ServiceUnavailable, "")).repeat);
    }
}
