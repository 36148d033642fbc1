//! What a report says, as it stands in its document.

use serde::Serialize;
use walwarden_contract::{BackupJobId, DatabaseId, OrgId, Timestamp};

use super::cited::{Cited, Listed};
use super::counts::{BackupCounts, RestoreCounts, Summary};
use super::findings::{Finding, Section};
use super::history::{Line, SkippedRun};
use super::jobs::{CompletedBackup, FailedBackup, ToldRestore};
use super::schedule::RunCounts;

/// The value of `schema`.
pub const SCHEMA: &str = "walwarden.report.v1";

/// A report, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The framework whose controls it is arranged by.
    pub framework: FrameworkName,
    /// The organization.
    pub org_id: OrgId,
    /// Its name.
    pub organization_name: String,
    /// The one database that it is about; null for all of them.
    pub database_id: Option<DatabaseId>,
    /// The time that it is about.
    pub period: PeriodShown,
    /// When it was made: everything in it is as of then.
    pub generated_at: Timestamp,
    /// What made it.
    pub generated_by: String,
    /// What it is, and what it is not.
    pub statement: &'static str,
    /// Totals, those included that are not listed.
    pub summary: Summary,
    /// What deserves an auditor's attention.
    pub findings: Listed<Finding>,
    /// The framework's controls, and what here speaks to each.
    pub controls: Vec<ControlShown>,
    /// What is not covered, whatever the control.
    pub not_covered: Vec<&'static str>,
    /// The facts.
    pub facts: Facts,
    /// How far the records that it was made from could be trusted.
    pub records: Records,
}

/// A framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FrameworkName {
    /// `soc2`, `iso27001` or `dora`.
    pub id: &'static str,
    /// Its name and edition.
    pub name: &'static str,
}

/// A period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeriodShown {
    /// What was asked for.
    pub label: String,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// Whether it was over when the report was made.
    pub over: bool,
}

/// What speaks to a control, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlShown {
    /// The control's identifier in its framework.
    pub id: &'static str,
    /// What it asks for, in our words.
    pub asks: &'static str,
    /// Facts that speak to it.
    pub evidence: Vec<Spoken>,
    /// Findings that speak against it, with their number.
    pub findings: Vec<FindingCount>,
    /// What has to be shown elsewhere.
    pub not_covered: Vec<&'static str>,
}

/// One section of the facts, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spoken {
    /// The section.
    pub section: Section,
    /// What it comes to.
    pub summary: String,
}

/// How often there is a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// Its code.
    pub code: &'static str,
    /// How often.
    pub count: u64,
}

/// A schedule, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleShown {
    /// The cron expression, in UTC; null where backups are made on demand only.
    pub cron: Option<String>,
    /// Since when.
    pub from: Timestamp,
    /// The event that set it.
    pub event: Cited,
}

/// What there is to say about a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseFacts {
    /// The database.
    pub database_id: DatabaseId,
    /// Its name at the end of the period.
    pub name: String,
    /// The event with which it was added.
    pub added: Option<Cited>,
    /// The event with which it was removed, if that was within the period.
    pub removed: Option<Cited>,
    /// What was in force at the end of the period, or when the database was removed.
    pub schedule: Option<ScheduleShown>,
    /// What was in force when the period began, and each one since.
    pub schedules: Listed<ScheduleShown>,
    /// What became of the runs of these.
    pub runs: RunCounts,
    /// Its backups.
    pub backups: BackupCounts,
    /// Its restores.
    pub restores: RestoreCounts,
    /// The last completion of a backup within the period.
    pub newest_backup: Option<Cited>,
    /// The last completion of a drill within the period.
    pub newest_drill: Option<Cited>,
}

/// A run that nothing came of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissedRun {
    /// The database.
    pub database_id: DatabaseId,
    /// When it was due.
    pub scheduled_for: Timestamp,
    /// The later job that made up for it.
    pub made_up_by: Option<BackupJobId>,
    /// The event that set the schedule which asked for it: there is none of the run itself.
    pub event: Cited,
}

/// A deletion, or a refusal of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The backup's job.
    pub backup_job_id: String,
    /// How many bytes were deleted.
    pub size_bytes: Option<u64>,
    /// Why it was refused.
    pub error_code: Option<String>,
    /// The event.
    pub event: Cited,
}

/// The facts, section by section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Databases: schedules, coverage, backups, restores.
    pub databases: Listed<DatabaseFacts>,
    /// Runs that nothing came of.
    pub missed_runs: Listed<MissedRun>,
    /// Runs that were left out.
    pub skipped_runs: Listed<SkippedRun>,
    /// Backups that failed for good or were called off.
    pub failed_backups: Listed<FailedBackup>,
    /// Completed backups.
    pub backups: Listed<CompletedBackup>,
    /// Restores.
    pub restores: Listed<ToldRestore>,
    /// Backups deleted by retention, of any age.
    pub deletions: Listed<Deletion>,
    /// Deletions that the bucket refused.
    pub refusals: Listed<Deletion>,
    /// API keys issued and revoked.
    pub access: Listed<Line>,
    /// Databases added, changed and removed.
    pub database_changes: Listed<Line>,
    /// Destinations added, changed, checked and removed.
    pub destination_changes: Listed<Line>,
    /// Signing keys rotated and revoked, secrets sealed again.
    pub keys: Listed<Line>,
    /// Evidence handed out.
    pub exports: Listed<Line>,
    /// What the regular looks at chains and inventory found.
    pub looks: Listed<Line>,
}

/// A checkpoint of the organization's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointShown {
    /// How many events the log had.
    pub size: u64,
    /// The root of the tree over them.
    pub root_hash: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// Signed checkpoints of the organization's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoints {
    /// How many were signed within the period.
    pub signed: u64,
    /// How many copies of these were to be in buckets.
    pub copies: u64,
    /// How many of them are.
    pub copies_written: u64,
    /// The newest that was signed before the period's end.
    pub newest: Option<CheckpointShown>,
}

/// How far the records could be trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Records {
    /// Events of the organization's own chain, all of which were read.
    pub organization_events: u64,
    /// The hash of the last of them that holds.
    pub organization_head: String,
    /// Where the organization's own chain breaks; null when it holds.
    pub organization_break: Option<String>,
    /// Signed checkpoints of the log.
    pub checkpoints: Checkpoints,
    /// Chains of jobs of which the telling events were read.
    pub job_chains: u64,
    /// Chains of jobs that do not begin as one does.
    pub unreadable_chains: u64,
    /// Events read whose hash is not that of their content.
    pub altered_events: u64,
    /// Jobs whose record says another end than their chain.
    pub disagreeing_jobs: u64,
    /// Chains that do not hold, by the last regular look at all of them.
    pub broken_chains: u64,
    /// When that look ended.
    pub chains_looked_at: Option<Timestamp>,
    /// When schedules, chains, manifests and buckets were last compared.
    pub inventory_at: Option<Timestamp>,
    /// `clean`, `attention`, `failed` or `incomplete`.
    pub inventory_result: Option<String>,
}
