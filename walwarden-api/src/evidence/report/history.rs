//! The organization's own chain, read once from its first event: which databases there were with which schedules, and what
//! happened within the period besides jobs. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::{Map, Value};
use walwarden_contract::audit::AuditEvent;
use walwarden_contract::{DatabaseId, Timestamp};

use super::cited::{Cited, Listed};
use super::period::Period;
use super::schedule::Setting;

/// How many lines of each kind are listed.
const LINES: usize = 200;
/// What a line repeats of its event. What is not named here is not shown, whatever a later version records.
const SHOWN: &[&str] = &[
    "apiKeyId",
    "backupJobId",
    "bucket",
    "bundleSha256",
    "clientKind",
    "codec",
    "databaseId",
    "databases",
    "destinationId",
    "destinations",
    "encryption",
    "failed",
    "failure",
    "findingCount",
    "keyId",
    "kmsKeyId",
    "lockMode",
    "name",
    "newFindings",
    "previousKeyId",
    "provider",
    "reason",
    "region",
    "retentionDays",
    "revokedAt",
    "rotatedAt",
    "schedule",
    "scopes",
    "sourceRedactedDsn",
    "state",
    "streamId",
    "uploads",
];

/// Something that happened to the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The event.
    pub event: Cited,
    /// Which API key did it; null when it was done on the server, or by Walwarden itself.
    pub by: Option<String>,
    /// Which members changed, of an update whose predecessor is known.
    pub changed: Vec<String>,
    /// What the event says.
    pub details: Map<String, Value>,
}

/// A database, as its events tell of it.
#[derive(Debug, Clone, Default)]
pub(super) struct DatabaseHistory {
    /// Its name at the end of the period.
    pub name: String,
    /// Where it was added.
    pub added: Option<Cited>,
    /// Where it was removed.
    pub removed: Option<Cited>,
    /// Its schedules, each since an event.
    pub settings: Vec<Setting>,
    /// Runs of the period that were left out.
    pub skipped: Vec<Timestamp>,
    /// The events of the first of these.
    pub skips: Listed<Cited>,
}

/// A run that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedRun {
    /// The database.
    pub database_id: DatabaseId,
    /// When it was due.
    pub scheduled_for: Timestamp,
    /// The event.
    pub event: Cited,
}

/// What the chain told.
#[derive(Debug)]
pub(super) struct History {
    period: Period,
    only: Option<DatabaseId>,
    last: HashMap<String, Map<String, Value>>,
    /// Every database that an event names, whenever it was there.
    pub known: HashSet<DatabaseId>,
    /// Every database that there was within the period.
    pub databases: BTreeMap<DatabaseId, DatabaseHistory>,
    /// Runs that were left out.
    pub skipped: Listed<SkippedRun>,
    /// API keys issued and revoked.
    pub access: Listed<Line>,
    /// Databases added, changed and removed.
    pub database_changes: Listed<Line>,
    /// Destinations added, changed, checked and removed.
    pub destination_changes: Listed<Line>,
    /// Signing keys and sealing.
    pub keys: Listed<Line>,
    /// Evidence handed out.
    pub exports: Listed<Line>,
    /// What the regular looks found.
    pub looks: Listed<Line>,
    /// How often a look found a broken chain.
    pub anomalies: u64,
    /// How often the inventory found something new.
    pub inventory_findings: u64,
    /// How often preflight of a destination failed.
    pub preflight_failures: u64,
    /// API keys issued before the end of the period and not revoked by then.
    pub keys_in_force: u64,
}

impl History {
    /// Before the first event. With `only`, databases are left out but one; what is the organization's stays.
    #[must_use]
    pub(super) fn new(period: Period, only: Option<DatabaseId>) -> Self {
        let lines = || Listed::of_at_most(LINES);
        Self {
            period,
            only,
            last: HashMap::new(),
            known: HashSet::new(),
            databases: BTreeMap::new(),
            skipped: Listed::of_at_most(LINES),
            access: lines(),
            database_changes: lines(),
            destination_changes: lines(),
            keys: lines(),
            exports: lines(),
            looks: lines(),
            anomalies: 0,
            inventory_findings: 0,
            preflight_failures: 0,
            keys_in_force: 0,
        }
    }

    /// Takes account of the next event.
    pub(super) fn take(&mut self, event: &AuditEvent) {
        let kind = event.kind.as_str();
        if kind == "schedule.run_skipped" {
            return self.skipped(event);
        }
        let family = kind.split_once('.').map_or(kind, |(family, _)| family);
        let database = text(event, "databaseId").and_then(|id| id.parse().ok());
        self.known.extend(database);
        if event.at >= self.period.to {
            return;
        }
        if family == "database" {
            let Some(id) = database.filter(|id| self.only.is_none_or(|only| only == *id)) else { return };
            self.database(event, id);
        }
        let line = self.line(event, family);
        let within = self.period.from <= event.at;
        self.count(kind, within);
        let list = match family {
            "api_key" => &mut self.access,
            "database" => &mut self.database_changes,
            "destination" => &mut self.destination_changes,
            "signing_key" | "secrets" => &mut self.keys,
            "evidence" => &mut self.exports,
            "audit" | "inventory" => &mut self.looks,
            _ => return,
        };
        if within {
            list.add(line);
        }
    }

    fn count(&mut self, kind: &str, within: bool) {
        match kind {
            "api_key.issued" => self.keys_in_force += 1,
            "api_key.revoked" => self.keys_in_force = self.keys_in_force.saturating_sub(1),
            "audit.anomaly_detected" => self.anomalies += u64::from(within),
            "inventory.finding_detected" => self.inventory_findings += u64::from(within),
            "destination.preflight_failed" => self.preflight_failures += u64::from(within),
            _ => {}
        }
    }

    fn skipped(&mut self, event: &AuditEvent) {
        let database_id = text(event, "databaseId").and_then(|id| id.parse().ok());
        let run = text(event, "scheduledFor").and_then(|at| at.parse().ok());
        let (Some(database_id), Some(scheduled_for)) = (database_id, run) else { return };
        if !self.period.holds(scheduled_for) {
            return;
        }
        let Some(history) = self.databases.get_mut(&database_id) else { return };
        history.skipped.push(scheduled_for);
        history.skips.add(event.into());
        self.skipped.add(SkippedRun { database_id, scheduled_for, event: event.into() });
    }

    fn database(&mut self, event: &AuditEvent, id: DatabaseId) {
        let history = self.databases.entry(id).or_default();
        match event.kind.as_str() {
            "database.deleted" => history.removed = Some(event.into()),
            kind => {
                if kind == "database.created" {
                    history.added = Some(event.into());
                }
                text(event, "name").unwrap_or_default().clone_into(&mut history.name);
                let cron = text(event, "schedule").map(str::to_owned);
                if history.settings.last().is_none_or(|last| last.cron != cron) {
                    // Events stand in the order in which they were written, even where a clock was put back.
                    let from = history.settings.last().map_or(event.at, |last| last.from.max(event.at));
                    history.settings.push(Setting { from, cron, event: event.into() });
                }
            }
        }
    }

    fn line(&mut self, event: &AuditEvent, family: &str) -> Line {
        let payload = event.payload.as_object();
        let shown = |name: &&str| Some((name.to_string(), payload?.get(*name)?.clone()));
        let mut details: Map<String, Value> = SHOWN.iter().filter_map(shown).collect();
        let acted_on = event.kind.as_str().ends_with("_key.issued") || event.kind.as_str().ends_with("_key.revoked");
        let by = if acted_on { None } else { details.remove("apiKeyId") };
        let mut changed = Vec::new();
        if matches!(family, "database" | "destination") && details.contains_key("name") {
            let subject = text(event, &format!("{family}Id")).unwrap_or_default().to_owned();
            if let Some(before) = self.last.insert(subject, details.clone()) {
                let differs =
                    |(name, value): (&String, &Value)| (before.get(name) != Some(value)).then(|| name.clone());
                changed = details.iter().filter_map(differs).collect();
            }
        }
        Line { event: event.into(), by: by.and_then(|by| by.as_str().map(str::to_owned)), changed, details }
    }

    /// Forgets the databases that were gone before the period, and what was needed to read the chain only.
    pub(super) fn finish(&mut self) {
        let from = self.period.from;
        self.last = HashMap::new();
        self.databases.retain(|_, history| history.removed.as_ref().is_none_or(|removed| removed.at >= from));
    }
}

/// A text of an event's payload.
pub(super) fn text<'a>(event: &'a AuditEvent, name: &str) -> Option<&'a str> {
    event.payload.get(name)?.as_str()
}

#[cfg(test)]
mod tests;
