//! Looks at every audit chain, and the log over them, again and again, on its own: what was edited, cut or rewritten is found
//! without anybody asking.

mod agreement;
mod chain;
mod copies;
mod log;
mod settling;

use serde::{Deserialize, Serialize};
use walwarden_contract::model::DestinationState;
use walwarden_contract::{OrgId, StreamId, Timestamp};

pub use self::agreement::disagreement;
pub use self::chain::{Stop, Walk};
pub(super) use self::copies::is_checkpoint;
pub(super) use self::settling::settle;
use super::retention::Keeper;
use crate::store::anomalies::Subject;
use crate::store::looks::{self, LookKind};
use crate::store::{Result, StoreError};
use crate::system::after;

/// How many chains are checked between two marks.
const PAGE: u32 = 100;
/// How long one page may take; another process takes the look over after that.
const LEASE_MILLIS: i64 = 600_000;
/// How much of an id that is none is shown.
const SHOWN: usize = 80;

/// How far a look at an organization's chains is, and in the end what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditLook {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub finished_at: Option<Timestamp>,
    /// How long after its end the next is due; `None` in older records.
    #[serde(default)]
    pub every_millis: Option<i64>,
    /// The chain that was checked last, as its id stands in the store.
    after: Option<String>,
    /// How many chains were checked.
    pub streams: u64,
    /// How many of them do not hold.
    pub broken: u64,
    /// What could not be read, the first of it: it counts against the organization's own chain.
    #[serde(default)]
    unreadable: Option<String>,
}

impl AuditLook {
    fn begin(now: Timestamp) -> Self {
        Self {
            started_at: now,
            finished_at: None,
            every_millis: None,
            after: None,
            streams: 0,
            broken: 0,
            unreadable: None,
        }
    }

    fn cannot_read(&mut self, text: String) {
        self.unreadable.get_or_insert(text);
    }

    /// The id of a chain, if it is one.
    fn id(&mut self, text: &str) -> Option<StreamId> {
        let id = text.parse().ok();
        if id.is_none() {
            let shown: String = text.chars().take(SHOWN).collect();
            self.cannot_read(format!("The list of the organization's chains holds {shown:?}, which is no id."));
        }
        id
    }
}

/// When the next look has ended at the latest, unless something keeps looks from ending: it may be late by its whole interval, and
/// a look whose process died is taken up after a while.
#[must_use]
pub fn expected_by(last: Timestamp, every_millis: i64) -> Timestamp {
    after(last, every_millis.saturating_mul(2).saturating_add(LEASE_MILLIS))
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
    let mut look = earlier.unwrap_or_else(|| AuditLook::begin(system.now()));
    let own = StreamId::Organization(due.org_id);
    while let Some(ids) = page(&mut look, due.org_id, keeper).await? {
        let noted = store.count_anomalies(Some(due.org_id)).await? > 0;
        look.after = ids.last().cloned();
        for text in ids {
            look.streams += 1;
            // The organization's own chain comes last: it answers for what could not be read as well.
            let Some(id) = look.id(&text).filter(|id| *id != own) else { continue };
            let failure = check(keeper, due.org_id, id).await?;
            if failure.is_some() || noted {
                look.broken += u64::from(settle(keeper, due.org_id, id, failure).await?);
            }
        }
        store.keep_look(LookKind::Audit, due.org_id, &text(&look), lease()).await?;
    }
    missing(&mut look, due.org_id, keeper).await?;
    let failure = check(keeper, due.org_id, own).await?.or_else(|| look.unreadable.clone());
    look.broken += u64::from(settle(keeper, due.org_id, own, failure).await?);
    look.broken += of_log(keeper, due.org_id, &text(&look)).await?;
    (look.finished_at, look.every_millis) = (Some(system.now()), Some(every_millis));
    let mut tx = store.begin().await?;
    looks::end(&mut tx, LookKind::Audit, due.org_id, &text(&look), after(system.now(), every_millis)).await?;
    tx.commit().await?;
    Ok(Some(look))
}

/// Keeps a look in the hands of this process.
struct Beat<'a> {
    keeper: &'a Keeper,
    org_id: OrgId,
    progress: &'a str,
}

impl Beat<'_> {
    async fn keep(&self) -> Result<()> {
        let Keeper { store, system, .. } = self.keeper;
        store.keep_look(LookKind::Audit, self.org_id, self.progress, after(system.now(), LEASE_MILLIS)).await
    }
}

/// Looks at the log over all chains, and holds it against what the organization's buckets say of it. Answers how much does not hold.
async fn of_log(keeper: &Keeper, org_id: OrgId, progress: &str) -> Result<u64> {
    let store = &keeper.store;
    let beat = Beat { keeper, org_id, progress };
    let failure = log::failure(store, org_id, &beat).await?;
    let mut broken = u64::from(settle(keeper, org_id, Subject::Log(org_id), failure).await?);
    let mut last = None;
    loop {
        let page = store.destination_page(org_id, last, PAGE).await?;
        let Some(newest) = page.last() else { return Ok(broken) };
        last = Some(newest.id);
        for destination in page.iter().filter(|it| it.verification.state == DestinationState::Verified) {
            let failure = match copies::ask(keeper, org_id, destination).await? {
                copies::Said::Holds => None,
                copies::Said::Contradicts(failure) => Some(failure),
                copies::Said::Unreadable(refusal) => {
                    tracing::warn!(destination_id = %destination.id, "cannot read checkpoints back: {refusal}");
                    continue;
                }
            };
            broken += u64::from(settle(keeper, org_id, Subject::Copies(destination.id), failure).await?);
            beat.keep().await?;
        }
    }
}

/// The ids of the next chains; `None` behind the last.
async fn page(look: &mut AuditLook, org_id: OrgId, keeper: &Keeper) -> Result<Option<Vec<String>>> {
    let behind = look.after.as_deref().unwrap_or_default();
    match keeper.store.audit_stream_ids(org_id, behind, PAGE).await {
        Err(StoreError::Corrupt(what)) => {
            look.cannot_read(format!("The list of the organization's chains holds an unreadable {what}."));
            Ok(None)
        }
        read => Ok(Some(read?).filter(|ids| !ids.is_empty())),
    }
}

/// Looks at those who have to have a chain and have none.
async fn missing(look: &mut AuditLook, org_id: OrgId, keeper: &Keeper) -> Result<()> {
    let mut behind = String::new();
    loop {
        let ids = match keeper.store.without_chain(org_id, &behind, PAGE).await {
            Err(StoreError::Corrupt(what)) => {
                look.cannot_read(format!("The list of the organization's jobs holds an unreadable {what}."));
                return Ok(());
            }
            read => read?,
        };
        let Some(last) = ids.last() else { return Ok(()) };
        behind.clone_from(last);
        for text in ids {
            let Some(id) = look.id(&text).filter(|id| *id != StreamId::Organization(org_id)) else { continue };
            let failure = check(keeper, org_id, id).await?;
            look.broken += u64::from(settle(keeper, org_id, id, failure).await?);
        }
    }
}

fn text(look: &AuditLook) -> String {
    serde_json::to_string(look).unwrap_or_default()
}

/// Where a chain breaks, or what its end does not agree with.
async fn check(keeper: &Keeper, org_id: OrgId, id: StreamId) -> Result<Option<String>> {
    match Walk::default().run(&keeper.store, org_id, id).await {
        Err(Stop::Broken(failure)) => return Ok(Some(failure)),
        Err(Stop::Store(StoreError::Missing(_))) => {
            return Ok(Some("The chain is missing, with every event of it.".to_owned()));
        }
        Err(Stop::Store(error)) => return Err(error),
        Ok(()) => {}
    }
    let (recorded, found, whole) = keeper.store.logging(org_id, id).await?;
    if recorded != found {
        return Ok(Some(format!("{recorded} events of the chain are to be in the log, and {found} are.")));
    }
    if !whole {
        return Ok(Some("The newest events of the chain are kept out of the log.".to_owned()));
    }
    match id {
        StreamId::Backup(id) => disagreement(&keeper.store, &keeper.keyring, org_id, id).await,
        _ => Ok(None),
    }
}
