//! What a look at a destination means: for its state, for when it is looked at next, and for backups that are to go there.

use walwarden_contract::Timestamp;
use walwarden_contract::model::{DestinationState, PreflightSummary};

use crate::jobs::state::DestinationEvent;
use crate::store::destinations::Destination;
use crate::system::{System, after};

const MINUTE_MILLIS: i64 = 60_000;
/// How long a look that passed is good for.
const DAY_MILLIS: i64 = 24 * 60 * MINUTE_MILLIS;
/// The longest wait after a look that did not pass.
const MAX_WAIT_MILLIS: i64 = 60 * MINUTE_MILLIS;

/// A refusal that may pass by itself says nothing about the destination; any other does.
pub(super) fn event_of(found: &PreflightSummary) -> DestinationEvent {
    let passes_by_itself = |code: walwarden_contract::ErrorCode| code.retryable();
    if found.failed.is_empty() {
        DestinationEvent::Pass
    } else if found.failed.iter().all(|check| check.code.is(passes_by_itself)) {
        DestinationEvent::Miss
    } else {
        DestinationEvent::Fail
    }
}

/// The next look: in a day, or after a wait that doubles; never at the very same time for all.
pub(super) fn next_run(system: &System, now: Timestamp, failures: u32) -> Timestamp {
    let wait = match failures {
        0 => DAY_MILLIS,
        failures => MINUTE_MILLIS.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(MAX_WAIT_MILLIS),
    };
    let random = i64::from(u32::from_le_bytes(system.random()));
    // Up to an eighth earlier: what was due daily stays daily.
    after(now, wait - (wait / 8) * random / i64::from(u32::MAX))
}

/// Why a destination takes no backups; `None` when it does.
#[must_use]
pub fn refusal(destination: &Destination) -> Option<String> {
    let Destination { id, name, verification, .. } = destination;
    let failed = verification.preflight.iter().flat_map(|preflight| &preflight.failed);
    let failed: Vec<_> = failed.map(|check| format!("{} ({})", check.id, check.code)).collect();
    let why = match verification.state {
        DestinationState::Verified => return None,
        DestinationState::Unverified if failed.is_empty() => "has not been looked at since its last change".to_owned(),
        DestinationState::Unverified => format!("could not be verified: {}", failed.join(", ")),
        DestinationState::Failed => format!("failed its preflight: {}", failed.join(", ")),
    };
    Some(format!(
        "The destination {name} {why}. Nothing was written. Run `walwarden-api admin destination preflight {id}`."
    ))
}

#[cfg(test)]
mod tests {
    use walwarden_contract::ErrorCode as E;
    use walwarden_contract::model::{FailedCheck, PreflightCheckId};

    use super::*;
    use crate::system::tests::manual;

    fn found(codes: &[E]) -> PreflightSummary {
        let check = |code: &E| FailedCheck { id: PreflightCheckId::Bucket.into(), code: (*code).into() };
        PreflightSummary { checked_at: manual().0.now(), failed: codes.iter().map(check).collect() }
    }

    #[test]
    fn only_what_will_not_pass_by_itself_fails_a_destination() {
        assert_eq!(event_of(&found(&[])), DestinationEvent::Pass);
        for code in [E::DestinationUnreachable, E::DestinationThrottled, E::UploadFailed] {
            assert_eq!(event_of(&found(&[code])), DestinationEvent::Miss, "{code}");
            assert_eq!(event_of(&found(&[code, E::DestinationAccessDenied])), DestinationEvent::Fail, "{code}");
        }
        for code in [E::DestinationBucketMissing, E::DestinationLockRefused, E::DestinationNotReady] {
            assert_eq!(event_of(&found(&[code])), DestinationEvent::Fail, "{code}");
        }
    }

    #[test]
    fn looks_follow_in_a_day_or_after_a_wait_that_doubles_and_ends() {
        let (system, _) = manual();
        let now = system.now();
        let wait = |failures| next_run(&system, now, failures).as_millis() - now.as_millis();
        for (failures, longest) in [(0, DAY_MILLIS), (1, MINUTE_MILLIS), (3, 4 * MINUTE_MILLIS), (90, MAX_WAIT_MILLIS)]
        {
            let wait = wait(failures);
            assert!((longest * 7 / 8..=longest).contains(&wait), "{failures}: {wait}");
        }
    }
}
