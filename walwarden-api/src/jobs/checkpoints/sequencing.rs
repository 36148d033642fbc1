//! Takes the events that wait into their organization's log, a few hundred in one transaction. What was altered before it came into
//! the log is an anomaly, and no leaf.

use walwarden_contract::audit::{AuditEvent, FIRST_PREV_HASH};
use walwarden_contract::log::Leaf;
use walwarden_contract::{OrgId, StreamId};

use crate::jobs::integrity::{Walk, settle};
use crate::jobs::retention::Keeper;
use crate::store::audit::LOGGED_WITHIN_MILLIS;
use crate::store::log::{self, Waiting};
use crate::store::{Result, StoreError, Tx};
use crate::system::after;

/// How many events one transaction takes.
const EVENTS: u32 = 300;
/// How many chains it looks at.
const CHAINS: u32 = 100;
/// How much longer a chain waits that cannot be taken as it is.
const AGAIN_MILLIS: i64 = 3_600_000;

/// What one transaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sequenced {
    /// How many events are new in the log.
    pub leaves: usize,
    /// Whether there may be more.
    pub more: bool,
}

/// What was found of one chain.
#[derive(Default)]
struct Taken {
    leaves: Vec<Leaf>,
    failure: Option<String>,
}

/// Takes what waits into the log of one organization, once.
///
/// # Errors
/// When the store fails, or the log cannot be used.
pub async fn sequence(keeper: &Keeper, org_id: OrgId) -> Result<Sequenced> {
    let now = keeper.system.now();
    // What waits has at most that long. Chains that cannot be taken wait longer, and are left out until they are due again.
    let horizon = after(now, LOGGED_WITHIN_MILLIS);
    let mut tx = keeper.store.begin().await?;
    let Some(mut log) = log::take(&mut tx, org_id).await? else { return Ok(Sequenced::default()) };
    let waiting = log::waiting(&mut tx, org_id, horizon, CHAINS).await?;
    let (mut leaves, mut failures) = (Vec::new(), Vec::new());
    let mut more = waiting.len() == CHAINS as usize;
    for stream_id in waiting {
        let room = EVENTS.saturating_sub(u32::try_from(leaves.len()).unwrap_or(u32::MAX));
        if room == 0 {
            more = true;
            break;
        }
        let taken = take(&mut tx, org_id, &stream_id, room).await?;
        if let Some(last) = taken.leaves.last() {
            log::logged(&mut tx, &stream_id, last.seq).await?;
        }
        more |= taken.leaves.len() == room as usize;
        leaves.extend(taken.leaves);
        if let Some(failure) = taken.failure {
            log::postpone(&mut tx, &stream_id, after(horizon, AGAIN_MILLIS)).await?;
            failures.push((stream_id, failure));
        }
    }
    if !leaves.is_empty() {
        log::append(&mut tx, &mut log, &leaves, now).await?;
    }
    tx.commit().await?;
    for (stream_id, failure) in failures {
        // What is no id counts against the organization's own chain.
        let id = stream_id.parse().unwrap_or(StreamId::Organization(org_id));
        settle(keeper, org_id, id, Some(failure)).await?;
    }
    Ok(Sequenced { leaves: leaves.len(), more })
}

/// Reads the next events of a chain, and checks that they follow from what is in the log.
async fn take(tx: &mut Tx, org_id: OrgId, stream_id: &str, room: u32) -> Result<Taken> {
    let broken = |failure: String| Ok(Taken { leaves: Vec::new(), failure: Some(failure) });
    if stream_id.parse::<StreamId>().is_err() {
        return broken("The list of the organization's chains holds one that has no id.".to_owned());
    }
    match read(tx, org_id, stream_id, room).await {
        Err(StoreError::Corrupt(what)) => broken(format!("The chain holds an unreadable {what}.")),
        Err(error) => Err(error),
        Ok((_, None, _)) => broken("The log has no leaf of the event that was logged last.".to_owned()),
        Ok((waiting, Some(head), events)) => Ok(check(&waiting, head, events, room)),
    }
}

async fn read(
    tx: &mut Tx,
    org_id: OrgId,
    stream_id: &str,
    room: u32,
) -> Result<(Waiting, Option<String>, Vec<AuditEvent>)> {
    let waiting = log::recorded(tx, stream_id.to_owned()).await?;
    let head = match waiting.logged {
        0 => Some(FIRST_PREV_HASH.to_owned()),
        _ => log::hash_of_last(tx, org_id, &waiting).await?,
    };
    let events = log::events(tx, org_id, &waiting, room).await?;
    Ok((waiting, head, events))
}

fn check(waiting: &Waiting, head: String, events: Vec<AuditEvent>, room: u32) -> Taken {
    let whole = events.len() < room as usize;
    let (mut walk, mut taken) = (Walk { events: waiting.logged, head }, Taken::default());
    for event in events {
        let leaf = Leaf::from(&event);
        if let Err(error) = walk.step(event) {
            taken.failure = Some(format!("The chain breaks: {error}."));
            return taken;
        }
        taken.leaves.push(leaf);
    }
    if walk.events > waiting.events {
        taken.failure = Some(format!("Event {} stands behind the recorded head.", waiting.events + 1));
    } else if walk.events < waiting.events && whole {
        taken.failure = Some(format!("Event {} and what follows it are missing.", walk.events + 1));
    } else if walk.events == waiting.events && walk.head != waiting.head {
        taken.failure = Some("The newest event is not the recorded head.".to_owned());
    } else {
        return taken;
    }
    // Which of them stood there before the chain was changed cannot be told.
    taken.leaves.clear();
    taken
}
