//! Everything between a backup in a bucket and a restored database.
//!
//! [`Executor`] runs one restore: preflight, trigger, claim, download, verification, `pg_restore`, report. Nothing is
//! written to the target before the artifact's hash and the manifest's signature are verified, and the server has taken
//! note of it. Memory: at most nine ranges of 8 MiB (72 MiB) while downloading, whatever the artifact's size; after
//! that, what `pg_restore` takes.

pub mod archive;

#[cfg(feature = "restore")]
mod classify;
#[cfg(feature = "restore")]
mod download;
#[cfg(feature = "restore")]
mod events;
#[cfg(feature = "restore")]
mod executor;
#[cfg(feature = "restore")]
mod options;
#[cfg(feature = "restore")]
mod pg_restore;
#[cfg(feature = "restore")]
mod pipeline;
#[cfg(feature = "restore")]
mod plan;
#[cfg(feature = "restore")]
mod planning;
#[cfg(feature = "restore")]
mod preflight;
#[cfg(feature = "restore")]
mod report;
#[cfg(feature = "restore")]
mod steps;
#[cfg(feature = "restore")]
mod survey;
#[cfg(feature = "restore")]
mod target;
#[cfg(feature = "restore")]
mod verify;
#[cfg(feature = "restore")]
mod workspace;

#[cfg(feature = "restore")]
pub use classify::{JudgedEntry, StderrVerdict, judge_stderr};
#[cfg(feature = "restore")]
pub use events::RestoreEvent;
#[cfg(feature = "restore")]
pub use executor::Executor;
#[cfg(feature = "restore")]
pub use options::{LeaveOut, MAX_JOBS, RestoreOptions, RestoreOutcome, StepTimings};
#[cfg(feature = "restore")]
pub use plan::{
    PinnedMode, PinnedPlan, PinnedTarget, PlanPart, PlannedBackup, PlannedCreation, PlannedDisk, PlannedOptions,
    PlannedOverwrite, PlannedTarget, PlannedTools, RestorePlan, changed_parts, check_plan, plan_digest,
};
#[cfg(feature = "restore")]
pub use planning::TargetSurvey;
#[cfg(feature = "restore")]
pub use workspace::room;

/// Awaits `work` unless `cancel` comes first; then `work` is dropped, which ends the children it runs.
#[cfg(feature = "restore")]
async fn unless_cancelled<T>(
    cancel: &tokio_util::sync::CancellationToken,
    work: impl Future<Output = Result<T, crate::Error>>,
) -> Result<T, crate::Error> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(crate::Error::cancelled()),
        outcome = work => outcome,
    }
}
