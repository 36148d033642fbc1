//! Whether the kinds of a chain, in their order, can be what happened: the state machines of the server, seen from outside.
//!
//! A chain that stands in the middle of its job is possible too: what is missing at its end is for the head to tell.

use super::kind::{EventKind, StreamKind};

/// The first event that cannot stand where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} is {}, which cannot {}", .kind.as_str(), where_it_stands(*.after))]
pub struct Impossible {
    /// Its number, from 1.
    pub seq: u64,
    /// Its kind.
    pub kind: EventKind,
    /// The kind of the event before it.
    pub after: Option<EventKind>,
}

fn where_it_stands(after: Option<EventKind>) -> String {
    after.map_or_else(|| "begin this chain".to_owned(), |after| format!("follow {} here", after.as_str()))
}

/// Checks that events of these kinds can have happened to one backup, one restore or one organization, in this order.
///
/// # Errors
/// The first that cannot.
pub fn possible(stream: StreamKind, kinds: impl IntoIterator<Item = EventKind>) -> Result<(), Impossible> {
    let mut walk = Walk::new(stream);
    kinds.into_iter().try_for_each(|kind| walk.step(kind))
}

/// A chain on its way from event to event, for those who do not hold it whole.
#[derive(Debug, Clone)]
pub struct Walk {
    stream: StreamKind,
    stage: Stage,
    /// Whether a dump was closed and none begun since: only then is there one to take up.
    closed: bool,
    last: Option<EventKind>,
    seq: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Backup(BackupStage),
    Restore(RestoreStage),
    Organization,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BackupStage {
    Queued,
    Claimed,
    Running,
    Finalizing,
    /// For good, or until the next attempt: the kind does not tell.
    Failed,
    FailedForGood,
    /// Cancelled, dismissed or deleted.
    Over,
    /// Completed, and nothing of it is deleted.
    Kept,
    Expiring,
    /// Kept or still on its way out: the kind does not tell.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestoreStage {
    /// How many of the states of [`REACHED`] are behind it.
    At(usize),
    Over,
}

/// The states of a restore that goes well, after the token's issue.
const REACHED: [EventKind; 8] = [
    EventKind::RestoreTriggered,
    EventKind::RestoreClaimed,
    EventKind::RestoreDownloading,
    EventKind::RestoreVerifying,
    EventKind::RestoreManifestVerified,
    EventKind::RestoreRestoring,
    EventKind::RestoreFinalizing,
    EventKind::RestoreCompleted,
];

impl Walk {
    /// Before the first event of such a chain.
    #[must_use]
    pub const fn new(stream: StreamKind) -> Self {
        Self { stream, stage: Stage::Nothing, closed: false, last: None, seq: 0 }
    }

    /// Goes on by one event.
    ///
    /// # Errors
    /// When it cannot be the next.
    pub fn step(&mut self, kind: EventKind) -> Result<(), Impossible> {
        self.seq += 1;
        let impossible = Impossible { seq: self.seq, kind, after: self.last };
        let next = if kind.stream() == self.stream { self.next(kind) } else { None };
        self.stage = next.ok_or(impossible)?;
        match kind {
            EventKind::BackupFinalizing => self.closed = true,
            EventKind::BackupRunning => self.closed = false,
            _ => {}
        }
        self.last = Some(kind);
        Ok(())
    }

    fn next(&self, kind: EventKind) -> Option<Stage> {
        match self.stage {
            Stage::Nothing => first(kind),
            Stage::Backup(stage) => backup(stage, kind, self.closed).map(Stage::Backup),
            Stage::Restore(stage) => restore(stage, kind).map(Stage::Restore),
            // What an organization does is bound to no order; it is created once.
            Stage::Organization => (kind != EventKind::OrganizationCreated).then_some(Stage::Organization),
        }
    }
}

const fn first(kind: EventKind) -> Option<Stage> {
    match kind {
        EventKind::BackupQueued => Some(Stage::Backup(BackupStage::Queued)),
        EventKind::RestoreTokenIssued => Some(Stage::Restore(RestoreStage::At(0))),
        EventKind::OrganizationCreated => Some(Stage::Organization),
        _ => None,
    }
}

const fn backup(stage: BackupStage, kind: EventKind, closed: bool) -> Option<BackupStage> {
    use BackupStage as S;
    use EventKind as K;
    match (stage, kind) {
        (S::Queued, K::BackupClaimed) => Some(S::Claimed),
        (S::Claimed, K::BackupRunning) => Some(S::Running),
        (S::Running, K::BackupFinalizing) => Some(S::Finalizing),
        (S::Claimed, K::BackupFinalizing) if closed => Some(S::Finalizing),
        (S::Finalizing, K::BackupCompleted) | (S::Kept, K::RetentionRefused) => Some(S::Kept),
        // Handed back, or another attempt after one that failed.
        (S::Claimed | S::Running | S::Finalizing | S::Failed, K::BackupQueued) => Some(S::Queued),
        (S::Claimed | S::Running | S::Finalizing, K::BackupFailed) => Some(S::Failed),
        (S::Queued | S::Failed, K::BackupFailed) => Some(S::FailedForGood),
        (S::Queued | S::Claimed | S::Running, K::BackupCancelled)
        | (S::Failed | S::FailedForGood, K::BackupDismissed)
        | (S::Expiring | S::Refused, K::RetentionDeleted) => Some(S::Over),
        (S::Kept | S::Refused, K::RetentionExpiring) => Some(S::Expiring),
        (S::Expiring | S::Refused, K::RetentionRefused) => Some(S::Refused),
        _ => None,
    }
}

fn restore(stage: RestoreStage, kind: EventKind) -> Option<RestoreStage> {
    use EventKind as K;
    match (stage, kind) {
        // Whoever presents a token that is refused may do so at any time.
        (stage, K::RestoreTokenRejected) => Some(stage),
        (RestoreStage::At(0), K::RestoreFailed | K::RestoreCancelled) | (RestoreStage::Over, _) => None,
        (RestoreStage::At(_), K::RestoreFailed | K::RestoreCancelled | K::RestoreTimedOut) => Some(RestoreStage::Over),
        (RestoreStage::At(behind), kind) if REACHED.get(behind) == Some(&kind) => {
            let over = behind + 1 == REACHED.len();
            Some(if over { RestoreStage::Over } else { RestoreStage::At(behind + 1) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
