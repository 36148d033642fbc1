//! Preflights: run when somebody asks or when they are due, and recorded together with their audit event.

mod verdict;

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::DestinationLook;
use walwarden_contract::model::{DestinationState, PreflightReport, PreflightSummary};
use walwarden_contract::{ApiKeyId, Timestamp};

pub use self::verdict::refusal;
use self::verdict::{event_of, next_run};
use super::state::destination as transition;
use crate::engine::preflight::{self, Look};
use crate::engine::storage::{Bucket, StorageError};
use crate::secrets::{Keyring, SealError};
use crate::store::destinations::{Destination, Verification, lock, save_verification, take_due};
use crate::store::{Result, Store, StoreError, audit};
use crate::system::{System, after};

/// For how long a run under way keeps others off. Every request of a run is given up after seconds, so that one that takes
/// longer than this has died.
pub const RUN_MILLIS: i64 = 600_000;

/// Why a destination was not looked at. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// Its credentials cannot be opened.
    #[error("the destination's stored credentials cannot be opened: {0}")]
    Sealed(#[from] SealError),
    /// Its settings cannot be honoured.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store failed, or the destination is gone.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was found, and what that makes of the destination.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The report.
    pub report: PreflightReport,
    /// The destination as it is now.
    pub destination: Destination,
}

/// Takes the destination that is longest overdue. A process that dies with it leaves it due again later.
///
/// # Errors
/// When the store fails.
pub async fn claim(store: &Store, system: &System) -> Result<Option<Destination>> {
    let now = system.now();
    if !store.has_due_preflight(now).await? {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    let taken = take_due(&mut tx, now, after(now, RUN_MILLIS)).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Looks at what a destination is to become. Nothing is recorded but the probes that a lock holds in its bucket.
///
/// # Errors
/// [`LookError`].
pub async fn try_out(
    store: &Store,
    system: &System,
    keyring: &Keyring,
    before: &Destination,
    candidate: &Destination,
) -> Result<PreflightReport, LookError> {
    let look = run(system, keyring, candidate).await?;
    if before.bucket == candidate.bucket && before.endpoint == candidate.endpoint {
        let mut tx = store.begin().await?;
        let mut now = lock(&mut tx, before.org_id, before.id).await?;
        let (earlier, left) = (&before.verification.left, &mut now.verification.left);
        left.retain(|probe| look.left.contains(probe) || !earlier.contains(probe));
        let new: Vec<_> =
            look.left.into_iter().filter(|probe| !left.contains(probe) && !earlier.contains(probe)).collect();
        left.extend(new);
        save_verification(&mut tx, &now).await?;
        tx.commit().await?;
    }
    Ok(look.report)
}

async fn run(system: &System, keyring: &Keyring, destination: &Destination) -> Result<Look, LookError> {
    let access = keyring.open_access(destination)?;
    let bucket = Bucket::connect_impatiently(destination, &access)?;
    // Boxed: it holds the futures of a dozen kinds of requests.
    Ok(Box::pin(preflight::run(&bucket, system, destination)).await)
}

/// Looks at a destination, and records what was found.
///
/// # Errors
/// [`LookError`]. A bucket that refuses is no error: the report says so.
pub async fn look(
    store: &Store,
    system: &System,
    keyring: &Keyring,
    destination: &Destination,
    by: Option<ApiKeyId>,
) -> Result<Looked, LookError> {
    let look = run(system, keyring, destination).await?;
    crate::telemetry::preflighted(look.report.summary().failed.is_empty());
    let destination = record(store, system, destination, &look, by).await?;
    Ok(Looked { report: look.report, destination })
}

/// Records what was found about a destination, and answers it as it is then. What was found about an earlier state of it is
/// forgotten: another look is due.
///
/// # Errors
/// [`StoreError::Missing`], or when the store fails.
pub async fn record(
    store: &Store,
    system: &System,
    looked_at: &Destination,
    look: &Look,
    by: Option<ApiKeyId>,
) -> Result<Destination> {
    let now = system.now();
    let found = look.report.summary();
    let mut tx = store.begin().await?;
    let mut destination = lock(&mut tx, looked_at.org_id, looked_at.id).await?;
    if destination.verification.revision != looked_at.verification.revision || is_older(&found, &destination) {
        return Ok(destination);
    }
    let before = std::mem::replace(&mut destination.verification, Verification::due(now));
    let event = event_of(&found);
    let state = transition(before.state, event);
    let passed = found.failed.is_empty();
    let failures = if passed { 0 } else { before.failures.saturating_add(1) };
    let looked = DestinationLook {
        destination_id: destination.id,
        from: before.state,
        checked_at: found.checked_at,
        failed: found.failed.clone(),
        api_key_id: by,
    };
    let payload = match state {
        DestinationState::Verified if before.state != state => Some(Payload::DestinationVerified(looked)),
        DestinationState::Failed if before.state != state || !same_failures(&before, &found) => {
            Some(Payload::DestinationPreflightFailed(looked))
        }
        _ => None,
    };
    destination.verification = Verification {
        state,
        verified_at: if passed { Some(found.checked_at) } else { before.verified_at },
        preflight: Some(found),
        failures,
        next_run_at: next_run(system, now, failures),
        revision: before.revision,
        left: look.left.clone(),
    };
    save_verification(&mut tx, &destination).await?;
    if let Some(payload) = payload {
        let stream = destination.org_id.to_string();
        audit::append(&mut tx, destination.org_id, &stream, now, &payload).await?;
    }
    tx.commit().await?;
    Ok(destination)
}

/// Two looks can overlap: what counts is the later one.
fn is_older(found: &PreflightSummary, destination: &Destination) -> bool {
    destination.verification.preflight.as_ref().is_some_and(|recorded| recorded.checked_at > found.checked_at)
}

fn same_failures(before: &Verification, found: &PreflightSummary) -> bool {
    before.preflight.as_ref().is_some_and(|recorded| recorded.failed == found.failed)
}

/// When a destination is due that was just changed: at once, unless whoever changed it looks at it now.
#[must_use]
pub fn first_run(now: Timestamp, looked_at_by_caller: bool) -> Timestamp {
    if looked_at_by_caller { after(now, RUN_MILLIS) } else { now }
}
