//! How many of what: totals of a report, and of each database. Pure.

use serde::Serialize;

use super::cited::exact;
use super::jobs::{CompletedBackup, LockState, ToldRestore};
use super::schedule::{Fate, RunCounts};

/// Totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Databases that there were within the period.
    pub databases: u64,
    /// Runs of schedules.
    pub runs: RunCounts,
    /// Backups queued within the period.
    pub backups: BackupCounts,
    /// Restores opened within the period.
    pub restores: RestoreCounts,
    /// API keys that were in force at the end of the period, expired ones included.
    pub keys_in_force: u64,
}

/// What became of backups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupCounts {
    /// Completed.
    pub completed: u64,
    /// Of these: not asked for by a schedule.
    pub completed_on_demand: u64,
    /// Of these: their completion says what was checked.
    pub verification_recorded: u64,
    /// Of these: locked when the report was made.
    pub locked: u64,
    /// Of these: with a lock that has ended.
    pub lock_ended: u64,
    /// Of these: never locked.
    pub not_locked: u64,
    /// Of these: their manifest on record does not tell.
    pub lock_unknown: u64,
    /// Their length in all.
    pub size_bytes: u64,
    /// Failed for good.
    pub failed: u64,
    /// Called off.
    pub cancelled: u64,
    /// Not ended.
    pub in_progress: u64,
}

impl BackupCounts {
    /// Counts one.
    pub fn count(&mut self, fate: Fate, completed: Option<&CompletedBackup>) {
        match fate {
            Fate::Completed => self.completed += 1,
            Fate::Failed => self.failed += 1,
            Fate::Cancelled => self.cancelled += 1,
            _ => self.in_progress += 1,
        }
        let Some(backup) = completed else { return };
        self.completed_on_demand += u64::from(backup.trigger != "scheduled");
        self.verification_recorded += u64::from(!backup.checks.is_empty());
        self.size_bytes = exact(self.size_bytes.saturating_add(backup.size_bytes));
        match backup.lock.state {
            LockState::Locked => self.locked += 1,
            LockState::Ended => self.lock_ended += 1,
            LockState::NotLocked => self.not_locked += 1,
            LockState::Unknown => self.lock_unknown += 1,
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.completed_on_demand += other.completed_on_demand;
        self.verification_recorded += other.verification_recorded;
        self.locked += other.locked;
        self.lock_ended += other.lock_ended;
        self.not_locked += other.not_locked;
        self.lock_unknown += other.lock_unknown;
        self.size_bytes = exact(self.size_bytes.saturating_add(other.size_bytes));
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.in_progress += other.in_progress;
    }
}

/// What became of restores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreCounts {
    /// Sessions opened.
    pub opened: u64,
    /// Completed.
    pub completed: u64,
    /// Of these: after hash and signature were verified.
    pub drills: u64,
    /// The longest of these, in seconds.
    pub longest_drill_seconds: Option<u64>,
    /// Failed.
    pub failed: u64,
    /// Interrupted.
    pub cancelled: u64,
    /// Sealed because the restore machine fell silent.
    pub timed_out: u64,
    /// Whose token was never used.
    pub never_started: u64,
    /// Not ended.
    pub in_progress: u64,
}

impl RestoreCounts {
    /// Counts one.
    pub fn count(&mut self, restore: &ToldRestore) {
        self.opened += 1;
        match restore.outcome {
            "completed" => self.completed += 1,
            "failed" => self.failed += 1,
            "cancelled" => self.cancelled += 1,
            "timed_out" => self.timed_out += 1,
            "never_started" => self.never_started += 1,
            _ => self.in_progress += 1,
        }
        if restore.drill {
            self.drills += 1;
            self.longest_drill_seconds = self.longest_drill_seconds.max(restore.duration_seconds);
        }
    }
}
