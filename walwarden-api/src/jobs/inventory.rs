//! The inventory: holds schedules, audit chains, signed manifests and buckets against each other, both sides streamed in the
//! order of the keys.

mod backup;
mod findings;
mod keeping;
mod merging;
mod place;
mod runs;
mod strangers;
mod uploads;

use walwarden_contract::model::ReconciliationReport;
use walwarden_contract::{DatabaseId, DestinationId, OrgId};

use self::findings::{About, Findings};
pub use self::keeping::{keep, last_report};
use self::merging::unreadable_id;
use super::retention::{Keeper, Refusal, Stop};
use crate::store::looks::LookKind;
use crate::store::{Result, StoreError};
use crate::system::after;
use walwarden_contract::model::InventoryFindingCode as Code;

/// How long one look may take; another process begins it anew after that.
const LEASE_MILLIS: i64 = 6 * 3_600_000;
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

/// What came of a comparison.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The report.
    pub report: ReconciliationReport,
    /// Why a bucket could not be read, the first of them.
    pub unreadable: Option<Refusal>,
    /// What tells its findings from those of another comparison, those that are not listed included.
    identity: String,
}

/// Compares, and answers what was found. Nothing is written, neither here nor in a bucket.
///
/// # Errors
/// When the store fails. A bucket or a record that cannot be read is a finding.
pub async fn compare(keeper: &Keeper, org_id: OrgId, scope: Scope) -> Result<Compared> {
    let started_at = keeper.system.now();
    let mut findings = Findings::default();
    let mut unreadable = None;
    let mut last = String::new();
    loop {
        let page = keeper.store.destination_ids(org_id, &last, PAGE).await?;
        let Some(newest) = page.last() else { break };
        last.clone_from(newest);
        for text in page {
            let Ok(id) = text.parse::<DestinationId>() else {
                findings.add(Code::RecordDisagrees, About::default(), unreadable_id("a destination", &text));
                continue;
            };
            if scope.destination.is_some_and(|only| only != id) {
                continue;
            }
            let about = || About { destination_id: Some(id), ..About::default() };
            match of_destination(keeper, org_id, id, scope, &mut findings).await {
                Ok(()) => {}
                Err(Stop::Store(StoreError::Corrupt(what))) => unread(&mut findings, about(), what),
                Err(Stop::Store(error)) => return Err(error),
                Err(Stop::Bucket(refusal)) => {
                    findings.add(Code::BucketUnreadable, about(), refusal.to_string());
                    unreadable = unreadable.or(Some(refusal));
                }
            }
        }
    }
    if scope.destination.is_none() {
        match runs::compare(keeper, org_id, scope.database, &mut findings).await {
            Err(StoreError::Corrupt(what)) => unread(&mut findings, About::default(), what),
            compared => compared?,
        }
    }
    if scope.is_whole() {
        chains(keeper, org_id, &mut findings).await?;
    }
    let identity = findings.identity();
    let report = findings.report(started_at, keeper.system.now(), scope.deep, unreadable.is_some());
    Ok(Compared { report, unreadable, identity })
}

async fn of_destination(
    keeper: &Keeper,
    org_id: OrgId,
    id: DestinationId,
    scope: Scope,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let bucket = keeper.bucket(org_id, id).await?.map_err(Stop::Bucket)?;
    merging::compare(keeper, org_id, id, &bucket, scope, findings).await
}

/// A record that could not be read, where that kept what comes after it from being compared.
fn unread(findings: &mut Findings, about: About, what: &str) {
    let evidence = format!("A record holds an unreadable {what}, so that not everything was compared.");
    findings.add(Code::RecordDisagrees, about, evidence);
}

/// Chains of backups that have no record any more.
async fn chains(keeper: &Keeper, org_id: OrgId, findings: &mut Findings) -> Result<()> {
    let mut last: Option<String> = None;
    loop {
        let page = keeper.store.chains_without_job(org_id, last.as_deref(), PAGE).await?;
        let Some(newest) = page.last() else { return Ok(()) };
        last = Some(newest.clone());
        for text in page {
            let (about, evidence) = match text.parse() {
                Ok(id) => {
                    let about = About { backup_job_id: Some(id), ..About::default() };
                    (about, "The audit chain of this backup has no record.".to_owned())
                }
                Err(_) => (About::default(), unreadable_id("an audit chain", &text)),
            };
            findings.add(Code::RecordDisagrees, about, evidence);
        }
    }
}

/// Compares everything of one organization, if that is due, and keeps what was found.
///
/// # Errors
/// When the store fails. Then the report before this is taken back, as far as the store can be written to.
pub async fn look(keeper: &Keeper, every_millis: i64) -> Result<Option<ReconciliationReport>> {
    let now = keeper.system.now();
    let lease = after(now, LEASE_MILLIS);
    let Some(due) = keeper.store.take_due_look(LookKind::Inventory, now, lease).await? else { return Ok(None) };
    let compared = match compare(keeper, due.org_id, Scope::default()).await {
        Ok(compared) => compared,
        Err(error) => {
            if let Err(error) = keeping::doubt(keeper, due.org_id).await {
                tracing::error!(org_id = %due.org_id, %error, "cannot take the last inventory report back");
            }
            return Err(error);
        }
    };
    let new = keep(keeper, due.org_id, &compared, every_millis).await?;
    let report = compared.report;
    if report.finding_count > 0 {
        let (findings, critical) = (report.finding_count, report.critical_count);
        tracing::error!(org_id = %due.org_id, findings, critical, new, "the inventory does not agree");
    }
    Ok(Some(report))
}
