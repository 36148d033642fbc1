//! The last report about everything: kept, compared with the one before, and taken back when nothing newer is known for too long.

use serde::{Deserialize, Serialize};
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{InventoryFindings, NewFinding};
use walwarden_contract::model::{InventoryFinding, ReconciliationReport, ReconciliationResult};
use walwarden_contract::{OrgId, Timestamp};

use super::{Compared, LEASE_MILLIS};
use crate::jobs::retention::Keeper;
use crate::store::looks::{self, LookKind};
use crate::store::{Result, Store, StoreError, audit};
use crate::system::after;

/// How many findings an audit event names.
const NAMED: usize = 20;
/// When a comparison that the store broke off is begun anew.
const AGAIN_MILLIS: i64 = 3_600_000;

/// A report as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    #[serde(flatten)]
    report: ReconciliationReport,
    /// [`Compared::identity`]; empty in older records.
    #[serde(default)]
    identity: String,
    /// How long after it the next is due; `None` in older records.
    #[serde(default)]
    every_millis: Option<i64>,
    /// Whether the organization's chain has refused the event of its findings.
    #[serde(default)]
    unraised: bool,
}

async fn kept(store: &Store, org_id: OrgId) -> Result<Option<Kept>> {
    let text = store.look_result(LookKind::Inventory, org_id).await?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("inventory report"))).transpose()
}

/// What tells one finding from another, between two reports.
fn same(one: &InventoryFinding, other: &InventoryFinding) -> bool {
    let of =
        |it: &InventoryFinding| (it.code.clone(), it.database_id, it.destination_id, it.backup_job_id, it.key.clone());
    of(one) == of(other)
}

/// How many findings are new, and the event that says so. Those that are not listed cannot be told apart: when any of them all
/// changed, that is worth an event too.
fn news(before: Option<&Kept>, compared: &Compared) -> Option<InventoryFindings> {
    let report = &compared.report;
    let known = before.map_or(&[][..], |kept| &kept.report.findings);
    let new: Vec<_> = report.findings.iter().filter(|finding| !known.iter().any(|it| same(it, finding))).collect();
    let unlisted = report.finding_count.saturating_sub(report.findings.len() as u64);
    let changed = unlisted > 0 && before.is_none_or(|kept| kept.identity != compared.identity);
    if new.is_empty() && !changed {
        return None;
    }
    let more = report.finding_count.saturating_sub(before.map_or(0, |kept| kept.report.finding_count));
    let count = more.max(new.len() as u64);
    let named = new.iter().take(NAMED).map(|finding| NewFinding {
        code: finding.code.clone(),
        backup_job_id: finding.backup_job_id,
        key: finding.key.clone(),
    });
    Some(InventoryFindings {
        new_findings: count,
        finding_count: report.finding_count,
        unlisted_findings: Some(unlisted),
        findings: named.collect(),
    })
}

/// Keeps a whole report, with an event in the organization's chain when it holds what the one before it did not; answers how much
/// that is. The next look is due `every_millis` later.
///
/// # Errors
/// When the store fails.
pub async fn keep(keeper: &Keeper, org_id: OrgId, compared: &Compared, every_millis: i64) -> Result<u64> {
    let before = match kept(&keeper.store, org_id).await {
        Err(StoreError::Corrupt(_)) => None,
        read => read?,
    };
    let news = news(before.as_ref().filter(|kept| !kept.unraised), compared);
    let count = news.as_ref().map_or(0, |news| news.new_findings);
    let mut kept = Kept {
        report: compared.report.clone(),
        identity: compared.identity.clone(),
        every_millis: Some(every_millis),
        unraised: false,
    };
    if let Some(news) = news {
        let event = Payload::InventoryFindingDetected(news);
        let Err(error) = end(keeper, org_id, &kept, every_millis, Some(&event)).await else { return Ok(count) };
        // The report stands without its event, which the next one appends: the chain may be what is broken.
        tracing::error!(%org_id, %error, "the organization's chain does not take the event of the inventory's findings");
        kept.unraised = true;
    }
    end(keeper, org_id, &kept, every_millis, None).await?;
    Ok(count)
}

async fn end(keeper: &Keeper, org_id: OrgId, kept: &Kept, again_millis: i64, event: Option<&Payload>) -> Result<()> {
    let now = keeper.system.now();
    let mut tx = keeper.store.begin().await?;
    if let Some(payload) = event {
        audit::append(&mut tx, org_id, &org_id.to_string(), now, payload).await?;
    }
    let text = serde_json::to_string(kept).unwrap_or_default();
    looks::end(&mut tx, LookKind::Inventory, org_id, &text, after(now, again_millis)).await?;
    tx.commit().await
}

/// Leaves nothing of a report standing that says all is well.
fn take_back(report: &mut ReconciliationReport) {
    if report.result != ReconciliationResult::Failed {
        report.result = ReconciliationResult::Incomplete.into();
    }
}

/// Takes the last report back, since the comparison after it was broken off, and has the next begin soon.
///
/// # Errors
/// When the store fails.
pub(super) async fn doubt(keeper: &Keeper, org_id: OrgId) -> Result<()> {
    let Some(mut kept) = kept(&keeper.store, org_id).await? else { return Ok(()) };
    take_back(&mut kept.report);
    end(keeper, org_id, &kept, AGAIN_MILLIS, None).await
}

/// The last whole report, if there is one. It is `incomplete` once the one after it is long overdue: `usual_millis` is how often
/// there is one, where the report does not say so.
///
/// # Errors
/// When the store fails.
pub async fn last_report(
    store: &Store,
    org_id: OrgId,
    now: Timestamp,
    usual_millis: i64,
) -> Result<Option<ReconciliationReport>> {
    let Some(mut kept) = kept(store, org_id).await? else { return Ok(None) };
    let every_millis = kept.every_millis.unwrap_or(usual_millis);
    let allowed = every_millis.saturating_mul(2).saturating_add(LEASE_MILLIS);
    if after(kept.report.finished_at, allowed) < now {
        take_back(&mut kept.report);
    }
    Ok(Some(kept.report))
}

#[cfg(test)]
mod tests {
    use walwarden_contract::model::InventoryFindingCode as Code;

    use super::super::findings::{About, Findings};
    use super::*;

    fn compared(keys: &[String]) -> Compared {
        let mut findings = Findings::default();
        for key in keys {
            let about = About { key: Some(key.clone()), ..About::default() };
            findings.add(Code::MissingArtifact, about, String::new());
        }
        let (identity, at) = (findings.identity(), Timestamp::from_millis(0).expect("in range"));
        Compared { report: findings.report(at, at, false, false), unreadable: None, identity }
    }

    fn kept(keys: &[String]) -> Kept {
        let Compared { report, identity, .. } = compared(keys);
        Kept { report, identity, every_millis: None, unraised: false }
    }

    #[test]
    fn a_new_finding_is_an_event_although_it_is_not_listed() {
        let mut keys: Vec<_> = (0..500).map(|index| index.to_string()).collect();
        let before = kept(&keys);
        assert_eq!(news(Some(&before), &compared(&keys)), None, "nothing is new");
        keys.push("one more".to_owned());
        assert_eq!(news(Some(&before), &compared(&keys)).map(|news| news.new_findings), Some(1));
        // As many as before, and not the same.
        keys.swap_remove(400);
        let event = news(Some(&before), &compared(&keys)).expect("an event");
        assert!(event.unlisted_findings.is_some_and(|unlisted| unlisted > 0), "{event:?}");
        assert_eq!(news(None, &compared(&keys)).map(|news| news.new_findings), Some(500));
    }

    #[test]
    fn a_report_of_an_earlier_version_is_read() {
        let text = serde_json::to_string(&compared(&[]).report).expect("is JSON");
        let kept: Kept = serde_json::from_str(&text).expect("reads");
        assert!(kept.identity.is_empty() && !kept.unraised && kept.every_millis.is_none());
    }
}
