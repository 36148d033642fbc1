//! What deserves an auditor's attention. Whether it matters is not for a report to say. Pure.

use std::slice::from_ref;

use serde::Serialize;
use walwarden_contract::DatabaseId;

use super::cited::{Cited, Listed};
use super::document::{DatabaseFacts, Facts, FindingCount, PeriodShown, Records};
use super::history::History;

/// A part of the facts that controls are mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Schedules and what became of their runs.
    Schedules,
    /// Backups and what was checked of them.
    Backups,
    /// Restores and drills.
    Restores,
    /// Locks and deletions.
    Retention,
    /// API keys.
    Access,
    /// Databases and destinations added, changed and removed.
    Changes,
    /// Signing and sealing keys.
    Keys,
    /// Evidence handed out.
    Exports,
    /// Regular looks at chains and inventory.
    Looks,
    /// The audit log itself.
    Log,
}

/// Something that deserves attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind it is.
    pub code: &'static str,
    /// Where it belongs.
    pub section: Section,
    /// The database that it is about.
    pub database_id: Option<DatabaseId>,
    /// What it is, in a sentence.
    pub text: String,
    /// The events that it rests on, the first of them; none where it is the lack of events.
    pub events: Vec<Cited>,
}

fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// The first events of what went wrong with a database.
#[derive(Debug, Clone, Default)]
pub(super) struct Examples {
    /// Runs that were left out.
    pub(super) skips: Listed<Cited>,
    /// Backups that failed for good.
    pub(super) failed_backups: Listed<Cited>,
    /// Restores that did not complete.
    pub(super) failed_restores: Listed<Cited>,
}

/// What deserves attention about a database. A database that was never restored is named, not passed over.
#[must_use]
pub(super) fn of_database(facts: &DatabaseFacts, examples: &Examples) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |code, section, text: String, events: &[Cited]| {
        let events = events.to_vec();
        found.push(Finding { code, section, database_id: Some(facts.database_id), text, events });
    };
    let DatabaseFacts { name, runs, backups, restores, .. } = facts;
    let schedule = facts.schedule.as_ref().map(|schedule| &schedule.event).map_or(&[][..], from_ref);
    let newest = facts.newest_backup.as_slice();
    let added = facts.added.as_slice();
    if facts.schedule.as_ref().is_none_or(|schedule| schedule.cron.is_none()) {
        let text = format!("{name}: no schedule was in force at the end of this period.");
        add("no_schedule", Section::Schedules, text, schedule);
    }
    if runs.missed > 0 {
        let missed = counted(runs.missed, "scheduled run was missed", "scheduled runs were missed");
        add("runs_missed", Section::Schedules, format!("{name}: {missed}, of {}.", runs.expected), schedule);
    }
    if runs.skipped > 0 {
        let skipped = counted(runs.skipped, "scheduled run was left out", "scheduled runs were left out");
        let text = format!("{name}: {skipped}, because the backup before went on.");
        add("runs_skipped", Section::Schedules, text, &examples.skips.listed);
    }
    if backups.failed > 0 {
        let failed = counted(backups.failed, "backup failed for good", "backups failed for good");
        add("backups_failed", Section::Backups, format!("{name}: {failed}."), &examples.failed_backups.listed);
    }
    if backups.completed == 0 {
        let text = format!("{name}: no backup was completed in this period.");
        add("no_backup_in_period", Section::Backups, text, added);
    }
    let unrecorded = backups.completed.saturating_sub(backups.verification_recorded);
    if unrecorded > 0 {
        let text = format!(
            "{name}: the completion of {} does not say what was checked.",
            counted(unrecorded, "backup", "backups")
        );
        add("verification_not_recorded", Section::Backups, text, newest);
    }
    if backups.not_locked + backups.lock_unknown > 0 {
        let without = counted(backups.not_locked + backups.lock_unknown, "backup has", "backups have");
        let text =
            format!("{name}: {without} no lock on record: whoever may write to the bucket can delete or replace them.");
        add("not_locked", Section::Retention, text, newest);
    }
    if restores.completed == 0 {
        let text = match restores.opened {
            0 => format!("{name}: no restore in this period."),
            opened => format!(
                "{name}: no restore in this period was completed; {}.",
                counted(opened, "was begun", "were begun")
            ),
        };
        add("no_restore_in_period", Section::Restores, text, &[]);
    } else if restores.drills == 0 {
        let text = format!("{name}: no restore in this period was completed after its manifest was verified.");
        add("no_drill_in_period", Section::Restores, text, &[]);
    }
    if restores.failed + restores.timed_out > 0 {
        let failed = counted(restores.failed + restores.timed_out, "restore failed", "restores failed");
        add("restores_failed", Section::Restores, format!("{name}: {failed}."), &examples.failed_restores.listed);
    }
    found
}

/// What deserves attention about the organization and its records.
#[must_use]
pub(super) fn of_organization(
    period: &PeriodShown,
    facts: &Facts,
    history: &History,
    records: &Records,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |code, section, text: String, events: Vec<Cited>| {
        found.push(Finding { code, section, database_id: None, text, events });
    };
    if !period.over {
        let text = "The period was not over when the report was made.".to_owned();
        add("period_not_over", Section::Schedules, text, Vec::new());
    }
    if facts.databases.total == 0 {
        add("no_database", Section::Schedules, "No database was protected in this period.".to_owned(), Vec::new());
    }
    if facts.refusals.total > 0 {
        let refused = counted(facts.refusals.total, "deletion was refused", "deletions were refused");
        let events = facts.refusals.listed.iter().take(3).map(|refusal| refusal.event.clone()).collect();
        add("deletions_refused", Section::Retention, format!("{refused} by a bucket."), events);
    }
    if history.preflight_failures > 0 {
        let failed = counted(history.preflight_failures, "time", "times");
        let text = format!("A destination failed its preflight {failed}, and took no backups until it passed.");
        add("destination_failed", Section::Changes, text, of_kind(facts, "destination.preflight_failed"));
    }
    if history.anomalies > 0 {
        let text = format!("An audit chain was found broken {}.", counted(history.anomalies, "time", "times"));
        add("chains_broken_in_period", Section::Looks, text, of_kind(facts, "audit.anomaly_detected"));
    }
    if history.inventory_findings > 0 {
        let text =
            format!("The inventory found what did not agree {}.", counted(history.inventory_findings, "time", "times"));
        add("inventory_findings", Section::Looks, text, of_kind(facts, "inventory.finding_detected"));
    }
    let checkpoints = &records.checkpoints;
    if checkpoints.signed == 0 {
        let text = "No checkpoint of the audit log was signed in this period.".to_owned();
        add("no_checkpoint_in_period", Section::Log, text, Vec::new());
    }
    let missing = checkpoints.copies.saturating_sub(checkpoints.copies_written);
    if missing > 0 {
        let text =
            format!("{} not in the bucket.", counted(missing, "copy of a checkpoint is", "copies of checkpoints are"));
        add("checkpoints_not_copied", Section::Log, text, Vec::new());
    }
    if records.broken_chains > 0 {
        let text = format!("{} not hold now.", counted(records.broken_chains, "audit chain does", "audit chains do"));
        add("chains_broken", Section::Log, text, Vec::new());
    }
    if let Some(failure) = &records.organization_break {
        let text = format!("The organization's own audit chain does not hold: {failure}");
        add("organization_chain_broken", Section::Log, text, Vec::new());
    }
    let untrue = records.altered_events + records.unreadable_chains + records.disagreeing_jobs;
    if untrue > 0 {
        let text = format!(
            "Records that this report was made from do not agree: {} altered events, {} chains that do not begin as one does, {} jobs \
             whose record says another end than their chain.",
            records.altered_events, records.unreadable_chains, records.disagreeing_jobs
        );
        add("records_disagree", Section::Log, text, Vec::new());
    }
    found
}

fn of_kind(facts: &Facts, kind: &str) -> Vec<Cited> {
    let lines = facts.looks.listed.iter().chain(&facts.destination_changes.listed);
    lines.filter(|line| line.event.kind.as_str() == kind).take(3).map(|line| line.event.clone()).collect()
}

/// How often each code was found within these sections; `all` holds those too that are not listed.
#[must_use]
pub(super) fn counts(all: &[(Section, FindingCount)], sections: &[Section]) -> Vec<FindingCount> {
    all.iter().filter(|(section, _)| sections.contains(section)).map(|(_, count)| *count).collect()
}
