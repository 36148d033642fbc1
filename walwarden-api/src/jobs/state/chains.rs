//! What verifiers take for possible is exactly what these state machines can write into a chain.

use std::collections::BTreeSet;

use proptest::prelude::*;
use walwarden_contract::audit::lifecycle::Walk;
use walwarden_contract::audit::{EventKind as K, StreamKind};

use super::*;

/// Where a backup can be. Several places have the same kinds behind them: a failure does not tell whether another attempt follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Backup {
    state: BackupState,
    expiry: ExpiryState,
    /// Whether a closed dump waits to be sealed.
    pending: bool,
    dismissed: bool,
}

const QUEUED: Backup =
    Backup { state: BackupState::Queued, expiry: ExpiryState::Kept, pending: false, dismissed: false };

const fn kind_of(event: BackupEvent) -> K {
    match event {
        BackupEvent::Claim => K::BackupClaimed,
        BackupEvent::Start => K::BackupRunning,
        BackupEvent::Finalize | BackupEvent::Resume => K::BackupFinalizing,
        BackupEvent::Complete => K::BackupCompleted,
        BackupEvent::FailRetryable | BackupEvent::FailTerminal => K::BackupFailed,
        BackupEvent::Requeue | BackupEvent::Release => K::BackupQueued,
        BackupEvent::Cancel => K::BackupCancelled,
    }
}

impl Backup {
    /// Everywhere that an event of this kind leads to.
    fn after(self, kind: K) -> Vec<Self> {
        let mut places = Vec::new();
        for event in BackupEvent::ALL.into_iter().filter(|event| kind_of(*event) == kind && !self.dismissed) {
            // What `jobs/backups.rs` sees to beside the state: a closed dump is taken up, and never dumped over.
            let fits = match event {
                BackupEvent::Resume => self.pending,
                BackupEvent::Start => !self.pending,
                _ => true,
            };
            if let (true, Ok(state)) = (fits, backup(self.state, event)) {
                let pending = (self.pending || event == BackupEvent::Finalize) && event != BackupEvent::Complete;
                places.push(Self { state, pending, ..self });
                // Its parts may turn out to be gone.
                if state == BackupState::Finalizing {
                    places.push(Self { state, pending: false, ..self });
                }
            }
        }
        if kind == K::BackupDismissed && dismiss(self.state).is_ok() && !self.dismissed {
            places.push(Self { dismissed: true, ..self });
        }
        let completed = self.state == BackupState::Completed;
        for (expected, event) in [
            (K::RetentionExpiring, ExpiryEvent::Mark),
            (K::RetentionRefused, ExpiryEvent::Refuse),
            (K::RetentionDeleted, ExpiryEvent::Finish),
        ] {
            if let (true, true, Ok(expiry)) = (completed, kind == expected, expiry(self.expiry, event)) {
                places.push(Self { expiry, ..self });
            }
        }
        // A bucket can refuse before anything was marked, and once something of it is gone.
        if completed && kind == K::RetentionRefused && self.expiry != ExpiryState::Expired {
            places.push(self);
        }
        places
    }
}

fn restore_after(state: RestoreState, kind: K) -> Vec<RestoreState> {
    if kind == K::RestoreTokenRejected {
        return vec![state];
    }
    let named = |to: RestoreState| match to {
        RestoreState::FailedRetryable | RestoreState::FailedTerminal => K::RestoreFailed.as_str() == kind.as_str(),
        other => kind.as_str().strip_prefix("restore.") == Some(other.as_str()),
    };
    RestoreState::ALL.into_iter().filter(|to| named(*to)).filter_map(|to| restore(state, to).ok()).collect()
}

/// Walks along both at once: at every place, each kind is possible for the one if and only if it is for the other.
fn agree<P: Copy + PartialEq>(
    stream: StreamKind,
    first: K,
    start: P,
    after: impl Fn(P, K) -> Vec<P>,
    picks: Vec<usize>,
) -> Result<(), TestCaseError> {
    let mut walk = Walk::new(stream);
    prop_assert_eq!(walk.step(first), Ok(()));
    let (mut places, mut chain) = (vec![start], vec![first]);
    for pick in picks {
        let mut open = Vec::new();
        for kind in K::ALL.iter().copied() {
            let mut next: Vec<P> = Vec::new();
            for place in places.iter().flat_map(|place| after(*place, kind)) {
                if !next.contains(&place) {
                    next.push(place);
                }
            }
            let mut ahead = walk.clone();
            let possible = ahead.step(kind).is_ok();
            prop_assert_eq!(possible, !next.is_empty(), "{} after {:?}", kind.as_str(), chain);
            if possible {
                open.push((kind, ahead, next));
            }
        }
        if open.is_empty() {
            break;
        }
        let (kind, ahead, next) = open.swap_remove(pick % open.len());
        chain.push(kind);
        (walk, places) = (ahead, next);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_chain_of_a_backup_is_possible_exactly_when_the_state_machine_can_write_it(
        picks in prop::collection::vec(any::<usize>(), 0..40)
    ) {
        agree(StreamKind::Backup, K::BackupQueued, QUEUED, Backup::after, picks)?;
    }

    #[test]
    fn a_chain_of_a_restore_is_possible_exactly_when_the_state_machine_can_write_it(
        picks in prop::collection::vec(any::<usize>(), 0..30)
    ) {
        agree(StreamKind::Restore, K::RestoreTokenIssued, RestoreState::TokenIssued, restore_after, picks)?;
    }
}

/// Every kind that can happen at all, from every place that can be reached.
fn kinds_of<P: Copy + PartialEq>(start: P, after: impl Fn(P, K) -> Vec<P>) -> BTreeSet<&'static str> {
    let (mut places, mut kinds) = (vec![start], BTreeSet::new());
    for index in 0.. {
        let Some(place) = places.get(index).copied() else { break };
        for kind in K::ALL.iter().copied() {
            for next in after(place, kind) {
                kinds.insert(kind.as_str());
                if !places.contains(&next) {
                    places.push(next);
                }
            }
        }
    }
    kinds
}

#[test]
fn every_kind_of_a_job_can_happen() {
    let mut seen = kinds_of(QUEUED, Backup::after);
    seen.extend(kinds_of(RestoreState::TokenIssued, restore_after));
    seen.insert(K::RestoreTokenIssued.as_str());
    let of_jobs = K::ALL.iter().filter(|kind| kind.stream() != StreamKind::Organization).map(|kind| kind.as_str());
    assert_eq!(seen, of_jobs.collect());
}
