//! Adds up what was read, database by database, and closes the document. Pure.

use std::collections::HashMap;

use walwarden_contract::{DatabaseId, OrgId, Timestamp};

use super::cited::{Cited, Listed};
use super::counts::{BackupCounts, RestoreCounts, Summary};
use super::document::{
    ControlShown, DatabaseFacts, Deletion, Document, Facts, FindingCount, MissedRun, PeriodShown, Records, SCHEMA,
    ScheduleShown, Spoken,
};
use super::findings::{self, Examples, Finding, Section};
use super::frameworks::Framework;
use super::history::{DatabaseHistory, History};
use super::jobs::{BackupTold, CompletedBackup, FailedBackup, ToldRestore};
use super::period::Period;
use super::schedule::{Coverage, Fate, Setting};
use super::summaries;

/// How many databases are shown; all are counted.
const DATABASES: usize = 500;
/// How many backups and restores are shown.
const JOBS: usize = 500;
/// How many of anything else.
const LINES: usize = 200;
/// How many schedules of one database.
const SCHEDULES: usize = 20;

const STATEMENT: &str = "A list of what is on record, and of what is not. It is no opinion of an auditor and no certificate. Each line \
    names the audit events that it rests on by their hash, their chain and their number in it; with an evidence bundle or an export of \
    the same time these can be verified without Walwarden.";

/// Who a report is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    /// The organization.
    pub org_id: OrgId,
    /// Its name.
    pub organization_name: String,
    /// The one database that it is about.
    pub only: Option<DatabaseId>,
    /// The time that it is about.
    pub period: Period,
    /// The framework.
    pub framework: Framework,
    /// When it is made.
    pub now: Timestamp,
    /// What makes it.
    pub generated_by: String,
}

/// What was added up so far.
pub(super) struct Tally {
    about: About,
    summary: Summary,
    databases: Listed<DatabaseFacts>,
    missed_runs: Listed<MissedRun>,
    backups: Listed<CompletedBackup>,
    failed_backups: Listed<FailedBackup>,
    restores: Listed<ToldRestore>,
    restored: HashMap<DatabaseId, Restored>,
    deletions: Listed<Deletion>,
    refusals: Listed<Deletion>,
    findings: Listed<Finding>,
    codes: Vec<(Section, FindingCount)>,
}

/// What became of the restores of one database.
#[derive(Default)]
struct Restored {
    counts: RestoreCounts,
    newest_drill: Option<Cited>,
    failures: Listed<Cited>,
}

/// One database while its jobs are read.
pub(super) struct Database {
    id: DatabaseId,
    history: DatabaseHistory,
    coverage: Coverage,
    backups: BackupCounts,
    newest: Option<Cited>,
    failures: Listed<Cited>,
}

impl Database {
    /// Takes account of a backup. Of one that was queued outside of the period only the run counts for which it stands.
    pub(super) fn backup(&mut self, told: BackupTold, tally: &mut Tally) {
        if let Some(job) = &told.scheduled {
            self.coverage.job(job);
        }
        if !tally.about.period.holds(told.queued.at) {
            return;
        }
        self.backups.count(told.fate, told.completed.as_ref());
        if let Some(backup) = told.completed {
            if self.newest.as_ref().is_none_or(|newest| newest.at <= backup.completed_at) {
                self.newest = Some(backup.event.clone());
            }
            tally.backups.add(backup);
        }
        if let Some(failed) = told.failed {
            if failed.outcome == Fate::Failed {
                self.failures.add(failed.event.clone());
            }
            tally.failed_backups.add(failed);
        }
    }
}

fn shown(setting: &Setting) -> ScheduleShown {
    ScheduleShown { cron: setting.cron.clone(), from: setting.from, event: setting.event.clone() }
}

impl Tally {
    /// Nothing yet.
    #[must_use]
    pub(super) fn new(about: About) -> Self {
        Self {
            about,
            summary: Summary::default(),
            databases: Listed::of_at_most(DATABASES),
            missed_runs: Listed::of_at_most(LINES),
            backups: Listed::of_at_most(JOBS),
            failed_backups: Listed::of_at_most(LINES),
            restores: Listed::of_at_most(JOBS),
            restored: HashMap::new(),
            deletions: Listed::of_at_most(LINES),
            refusals: Listed::of_at_most(LINES),
            findings: Listed::of_at_most(LINES),
            codes: Vec::new(),
        }
    }

    /// Takes account of a restore. Restores come before databases.
    pub(super) fn restore(&mut self, restore: ToldRestore) {
        self.summary.restores.count(&restore);
        let restored = self.restored.entry(restore.database_id).or_default();
        restored.counts.count(&restore);
        if let Some(end) = restore.events.last() {
            if restore.drill && restored.newest_drill.as_ref().is_none_or(|newest| newest.at <= end.at) {
                restored.newest_drill = Some(end.clone());
            }
            if matches!(restore.outcome, "failed" | "timed_out") {
                restored.failures.add(end.clone());
            }
        }
        self.restores.add(restore);
    }

    /// Takes account of a backup that retention deleted.
    pub(super) fn deletion(&mut self, deletion: Deletion) {
        self.deletions.add(deletion);
    }

    /// Takes account of a deletion that was refused.
    pub(super) fn refusal(&mut self, refusal: Deletion) {
        self.refusals.add(refusal);
    }

    /// Begins with a database.
    #[must_use]
    pub(super) fn begin(&self, id: DatabaseId, history: DatabaseHistory) -> Database {
        let removed = history.removed.as_ref().map(|removed| removed.at);
        let mut coverage = Coverage::new(history.settings.clone(), removed, &self.about.period, self.about.now);
        for run in &history.skipped {
            coverage.skipped(*run);
        }
        Database { id, history, coverage, backups: BackupCounts::default(), newest: None, failures: Listed::default() }
    }

    /// Ends with a database.
    pub(super) fn end(&mut self, database: Database) {
        let Database { id, history, coverage, backups, newest, failures } = database;
        let runs = coverage.counts();
        for missed in coverage.missed() {
            self.missed_runs.add(MissedRun {
                database_id: id,
                scheduled_for: missed.at,
                made_up_by: missed.made_up_by,
                event: missed.setting.event.clone(),
            });
        }
        let DatabaseHistory { name, added, removed, settings, skipped: _, skips } = history;
        let mut schedules = Listed::of_at_most(SCHEDULES);
        let before = settings.partition_point(|setting| setting.from <= self.about.period.from).saturating_sub(1);
        settings.iter().skip(before).for_each(|setting| schedules.add(shown(setting)));
        let Restored { counts: restores, newest_drill, failures: failed_restores } =
            self.restored.remove(&id).unwrap_or_default();
        let examples = Examples { skips, failed_backups: failures, failed_restores };
        self.summary.databases += 1;
        self.summary.runs.add(&runs);
        self.summary.backups.add(&backups);
        let facts = DatabaseFacts {
            database_id: id,
            name,
            added,
            removed,
            schedule: settings.last().map(shown),
            schedules,
            runs,
            backups,
            restores,
            newest_backup: newest,
            newest_drill,
        };
        for finding in findings::of_database(&facts, &examples) {
            self.find(finding);
        }
        self.databases.add(facts);
    }

    fn find(&mut self, finding: Finding) {
        match self.codes.iter_mut().find(|(_, known)| known.code == finding.code) {
            Some((_, known)) => known.count += 1,
            None => self.codes.push((finding.section, FindingCount { code: finding.code, count: 1 })),
        }
        self.findings.add(finding);
    }

    /// The document.
    #[must_use]
    pub(super) fn finish(mut self, mut history: History, records: Records) -> Document {
        let About { period, framework, now, .. } = &self.about;
        let (framework, now) = (*framework, *now);
        let period =
            PeriodShown { label: period.label.clone(), from: period.from, to: period.to, over: period.to <= now };
        self.summary.keys_in_force = history.keys_in_force;
        let facts = Facts {
            databases: self.databases.take(),
            missed_runs: self.missed_runs.take(),
            skipped_runs: history.skipped.take(),
            failed_backups: self.failed_backups.take(),
            backups: self.backups.take(),
            restores: self.restores.take(),
            deletions: self.deletions.take(),
            refusals: self.refusals.take(),
            access: history.access.take(),
            database_changes: history.database_changes.take(),
            destination_changes: history.destination_changes.take(),
            keys: history.keys.take(),
            exports: history.exports.take(),
            looks: history.looks.take(),
        };
        for finding in findings::of_organization(&period, &facts, &history, &records) {
            self.find(finding);
        }
        let controls = framework.controls().iter().map(|control| ControlShown {
            id: control.id,
            asks: control.asks,
            evidence: control
                .sections
                .iter()
                .map(|section| Spoken {
                    section: *section,
                    summary: summaries::of(*section, &self.summary, &facts, &records),
                })
                .collect(),
            findings: findings::counts(&self.codes, control.sections),
            not_covered: control.not_covered.to_vec(),
        });
        Document {
            schema: SCHEMA,
            framework: framework.name(),
            org_id: self.about.org_id,
            organization_name: self.about.organization_name.clone(),
            database_id: self.about.only,
            period,
            generated_at: now,
            generated_by: self.about.generated_by.clone(),
            statement: STATEMENT,
            summary: self.summary,
            controls: controls.collect(),
            not_covered: framework.not_covered(),
            findings: self.findings,
            facts,
            records,
        }
    }
}
