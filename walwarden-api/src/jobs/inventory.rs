//! The inventory: holds schedules, audit chains, signed manifests and buckets against each other, both sides streamed in the
//! order of the keys.

mod backup;
mod findings;
mod merging;
mod place;
mod runs;
mod strangers;
mod uploads;

use serde_json::json;
use walwarden_contract::audit::EventKind;
use walwarden_contract::model::{InventoryFinding, ReconciliationReport};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId};

use self::findings::{About, Findings};
use super::retention::{Keeper, Refusal};
use crate::engine::storage::StorageError;
use crate::store::looks::{self, LookKind};
use crate::store::{Result, StoreError, audit};
use crate::system::after;
use walwarden_contract::model::InventoryFindingCode as Code;

/// How long one look may take; another process begins it anew after that.
const LEASE_MILLIS: i64 = 6 * 3_600_000;
/// How many findings an audit event names.
const NAMED: usize = 20;
const PAGE: u32 = 100;

/// What is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only backups of this database.
    pub database: Option<DatabaseId>,
    /// Only backups in this destination.
    pub destination: Option<DestinationId>,
    /// Whether to read and hash every artifact.
    pub deep: bool,
}

impl Scope {
    /// Whether it leaves nothing out.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.database.is_none() && self.destination.is_none()
    }
}

/// Why a comparison ended early.
enum Stop {
    Bucket(Refusal),
    Store(StoreError),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Bucket(error.into())
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Compares, and answers what was found. Nothing is written, neither here nor in a bucket.
///
/// # Errors
/// When the store fails. A bucket that cannot be read is a finding.
pub async fn compare(keeper: &Keeper, org_id: OrgId, scope: Scope) -> Result<(ReconciliationReport, Option<Refusal>)> {
    let started_at = keeper.system.now();
    let mut findings = Findings::default();
    let mut unreadable = None;
    let mut last = None;
    loop {
        let page = keeper.store.destination_page(org_id, last, PAGE).await?;
        let Some(newest) = page.last() else { break };
        last = Some(newest.id);
        for destination in page.into_iter().filter(|it| scope.destination.is_none_or(|only| only == it.id)) {
            let compared = match keeper.bucket(org_id, destination.id).await? {
                Ok(bucket) => merging::compare(keeper, org_id, destination.id, &bucket, scope, &mut findings).await,
                Err(refusal) => Err(Stop::Bucket(refusal)),
            };
            match compared {
                Ok(()) => {}
                Err(Stop::Store(error)) => return Err(error),
                Err(Stop::Bucket(refusal)) => {
                    let about = About { destination_id: Some(destination.id), ..About::default() };
                    findings.add(Code::BucketUnreadable, about, refusal.to_string());
                    unreadable = unreadable.or(Some(refusal));
                }
            }
        }
    }
    if scope.destination.is_none() {
        runs::compare(keeper, org_id, scope.database, &mut findings).await?;
    }
    if scope.is_whole() {
        chains(keeper, org_id, &mut findings).await?;
    }
    let report = findings.report(started_at, keeper.system.now(), scope.deep, unreadable.is_some());
    Ok((report, unreadable))
}

/// Chains of backups that have no record any more.
async fn chains(keeper: &Keeper, org_id: OrgId, findings: &mut Findings) -> Result<()> {
    let mut last: Option<BackupJobId> = None;
    loop {
        let page = keeper.store.chains_without_job(org_id, last, PAGE).await?;
        let Some(newest) = page.last() else { return Ok(()) };
        last = Some(*newest);
        for id in page {
            let about = About { backup_job_id: Some(id), ..About::default() };
            findings.add(Code::RecordDisagrees, about, "The audit chain of this backup has no record.".to_owned());
        }
    }
}

/// What tells one finding from another, between two reports.
fn same(one: &InventoryFinding, other: &InventoryFinding) -> bool {
    let of =
        |it: &InventoryFinding| (it.code.clone(), it.database_id, it.destination_id, it.backup_job_id, it.key.clone());
    of(one) == of(other)
}

/// Keeps a whole report, with an event in the organization's chain when it holds what the one before it did not. The next look is
/// due `every_millis` later.
///
/// # Errors
/// When the store fails.
pub async fn keep(keeper: &Keeper, org_id: OrgId, report: &ReconciliationReport, every_millis: i64) -> Result<usize> {
    let before = last_report(keeper, org_id).await?;
    let known = before.map(|report| report.findings).unwrap_or_default();
    let new: Vec<_> = report.findings.iter().filter(|finding| !known.iter().any(|it| same(it, finding))).collect();
    let now = keeper.system.now();
    let mut tx = keeper.store.begin().await?;
    if !new.is_empty() {
        let named = new
            .iter()
            .take(NAMED)
            .map(|finding| json!({ "code": finding.code, "backupJobId": finding.backup_job_id, "key": finding.key }));
        let named: Vec<_> = named.collect();
        let payload = json!({ "newFindings": new.len(), "findingCount": report.finding_count, "findings": named });
        audit::append(&mut tx, org_id, &org_id.to_string(), now, EventKind::InventoryFindingDetected, &payload).await?;
    }
    let text = serde_json::to_string(report).unwrap_or_default();
    looks::end(&mut tx, LookKind::Inventory, org_id, &text, after(now, every_millis)).await?;
    tx.commit().await?;
    Ok(new.len())
}

/// The last whole report, if there is one.
///
/// # Errors
/// When the store fails.
pub async fn last_report(keeper: &Keeper, org_id: OrgId) -> Result<Option<ReconciliationReport>> {
    let text = keeper.store.look_result(LookKind::Inventory, org_id).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Compares everything of one organization, if that is due, and keeps what was found.
///
/// # Errors
/// When the store fails.
pub async fn look(keeper: &Keeper, every_millis: i64) -> Result<Option<ReconciliationReport>> {
    let now = keeper.system.now();
    let lease = after(now, LEASE_MILLIS);
    let Some(due) = keeper.store.take_due_look(LookKind::Inventory, now, lease).await? else { return Ok(None) };
    let (report, _) = compare(keeper, due.org_id, Scope::default()).await?;
    let new = keep(keeper, due.org_id, &report, every_millis).await?;
    if report.finding_count > 0 {
        let (findings, critical) = (report.finding_count, report.critical_count);
        tracing::error!(org_id = %due.org_id, findings, critical, new, "the inventory does not agree");
    }
    Ok(Some(report))
}
