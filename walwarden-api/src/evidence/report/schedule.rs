//! What a schedule asked for within a period, held against what became of it. Pure.

use serde::Serialize;
use walwarden_contract::{BackupJobId, Timestamp};

use super::cited::Cited;
use super::period::Period;
use crate::jobs::schedule::next_after;
use crate::system::after;

/// How long after its time a run may begin before it is late, and before one that never began is missed.
pub(super) const GRACE_MILLIS: i64 = 3_600_000;

/// A schedule as an event set it: in force from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Since when.
    pub from: Timestamp,
    /// The cron expression; `None` where backups are made on demand only.
    pub cron: Option<String>,
    /// The event.
    pub event: Cited,
}

/// What became of a run, from bad to good: where there are two accounts of one run, the better one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing: there is neither a job nor a record that it was left out.
    Missed,
    /// It is not late yet.
    Open,
    /// It was left out, because the backup before it went on.
    Skipped,
    /// Its job was called off.
    Cancelled,
    /// Its job failed for good.
    Failed,
    /// Its job has not ended.
    InProgress,
    /// Its job completed.
    Completed,
}

impl Fate {
    /// The fate in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Skipped => "left out",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Completed => "completed",
            Self::Open | Self::InProgress => "not ended",
        }
    }
}

/// A scheduled job, as far as coverage needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScheduledJob {
    /// The job.
    pub id: BackupJobId,
    /// The run that it stands for; `None` in records of early versions.
    pub run: Option<Timestamp>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// How many later runs it made up for.
    pub made_up: u64,
    /// What became of it.
    pub fate: Fate,
    /// Whether an attempt before the last one failed.
    pub retried: bool,
}

/// How many runs came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunCounts {
    /// Runs that the schedules asked for up to the report.
    pub expected: u64,
    /// Completed.
    pub completed: u64,
    /// Of these: after a failed attempt.
    pub completed_after_retry: u64,
    /// Begun more than an hour after their time, whatever became of them.
    pub late: u64,
    /// Failed for good.
    pub failed: u64,
    /// Called off.
    pub cancelled: u64,
    /// Left out while the backup before them went on.
    pub skipped: u64,
    /// Not begun.
    pub missed: u64,
    /// Under way.
    pub in_progress: u64,
    /// Not late yet.
    pub open: u64,
}

impl RunCounts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.completed += other.completed;
        self.completed_after_retry += other.completed_after_retry;
        self.late += other.late;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.skipped += other.skipped;
        self.missed += other.missed;
        self.in_progress += other.in_progress;
        self.open += other.open;
    }
}

#[derive(Debug, Clone, Copy)]
struct Run {
    at: Timestamp,
    setting: usize,
    fate: Fate,
    late: bool,
    retried: bool,
    made_up_by: Option<BackupJobId>,
}

/// A run that nothing came of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed<'a> {
    /// When it was due.
    pub at: Timestamp,
    /// The schedule that asked for it.
    pub setting: &'a Setting,
    /// The later job that made up for it.
    pub made_up_by: Option<BackupJobId>,
}

/// The runs of one database within a period. Its memory is bounded by the minutes of the period.
#[derive(Debug)]
pub(super) struct Coverage {
    settings: Vec<Setting>,
    runs: Vec<Run>,
}

impl Coverage {
    /// What was asked for: by each setting until the next one, or until the database was removed.
    #[must_use]
    pub(super) fn new(settings: Vec<Setting>, removed: Option<Timestamp>, period: &Period, now: Timestamp) -> Self {
        let mut runs = Vec::new();
        for (index, setting) in settings.iter().enumerate() {
            let Some(cron) = &setting.cron else { continue };
            let next = settings.get(index + 1).map(|next| next.from);
            let end = [Some(period.to), next, removed].into_iter().flatten().min().unwrap_or(period.to);
            // The first run of a period may come with its first moment; that of a schedule comes after it was set.
            let mut at = setting.from.max(after(period.from, -1));
            while let Ok(run) = next_after(cron, at) {
                if run >= end || run > now {
                    break;
                }
                let fate = if after(run, GRACE_MILLIS) > now { Fate::Open } else { Fate::Missed };
                runs.push(Run { at: run, setting: index, fate, late: false, retried: false, made_up_by: None });
                at = run;
            }
        }
        // A clock that was put back may have set one schedule before the other.
        runs.sort_by_key(|run| run.at);
        runs.dedup_by_key(|run| run.at);
        Self { settings, runs }
    }

    /// How many runs were due by then.
    fn until(&self, at: Timestamp) -> usize {
        self.runs.partition_point(|run| run.at <= at)
    }

    fn find(&mut self, at: Timestamp) -> Option<&mut Run> {
        let index = self.runs.binary_search_by_key(&at, |run| run.at).ok()?;
        self.runs.get_mut(index)
    }

    /// Takes account of a scheduled job, and answers the run that it stands for, if that is one of these.
    pub(super) fn job(&mut self, job: &ScheduledJob) -> Option<Timestamp> {
        let run = job.run.or_else(|| {
            let index = self.until(job.queued_at);
            self.runs[..index].last().map(|run| run.at)
        })?;
        if job.made_up > 0 {
            let (first, end) = (self.until(run), self.until(job.queued_at));
            for made_up in self.runs.get_mut(first..end).into_iter().flatten() {
                made_up.made_up_by = Some(job.id);
            }
        }
        let known = self.find(run)?;
        if job.fate > known.fate {
            known.fate = job.fate;
            known.late = job.queued_at > after(run, GRACE_MILLIS);
            known.retried = job.retried;
        }
        Some(run)
    }

    /// Takes account of a run that was left out, and answers whether it is one of these.
    pub(super) fn skipped(&mut self, at: Timestamp) -> bool {
        let Some(run) = self.find(at) else { return false };
        run.fate = run.fate.max(Fate::Skipped);
        true
    }

    fn count(&self, is: impl Fn(&Run) -> bool) -> u64 {
        self.runs.iter().filter(|run| is(run)).count() as u64
    }

    /// How many came to what.
    #[must_use]
    pub(super) fn counts(&self) -> RunCounts {
        let of = |fate| self.count(|run| run.fate == fate);
        RunCounts {
            expected: self.runs.len() as u64,
            completed: of(Fate::Completed),
            completed_after_retry: self.count(|run| run.retried && run.fate == Fate::Completed),
            late: self.count(|run| run.late),
            failed: of(Fate::Failed),
            cancelled: of(Fate::Cancelled),
            skipped: of(Fate::Skipped),
            missed: of(Fate::Missed),
            in_progress: of(Fate::InProgress),
            open: of(Fate::Open),
        }
    }

    /// The runs that nothing came of, in order.
    pub(super) fn missed(&self) -> impl Iterator<Item = Missed<'_>> {
        self.runs.iter().filter(|run| run.fate == Fate::Missed).filter_map(|run| {
            let setting = self.settings.get(run.setting)?;
            Some(Missed { at: run.at, setting, made_up_by: run.made_up_by })
        })
    }
}

#[cfg(test)]
mod tests;
