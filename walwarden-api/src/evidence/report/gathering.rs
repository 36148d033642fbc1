//! Reads what a report is made of from the store, a page at a time. Nothing is written.

use serde_json::Value;
use walwarden_contract::audit::{AuditEvent, EventKind};
use walwarden_contract::model::BackupState;
use walwarden_contract::{DatabaseId, OrgId, StreamId, Timestamp};

use super::cited::{exact, is_unaltered};
use super::document::{CheckpointShown, Checkpoints, Deletion, Document, Records};
use super::frameworks::Framework;
use super::history::{History, text};
use super::jobs;
use super::period::Period;
use super::schedule::Fate;
use super::tally::{About, Database, Tally};
use crate::jobs::integrity::{AuditLook, Walk};
use crate::jobs::inventory;
use crate::store::looks::LookKind;
use crate::store::reporting::Span;
use crate::store::{Result, Store, StoreError};

/// How many events are in memory at once.
const EVENTS: u32 = 500;
/// How many jobs: each with its manifest, which names every part of its artifact.
const JOBS: u32 = 25;
/// How often the inventory is compared, where its last report does not say so.
const USUAL_MILLIS: i64 = 86_400_000;

/// What a report is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The organization.
    pub org_id: OrgId,
    /// The framework whose controls it is arranged by.
    pub framework: Framework,
    /// The time that it is about.
    pub period: Period,
    /// The one database that it is about.
    pub database: Option<DatabaseId>,
}

/// Makes the report on a period.
///
/// # Errors
/// [`StoreError::Missing`] for an organization or a database that never was, or when the store fails.
pub async fn make(store: &Store, now: Timestamp, request: Request) -> Result<Document> {
    let Request { org_id, framework, period, database } = request;
    let organization = store.organization(org_id).await?;
    let about = About {
        org_id,
        organization_name: organization.name,
        only: database,
        period: period.clone(),
        framework,
        now,
        generated_by: format!("walwarden-api {}", env!("CARGO_PKG_VERSION")),
    };
    let mut reading =
        Reading { store, org_id, within: Span { from: period.from, to: period.to }, now, records: Records::default() };
    let mut history = reading.organization(History::new(period, database)).await?;
    if let Some(id) = database.filter(|id| !history.databases.contains_key(id)) {
        // It is there and was added after the period, or it was gone before: that is no mistake of who asks.
        if !history.known.contains(&id) {
            store.database(org_id, id).await?;
        }
    }
    let mut tally = Tally::new(about);
    reading.restores(database, &mut tally).await?;
    reading.retention(database, &mut tally).await?;
    for (id, of_database) in std::mem::take(&mut history.databases) {
        let mut database = tally.begin(id, of_database);
        reading.backups(id, &mut database, &mut tally).await?;
        tally.end(database);
    }
    reading.looks().await?;
    reading.checkpoints().await?;
    Ok(tally.finish(history, reading.records))
}

struct Reading<'a> {
    store: &'a Store,
    org_id: OrgId,
    within: Span,
    now: Timestamp,
    records: Records,
}

/// Whether a job's record says of its end what its chain says.
const fn agrees(state: BackupState, fate: Fate) -> bool {
    match state {
        BackupState::Completed => matches!(fate, Fate::Completed),
        BackupState::Cancelled => matches!(fate, Fate::Cancelled),
        BackupState::FailedTerminal => matches!(fate, Fate::Failed),
        _ => true,
    }
}

impl Reading<'_> {
    /// Reads the organization's own chain from its first event to its recorded head, and checks it on the way.
    async fn organization(&mut self, mut history: History) -> Result<History> {
        let stream = StreamId::Organization(self.org_id);
        let (mut walk, mut last) = (Walk::default(), 0);
        let recorded = loop {
            let before = last;
            loop {
                let events = self.store.audit_events(self.org_id, stream, last, EVENTS).await?;
                let Some(newest) = events.last() else { break };
                last = newest.seq;
                for event in events {
                    history.take(&event);
                    if self.records.organization_break.is_none()
                        && let Err(failure) = walk.step(event)
                    {
                        self.records.organization_break = Some(format!("{failure}."));
                    }
                }
            }
            // What was appended meanwhile is there by now; what is not was cut off.
            let recorded = self.store.audit_stream(self.org_id, stream).await?;
            if recorded.events <= last || last == before {
                break recorded;
            }
        };
        history.finish();
        if self.records.organization_break.is_none() && (recorded.events != last || recorded.head != walk.head) {
            self.records.organization_break = Some("the newest event is not the recorded head.".to_owned());
        }
        (self.records.organization_events, self.records.organization_head) = (walk.events, walk.head);
        Ok(history)
    }

    /// The telling events of these chains, in the same order; each is checked against its hash.
    async fn chains(&mut self, streams: &[String]) -> Result<Vec<Vec<AuditEvent>>> {
        let events = self.store.telling_events(self.org_id, streams).await?;
        self.records.altered_events += events.iter().filter(|event| !is_unaltered(event)).count() as u64;
        self.records.job_chains += streams.len() as u64;
        let mut chains: Vec<Vec<AuditEvent>> = streams.iter().map(|_| Vec::new()).collect();
        for event in events {
            if let Some(index) = streams.iter().position(|stream| *stream == event.job_id) {
                chains[index].push(event);
            }
        }
        Ok(chains)
    }

    async fn backups(&mut self, id: DatabaseId, database: &mut Database, tally: &mut Tally) -> Result<()> {
        let mut last = None;
        loop {
            let page = self.store.reported_backups(self.org_id, id, self.within, last, JOBS).await?;
            let Some(newest) = page.last() else { return Ok(()) };
            last = Some(newest.id);
            let streams: Vec<String> = page.iter().map(|job| job.id.to_string()).collect();
            for (job, events) in page.iter().zip(self.chains(&streams).await?) {
                let Some(told) = jobs::backup(job.id, &events, job.manifest.as_deref(), self.now) else {
                    self.records.unreadable_chains += 1;
                    continue;
                };
                self.records.disagreeing_jobs += u64::from(!agrees(job.state, told.fate));
                database.backup(told, tally);
            }
        }
    }

    async fn restores(&mut self, only: Option<DatabaseId>, tally: &mut Tally) -> Result<()> {
        let mut last = None;
        loop {
            let page = self.store.reported_restores(self.org_id, only, self.within, last, JOBS).await?;
            let Some(newest) = page.last() else { return Ok(()) };
            last = Some(newest.id);
            let streams: Vec<String> = page.iter().map(|job| job.id.to_string()).collect();
            for (job, events) in page.iter().zip(self.chains(&streams).await?) {
                match jobs::restore(job.id, job.database_id, &events) {
                    Some(restore) => tally.restore(restore),
                    None => self.records.unreadable_chains += 1,
                }
            }
        }
    }

    async fn retention(&mut self, only: Option<DatabaseId>, tally: &mut Tally) -> Result<()> {
        let mut last = (String::new(), 0);
        loop {
            let place = (last.0.as_str(), last.1);
            let events = self.store.retention_events(self.org_id, only, self.within, place, EVENTS).await?;
            let Some(newest) = events.last() else { return Ok(()) };
            last = (newest.job_id.clone(), newest.seq);
            for event in &events {
                self.records.altered_events += u64::from(!is_unaltered(event));
                let objects = event.payload.get("objects").and_then(Value::as_array);
                let size = |object: &Value| object.get("sizeBytes").and_then(Value::as_u64);
                let deletion = Deletion {
                    backup_job_id: event.job_id.clone(),
                    size_bytes: objects
                        .map(|objects| exact(objects.iter().filter_map(size).fold(0, u64::saturating_add))),
                    error_code: text(event, "errorCode").map(str::to_owned),
                    event: event.into(),
                };
                if event.kind == EventKind::RetentionDeleted {
                    tally.deletion(deletion);
                } else {
                    tally.refusal(deletion);
                }
            }
        }
    }

    /// Which checkpoints of the log were signed.
    async fn checkpoints(&mut self) -> Result<()> {
        let read = self.store.reported_checkpoints(self.org_id, self.within).await?;
        self.records.checkpoints = Checkpoints {
            signed: read.signed,
            copies: read.copies,
            copies_written: read.copies_written,
            newest: read.newest.map(|newest| CheckpointShown {
                size: newest.size,
                root_hash: newest.root,
                signed_at: newest.signed_at,
            }),
        };
        Ok(())
    }

    /// What the regular looks said last.
    async fn looks(&mut self) -> Result<()> {
        self.records.broken_chains = self.store.count_anomalies(Some(self.org_id)).await?;
        let look = self.store.look_result(LookKind::Audit, self.org_id).await?;
        let look: Option<AuditLook> = look.and_then(|text| serde_json::from_str(&text).ok());
        self.records.chains_looked_at = look.and_then(|look| look.finished_at);
        match inventory::last_report(self.store, self.org_id, self.now, USUAL_MILLIS).await {
            Err(StoreError::Corrupt(_)) => self.records.inventory_result = Some("unreadable".to_owned()),
            read => {
                if let Some(report) = read? {
                    self.records.inventory_at = Some(report.finished_at);
                    self.records.inventory_result = Some(report.result.to_string());
                }
            }
        }
        Ok(())
    }
}
