//! Looks at every audit chain again and again, on its own: an edited, cut or missing chain is found without anybody asking.

mod agreement;
mod chain;

use serde::{Deserialize, Serialize};
use walwarden_contract::{OrgId, StreamId, Timestamp};

pub use self::agreement::disagreement;
pub use self::chain::{Stop, Walk};
use super::retention::Keeper;
use crate::store::looks::{self, LookKind};
use crate::store::{Result, StoreError};
use crate::system::after;

/// How many chains are checked between two marks.
const PAGE: u32 = 100;
/// How long one page may take; another process takes the look over after that.
const LEASE_MILLIS: i64 = 600_000;

/// How far a look at an organization's chains is, and in the end what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditLook {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub finished_at: Option<Timestamp>,
    /// The chain that was checked last.
    after: Option<StreamId>,
    /// How many chains were checked.
    pub streams: u64,
    /// How many of them do not hold.
    pub broken: u64,
}

/// Looks at the chains of one organization, if that is due, and answers what was found. The next look is due `every_millis` later.
///
/// # Errors
/// When the store fails; then the look goes on from its last mark.
pub async fn look(keeper: &Keeper, every_millis: i64) -> Result<Option<AuditLook>> {
    let Keeper { store, system, .. } = keeper;
    let lease = || after(system.now(), LEASE_MILLIS);
    let Some(due) = store.take_due_look(LookKind::Audit, system.now(), lease()).await? else { return Ok(None) };
    let earlier = due.progress.and_then(|text| serde_json::from_str(&text).ok());
    let begun = || AuditLook { started_at: system.now(), finished_at: None, after: None, streams: 0, broken: 0 };
    let mut look = earlier.unwrap_or_else(begun);
    loop {
        let heads = match store.audit_streams(due.org_id, look.after, PAGE).await {
            // One unreadable id must not hide every other chain.
            Err(StoreError::Corrupt(what)) => {
                tracing::error!(org_id = %due.org_id, "the list of audit chains holds an unreadable {what}");
                break;
            }
            read => read?,
        };
        let Some(last) = heads.last().map(|head| head.stream_id) else { break };
        let noted = store.count_anomalies(Some(due.org_id)).await? > 0;
        for head in heads {
            let failure = check(keeper, due.org_id, head.stream_id).await?;
            look.streams += 1;
            if failure.is_some() || noted {
                look.broken += u64::from(settle(keeper, due.org_id, head.stream_id, failure).await?);
            }
        }
        look.after = Some(last);
        store.keep_look(LookKind::Audit, due.org_id, &text(&look), lease()).await?;
    }
    let mut after_id = None;
    loop {
        let missing = store.without_chain(due.org_id, after_id, PAGE).await?;
        let Some(last) = missing.last() else { break };
        after_id = Some(*last);
        for id in missing {
            let failure = Some("The chain is missing, with every event of it.".to_owned());
            look.broken += u64::from(settle(keeper, due.org_id, id, failure).await?);
        }
    }
    look.finished_at = Some(system.now());
    let mut tx = store.begin().await?;
    looks::end(&mut tx, LookKind::Audit, due.org_id, &text(&look), after(system.now(), every_millis)).await?;
    tx.commit().await?;
    Ok(Some(look))
}

fn text(look: &AuditLook) -> String {
    serde_json::to_string(look).unwrap_or_default()
}

/// Where a chain breaks, or what its end does not agree with.
async fn check(keeper: &Keeper, org_id: OrgId, id: StreamId) -> Result<Option<String>> {
    match Walk::default().run(&keeper.store, org_id, id).await {
        Err(Stop::Broken(failure)) => return Ok(Some(failure)),
        Err(Stop::Store(error)) => return Err(error),
        Ok(()) => {}
    }
    match id {
        StreamId::Backup(id) => disagreement(&keeper.store, &keeper.keyring, org_id, id).await,
        _ => Ok(None),
    }
}

/// Notes what was found of a chain, once, and answers whether it is broken.
async fn settle(keeper: &Keeper, org_id: OrgId, id: StreamId, failure: Option<String>) -> Result<bool> {
    let Some(failure) = failure else {
        if keeper.store.clear_anomaly(id).await? {
            tracing::warn!(%org_id, stream_id = %id, "an audit chain that did not hold does so again");
        }
        return Ok(false);
    };
    tracing::error!(%org_id, stream_id = %id, %failure, "an audit chain does not hold");
    keeper.store.note_anomaly(org_id, id, &failure, keeper.system.now()).await?;
    Ok(true)
}
