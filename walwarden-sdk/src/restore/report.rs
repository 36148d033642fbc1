//! Telling the server where a restore stands: states in order, heartbeats while a step lasts, and the end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use walwarden_contract::model::{RestoreReport, RestoreReportPayload, RestoreState};
use walwarden_contract::{ErrorCode, ExitStatus};

use super::events::RestoreEvent;
use super::executor::Executor;
use super::unless_cancelled;
use crate::{Error, RestoreSessionClient};

const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the next state waits for a heartbeat that is under way, so that the two do not overtake each other.
const HEARTBEAT_GRACE: Duration = Duration::from_secs(3);
/// How long the last report may take, repetitions included.
const COMPLETED_DEADLINE: Duration = Duration::from_mins(1);
const FAILED_DEADLINE: Duration = Duration::from_secs(15);
/// After Ctrl-C a person waits.
const CANCELLED_DEADLINE: Duration = Duration::from_secs(4);

pub(super) struct Reporter<'a> {
    session: &'a RestoreSessionClient,
    executor: &'a Executor,
    interval: Duration,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(session: &'a RestoreSessionClient, executor: &'a Executor) -> Self {
        Self { session, executor, interval: Duration::from_secs(20) }
    }

    /// Takes over how often the server wants to hear from us: three chances per deadline.
    pub(super) fn with_heartbeat_seconds(self, seconds: u32) -> Self {
        let interval = (Duration::from_secs(u64::from(seconds)) / 3).max(Duration::from_millis(200));
        Self { interval, ..self }
    }

    /// Tells the observer alone: the server knows these states from the calls themselves.
    pub(super) fn observe(&self, state: RestoreState, payload: RestoreReportPayload) {
        self.executor.observe(RestoreEvent::State { state, at: self.executor.now(), payload });
    }

    /// Reports a state and waits until the server has taken it.
    pub(super) async fn reached(&self, state: RestoreState, payload: RestoreReportPayload) -> Result<(), Error> {
        let report = RestoreReport { state, payload: payload.clone() };
        unless_cancelled(&self.executor.cancel, self.session.report_restore(&report)).await?;
        self.observe(state, payload);
        Ok(())
    }

    /// Runs a step under a state that was reported, with heartbeats. The step is handed a token that is cancelled when
    /// the caller gives up, or when the server has sealed the job.
    pub(super) async fn during<T, F>(
        &self,
        state: RestoreState,
        step: impl FnOnce(CancellationToken) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let given_up = self.executor.cancel.child_token();
        let ended = CancellationToken::new();
        let work = async {
            let outcome = step(given_up.clone()).await;
            ended.cancel();
            outcome
        };
        let beats = self.beat(state, &ended);
        tokio::pin!(work, beats);
        tokio::select! {
            biased;
            outcome = &mut work => {
                let _ = tokio::time::timeout(HEARTBEAT_GRACE, beats).await;
                outcome
            }
            sealed = &mut beats => {
                given_up.cancel();
                let outcome = work.await;
                sealed.map_or(outcome, Err)
            }
        }
    }

    /// Heartbeats until the step has ended, or the server refuses them for good.
    async fn beat(&self, state: RestoreState, ended: &CancellationToken) -> Option<Error> {
        let report = RestoreReport { state, payload: RestoreReportPayload::default() };
        loop {
            tokio::select! {
                () = ended.cancelled() => return None,
                () = tokio::time::sleep(self.interval) => {}
            }
            match self.session.heartbeat(&report, HEARTBEAT_TIMEOUT).await {
                Err(error) if error.code().is(is_final) => return Some(error),
                Err(error) => tracing::debug!(%error, "heartbeat not delivered"),
                Ok(_) => {}
            }
        }
    }

    /// Reports the success. The data is restored by then, and an error says so.
    pub(super) async fn completed(&self, payload: RestoreReportPayload, database: &str) -> Result<(), Error> {
        let report = RestoreReport { state: RestoreState::Completed, payload };
        let delivered = tokio::time::timeout(COMPLETED_DEADLINE, self.session.report_restore(&report)).await;
        let error = match delivered {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => Error::new(ErrorCode::Timeout, "The API did not answer in time."),
        };
        Err(unreported(&error, database))
    }

    /// Reports the failure as well as it can within a short time. Returns whether the server knows.
    pub(super) async fn failed(&self, error: &Error) -> bool {
        if error.code() == ErrorCode::RestoreTimedOut || error.code() == ErrorCode::InvalidTransition {
            return true;
        }
        let (state, deadline) = match error.exit() {
            ExitStatus::Cancelled => (RestoreState::Cancelled, CANCELLED_DEADLINE),
            ExitStatus::Retryable => (RestoreState::FailedRetryable, FAILED_DEADLINE),
            _ => (RestoreState::FailedTerminal, FAILED_DEADLINE),
        };
        let payload = RestoreReportPayload { error_code: error.code().known(), ..RestoreReportPayload::default() };
        let report = RestoreReport { state, payload };
        let delivered = tokio::time::timeout(deadline, self.session.report_restore(&report)).await;
        matches!(delivered, Ok(Ok(_)))
    }
}

/// What keeps a restore from being reported once its data is there: to repeat it would overwrite what is good.
pub(super) fn unreported(error: &Error, database: &str) -> Error {
    let message = format!(
        "The data IS restored into {database:?}; only the report of it is missing, so the job will not show as \
         completed: {error}"
    );
    Error::new(ErrorCode::RestoreUnreported, message)
}

/// Whether the server will refuse every further report of this job.
fn is_final(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RestoreTimedOut
            | ErrorCode::InvalidTransition
            | ErrorCode::TokenInvalid
            | ErrorCode::TokenExpired
            | ErrorCode::NotFound
    )
}
