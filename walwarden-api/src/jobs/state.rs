//! The state machines of backups, restores and destinations: pure functions, and the only way a state changes.

use walwarden_contract::model::{BackupState, DestinationState, RestoreState};

/// What can happen to a backup job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupEvent {
    /// A worker took it.
    Claim,
    /// `pg_dump` was started.
    Start,
    /// The dump is whole.
    Finalize,
    /// A worker took up a job whose dump was already whole.
    Resume,
    /// Artifact and manifest were read back and match.
    Complete,
    /// The attempt failed and attempts are left.
    FailRetryable,
    /// The job failed for good.
    FailTerminal,
    /// Another attempt follows.
    Requeue,
    /// The worker hands the job back unharmed, because it shuts down.
    Release,
    /// Somebody called it off.
    Cancel,
}

impl BackupEvent {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::Claim,
        Self::Start,
        Self::Finalize,
        Self::Resume,
        Self::Complete,
        Self::FailRetryable,
        Self::FailTerminal,
        Self::Requeue,
        Self::Release,
        Self::Cancel,
    ];
}

impl BackupEvent {
    /// What it makes of the job, for messages.
    const fn outcome(self) -> &'static str {
        match self {
            Self::Claim => "claimed",
            Self::Start => "started",
            Self::Finalize => "finalized",
            Self::Resume => "resumed",
            Self::Complete => "completed",
            Self::FailRetryable | Self::FailTerminal => "failed",
            Self::Requeue => "queued again",
            Self::Release => "handed back",
            Self::Cancel => "cancelled",
        }
    }
}

/// The job's state does not allow the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {job} that is {from} cannot be {step}")]
pub struct InvalidTransition {
    /// `backup` or `restore`.
    pub job: &'static str,
    /// The state it is in.
    pub from: &'static str,
    /// What was asked for, as a participle.
    pub step: &'static str,
}

/// The state of a backup job after an event.
///
/// # Errors
/// [`InvalidTransition`] when the event cannot happen in this state.
pub const fn backup(state: BackupState, event: BackupEvent) -> Result<BackupState, InvalidTransition> {
    use BackupEvent as E;
    use BackupState as S;
    match (state, event) {
        (S::Queued, E::Claim) => Ok(S::Claimed),
        (S::Claimed, E::Start) => Ok(S::Running),
        (S::Running, E::Finalize) | (S::Claimed, E::Resume) => Ok(S::Finalizing),
        (S::Finalizing, E::Complete) => Ok(S::Completed),
        (S::Claimed | S::Running | S::Finalizing, E::FailRetryable) => Ok(S::FailedRetryable),
        (S::Queued | S::Claimed | S::Running | S::Finalizing | S::FailedRetryable, E::FailTerminal) => {
            Ok(S::FailedTerminal)
        }
        (S::FailedRetryable, E::Requeue) | (S::Claimed | S::Running | S::Finalizing, E::Release) => Ok(S::Queued),
        (S::Queued | S::Claimed | S::Running, E::Cancel) => Ok(S::Cancelled),
        _ => Err(InvalidTransition { job: "backup", from: state.as_str(), step: event.outcome() }),
    }
}

/// Whether somebody may take note of a backup's failure: only of one that nothing follows.
///
/// # Errors
/// [`InvalidTransition`] in every state but `failed_terminal`.
pub const fn dismiss(state: BackupState) -> Result<(), InvalidTransition> {
    match state {
        BackupState::FailedTerminal => Ok(()),
        other => Err(InvalidTransition { job: "backup", from: other.as_str(), step: "dismissed" }),
    }
}

/// Where a completed backup stands on its way out of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryState {
    /// It is there, and can be restored.
    Kept,
    /// Its deletion began.
    Expiring,
    /// It is gone.
    Expired,
}

/// What can happen to a completed backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryEvent {
    /// Its deletion begins.
    Mark,
    /// The bucket refused while everything was still there.
    Refuse,
    /// Artifact and manifest are gone.
    Finish,
}

/// Where a completed backup stands after an event.
///
/// # Errors
/// [`InvalidTransition`] when the event cannot happen to it.
pub const fn expiry(state: ExpiryState, event: ExpiryEvent) -> Result<ExpiryState, InvalidTransition> {
    use ExpiryEvent as E;
    use ExpiryState as S;
    let (from, step) = match (state, event) {
        (S::Kept, E::Mark) => return Ok(S::Expiring),
        (S::Expiring, E::Refuse) => return Ok(S::Kept),
        (S::Expiring, E::Finish) => return Ok(S::Expired),
        (S::Kept, E::Refuse | E::Finish) => ("kept", "deleted"),
        (S::Expiring, E::Mark) => ("expiring", "marked for deletion"),
        (S::Expired, _) => ("expired", "deleted again"),
    };
    Err(InvalidTransition { job: "backup", from, step })
}

/// The state of a restore job after the restore machine, or the watchdog, says it has reached `to`.
///
/// # Errors
/// [`InvalidTransition`] when `to` does not follow from `from`. The same state again is no transition.
pub fn restore(from: RestoreState, to: RestoreState) -> Result<RestoreState, InvalidTransition> {
    use RestoreState as S;
    let allowed = match (from, to) {
        (S::TokenIssued, S::Triggered | S::TimedOut)
        | (S::Triggered, S::Claimed)
        | (S::Claimed, S::Downloading)
        | (S::Downloading, S::Verifying)
        | (S::Verifying, S::ManifestVerified)
        | (S::ManifestVerified, S::Restoring)
        | (S::Restoring, S::Finalizing)
        | (S::Finalizing, S::Completed) => true,
        (from, S::FailedRetryable | S::FailedTerminal | S::Cancelled | S::TimedOut) => {
            !from.is_terminal() && from != S::TokenIssued
        }
        _ => false,
    };
    if allowed { Ok(to) } else { Err(InvalidTransition { job: "restore", from: from.as_str(), step: to.as_str() }) }
}

/// What can happen to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationEvent {
    /// Something that matters to the bucket was changed.
    Change,
    /// Preflight passed.
    Pass,
    /// Preflight found something that does not hold.
    Fail,
    /// Preflight could not find out: what failed may pass by itself.
    Miss,
}

/// What an event makes of a destination. A bucket that cannot be asked for a while is what it was before.
#[must_use]
pub const fn destination(from: DestinationState, event: DestinationEvent) -> DestinationState {
    match event {
        DestinationEvent::Change => DestinationState::Unverified,
        DestinationEvent::Pass => DestinationState::Verified,
        DestinationEvent::Fail => DestinationState::Failed,
        DestinationEvent::Miss => from,
    }
}

#[cfg(test)]
mod chains;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_follows_a_terminal_state() {
        for state in BackupState::ALL.into_iter().filter(|state| state.is_terminal()) {
            for event in BackupEvent::ALL {
                assert!(backup(state, event).is_err(), "{event:?} moved a job that is {}", state.as_str());
            }
        }
        for from in RestoreState::ALL.into_iter().filter(|state| state.is_terminal()) {
            for to in RestoreState::ALL {
                assert!(restore(from, to).is_err(), "{} followed {}", to.as_str(), from.as_str());
            }
        }
    }

    #[test]
    fn only_what_is_not_sealed_yet_can_be_cancelled_and_only_what_failed_for_good_dismissed() {
        for state in BackupState::ALL {
            let cancellable = matches!(state, BackupState::Queued | BackupState::Claimed | BackupState::Running);
            assert_eq!(backup(state, BackupEvent::Cancel).is_ok(), cancellable, "{}", state.as_str());
            assert_eq!(dismiss(state).is_ok(), state == BackupState::FailedTerminal, "{}", state.as_str());
        }
        let refused = backup(BackupState::Finalizing, BackupEvent::Cancel).expect_err("refuses");
        assert_eq!(refused.to_string(), "a backup that is finalizing cannot be cancelled");
    }

    #[test]
    fn nothing_is_deleted_that_was_not_marked_before() {
        use ExpiryEvent::{Finish, Mark, Refuse};
        use ExpiryState::{Expired, Expiring, Kept};
        assert_eq!(expiry(Kept, Mark), Ok(Expiring));
        assert_eq!(expiry(Expiring, Refuse), Ok(Kept));
        assert_eq!(expiry(Expiring, Finish), Ok(Expired));
        for (state, event) in [(Kept, Finish), (Kept, Refuse), (Expiring, Mark), (Expired, Mark), (Expired, Refuse)] {
            assert!(expiry(state, event).is_err(), "{event:?} moved a backup that is {state:?}");
        }
    }

    #[test]
    fn a_restore_is_completed_only_after_its_manifest_was_verified() {
        let mut reachable = vec![RestoreState::TokenIssued];
        for index in 0.. {
            let Some(from) = reachable.get(index).copied() else { break };
            for to in RestoreState::ALL {
                let skips = to == RestoreState::ManifestVerified || reachable.contains(&to);
                if !skips && restore(from, to).is_ok() {
                    reachable.push(to);
                }
            }
        }
        assert!(!reachable.contains(&RestoreState::Restoring));
        assert!(!reachable.contains(&RestoreState::Completed));
    }

    proptest! {
        #[test]
        fn a_backup_is_completed_only_from_finalizing(events in prop::collection::vec(0_usize..10, 0..40)) {
            let mut state = BackupState::Queued;
            for event in events {
                let before = state;
                if let Ok(next) = backup(state, BackupEvent::ALL[event]) {
                    state = next;
                }
                if state == BackupState::Completed {
                    prop_assert!(before == BackupState::Finalizing || before == BackupState::Completed);
                }
            }
        }
    }
}
