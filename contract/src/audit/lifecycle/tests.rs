use proptest::prelude::*;

use super::*;
use crate::audit::EventKind as K;

const DUMPED: [K; 5] = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFinalizing, K::BackupCompleted];

fn of(stream: StreamKind, kinds: &[K]) -> Result<(), Impossible> {
    possible(stream, kinds.iter().copied())
}

fn then(kinds: &[K], more: &[K]) -> Vec<K> {
    [kinds, more].concat()
}

#[test]
fn what_happens_to_backups_is_possible_and_so_is_every_beginning_of_it() {
    let retried = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFailed];
    let resumed = [K::BackupQueued, K::BackupClaimed, K::BackupFinalizing];
    let chains = [
        DUMPED.to_vec(),
        then(&retried, &DUMPED),
        // Handed back by a worker that shuts down, and by one that waits for a look at the destination.
        then(&DUMPED[..3], &DUMPED),
        then(&DUMPED[..2], &DUMPED),
        // A worker that died while it sealed: the next takes the closed dump up.
        then(&then(&DUMPED[..4], &[K::BackupFailed]), &then(&resumed, &[K::BackupCompleted])),
        // Its parts were gone: dumped afresh.
        then(&then(&DUMPED[..4], &[K::BackupQueued, K::BackupClaimed, K::BackupFinalizing, K::BackupFailed]), &DUMPED),
        then(&DUMPED[..1], &[K::BackupCancelled]),
        then(&DUMPED[..3], &[K::BackupCancelled]),
        then(&retried, &[K::BackupDismissed]),
        then(&DUMPED, &[K::RetentionExpiring, K::RetentionDeleted]),
        then(&DUMPED, &[K::RetentionRefused, K::RetentionExpiring, K::RetentionRefused, K::RetentionDeleted]),
        then(&DUMPED, &[K::RetentionExpiring, K::RetentionRefused, K::RetentionExpiring, K::RetentionDeleted]),
    ];
    for chain in chains {
        for end in 0..=chain.len() {
            assert_eq!(of(StreamKind::Backup, &chain[..end]), Ok(()), "{:?}", &chain[..end]);
        }
    }
}

#[test]
fn what_cannot_happen_to_a_backup_is_refused_where_it_stands() {
    let cases: [(&[K], K); 14] = [
        (&[], K::BackupCompleted),
        (&[], K::BackupClaimed),
        (&DUMPED[..1], K::BackupRunning),
        (&DUMPED[..2], K::BackupFinalizing),
        (&DUMPED[..3], K::BackupCompleted),
        (&DUMPED[..4], K::BackupCancelled),
        (&DUMPED[..1], K::BackupDismissed),
        (&DUMPED, K::BackupQueued),
        (&DUMPED, K::BackupFailed),
        (&DUMPED, K::BackupCompleted),
        (&DUMPED, K::BackupCancelled),
        (&DUMPED, K::RetentionDeleted),
        (&DUMPED[..3], K::RestoreCompleted),
        (&DUMPED[..3], K::ApiKeyIssued),
    ];
    for (before, kind) in cases {
        let refused = of(StreamKind::Backup, &then(before, &[kind])).expect_err("refuses");
        let expected = Impossible { seq: before.len() as u64 + 1, kind, after: before.last().copied() };
        assert_eq!(refused, expected);
    }
    for end in [K::BackupCancelled, K::BackupFailed] {
        let over = then(&DUMPED[..3], &[end]);
        assert!(of(StreamKind::Backup, &then(&over, &[K::BackupCompleted])).is_err(), "after {}", end.as_str());
    }
    // A dump that was begun anew is not the one that was closed.
    let anew = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFailed];
    let taken_up = then(&then(&DUMPED[..4], &anew_after_failing(&anew)), &[K::BackupQueued, K::BackupClaimed]);
    assert_eq!(of(StreamKind::Backup, &taken_up), Ok(()));
    assert!(of(StreamKind::Backup, &then(&taken_up, &[K::BackupFinalizing])).is_err());
}

fn anew_after_failing(anew: &[K]) -> Vec<K> {
    then(&[K::BackupFailed], anew)
}

#[test]
fn a_restore_goes_from_state_to_state_and_tokens_are_refused_at_any_time() {
    let whole = then(&[K::RestoreTokenIssued], &REACHED);
    for length in 1..=whole.len() {
        let chain = &whole[..length];
        assert_eq!(of(StreamKind::Restore, chain), Ok(()));
        let rejected = then(chain, &[K::RestoreTokenRejected, K::RestoreTokenRejected]);
        assert_eq!(of(StreamKind::Restore, &rejected), Ok(()), "{rejected:?}");
        let lasts = length > 1 && length < whole.len();
        for (end, allowed) in [
            (K::RestoreFailed, lasts),
            (K::RestoreCancelled, lasts),
            (K::RestoreTimedOut, length < whole.len()),
            (K::RestoreTokenIssued, false),
        ] {
            let ended = then(chain, &[end]);
            assert_eq!(of(StreamKind::Restore, &ended).is_ok(), allowed, "{ended:?}");
        }
        // No state is left out, and none comes twice.
        for (behind, kind) in REACHED.iter().enumerate() {
            let next = then(chain, &[*kind]);
            assert_eq!(of(StreamKind::Restore, &next).is_ok(), behind + 1 == length, "{next:?}");
        }
    }
    assert!(of(StreamKind::Restore, &[K::RestoreTokenRejected]).is_err());
    assert!(of(StreamKind::Restore, &[K::RestoreTokenIssued, K::BackupQueued]).is_err());
}

#[test]
fn an_organization_is_created_first_and_once() {
    for kind in K::ALL.iter().copied().filter(|kind| kind.stream() == StreamKind::Organization) {
        let created = kind == K::OrganizationCreated;
        assert_eq!(of(StreamKind::Organization, &[kind]).is_ok(), created);
        assert_eq!(of(StreamKind::Organization, &[K::OrganizationCreated, kind, kind]).is_ok(), !created);
    }
    assert!(of(StreamKind::Organization, &[K::OrganizationCreated, K::BackupQueued]).is_err());
}

#[test]
fn the_refusal_says_which_event_and_after_what() {
    let refused = of(StreamKind::Backup, &[K::BackupQueued, K::BackupCompleted]).expect_err("refuses");
    assert_eq!(refused.to_string(), "event 2 is backup.completed, which cannot follow backup.queued here");
    let refused = of(StreamKind::Restore, &[K::BackupQueued]).expect_err("refuses");
    assert_eq!(refused.to_string(), "event 1 is backup.queued, which cannot begin this chain");
}

proptest! {
    /// The claim that everything else leans on, for any sequence of kinds whatever.
    #[test]
    fn nothing_is_completed_that_was_not_finalized_and_nothing_but_retention_follows(
        picks in prop::collection::vec(0..K::ALL.len(), 0..40)
    ) {
        let mut walk = Walk::new(StreamKind::Backup);
        let mut chain = Vec::new();
        for kind in picks.into_iter().map(|pick| K::ALL[pick]) {
            let mut tried = walk.clone();
            if tried.step(kind).is_ok() {
                walk = tried;
                chain.push(kind);
            }
        }
        if let Some(place) = chain.iter().position(|kind| *kind == K::BackupCompleted) {
            prop_assert_eq!(chain[place - 1], K::BackupFinalizing);
            prop_assert!(chain[..place].contains(&K::BackupRunning));
            prop_assert!(chain[place + 1..].iter().all(|kind| kind.as_str().starts_with("retention.")));
        }
    }
}
