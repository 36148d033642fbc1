//! Following a job to its end.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use walwarden_contract::{ErrorBody, ErrorCode};

use crate::error::Error;

/// After this many answers in a row that are no answer, a job is no longer followed.
const MAX_FAILED_LOOKS: u32 = 10;

/// The longest `Retry-After` that is waited for between two looks.
const MAX_ASKED_PAUSE: Duration = Duration::from_mins(1);

/// How a job is followed.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The time between two looks. While nothing changes it grows by half with each look, up to
    /// [`Poll::max_interval`]; a change brings it back here.
    pub interval: Duration,
    /// The longest time between two looks.
    pub max_interval: Duration,
    /// When to give up; `None` follows the job to its end.
    pub deadline: Option<Duration>,
    /// Ends the following at once. The job itself goes on.
    pub cancel: CancellationToken,
}

impl Default for Poll {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(500),
            max_interval: Duration::from_secs(5),
            deadline: None,
            cancel: CancellationToken::new(),
        }
    }
}

/// A job as one look sees it.
pub(super) trait Job {
    /// What a change is a change of.
    type Standing: PartialEq;

    fn standing(&self) -> Self::Standing;

    /// Whether nothing follows.
    fn has_ended(&self) -> bool;
}

/// Looks at a job with `look` until nothing follows; `on_change` sees the first answer and every change.
pub(super) async fn follow<J: Job>(
    poll: &Poll,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<J, Error>,
    mut on_change: impl FnMut(&J),
) -> Result<J, Error> {
    // A deadline that no clock reaches is none.
    let deadline = poll.deadline.and_then(|deadline| Instant::now().checked_add(deadline));
    let expired = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    let follow = async {
        let (mut seen, mut failed, mut interval) = (None, 0, poll.interval);
        loop {
            let mut pause = interval;
            match look().await {
                Ok(job) => {
                    failed = 0;
                    let standing = Some(job.standing());
                    if seen != standing {
                        seen = standing;
                        on_change(&job);
                        (interval, pause) = (poll.interval, poll.interval);
                    }
                    if job.has_ended() {
                        return Ok(job);
                    }
                }
                Err(error) => {
                    failed += 1;
                    if !error.is_retryable() || failed >= MAX_FAILED_LOOKS {
                        return Err(error);
                    }
                    let asked = error.body().retry_after_ms.map(Duration::from_millis);
                    pause = asked.map_or(pause, |asked| asked.min(MAX_ASKED_PAUSE).max(pause));
                }
            }
            tokio::time::sleep(pause).await;
            interval = (interval * 3 / 2).min(poll.max_interval.max(poll.interval));
        }
    };
    tokio::select! {
        biased;
        () = poll.cancel.cancelled() => Err(Error::cancelled()),
        outcome = follow => outcome,
        () = expired => {
            let message = format!("{what} had not ended when the time for waiting ran out. It goes on.");
            let next_action = "Read the job's status, or follow it for longer.".to_owned();
            Err(Error::from(ErrorBody { next_action, ..ErrorBody::new(ErrorCode::Timeout, message) }))
        }
    }
}
