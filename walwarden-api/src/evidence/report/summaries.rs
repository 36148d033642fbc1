//! Each section of the facts in a sentence, as it stands beside a control. Pure.

use super::counts::Summary;
use super::document::{Facts, Records};
use super::findings::Section;

/// What a section comes to.
#[must_use]
pub(super) fn of(section: Section, summary: &Summary, facts: &Facts, records: &Records) -> String {
    let Summary { runs, backups, restores, .. } = summary;
    match section {
        Section::Schedules => format!(
            "Databases: {}. Of {} runs that their schedules asked for, {} completed, {} failed, {} were missed, {} left out, {} cancelled, \
             {} not ended or not due.",
            summary.databases,
            runs.expected,
            runs.completed,
            runs.failed,
            runs.missed,
            runs.skipped,
            runs.cancelled,
            runs.in_progress + runs.open
        ),
        Section::Backups => format!(
            "Backups: {} completed ({} on demand), {} bytes; the completion of {} says what was read back and compared; {} failed for good.",
            backups.completed,
            backups.completed_on_demand,
            backups.size_bytes,
            backups.verification_recorded,
            backups.failed
        ),
        Section::Restores => match restores.opened {
            0 => "No restore in this period.".to_owned(),
            opened => format!(
                "Restores: {opened} opened, {} completed, {} of them after hash and signature were verified{}; {} failed or fell silent.",
                restores.completed,
                restores.drills,
                restores
                    .longest_drill_seconds
                    .map_or_else(String::new, |seconds| format!(" (the longest took {seconds} seconds)")),
                restores.failed + restores.timed_out
            ),
        },
        Section::Retention => format!(
            "Completed backups: {}; locked: {}, with a lock that has ended: {}, without one on record: {}. Backups deleted by retention: {}; \
             deletions refused: {}.",
            backups.completed,
            backups.locked,
            backups.lock_ended,
            backups.not_locked + backups.lock_unknown,
            facts.deletions.total,
            facts.refusals.total
        ),
        Section::Access => format!(
            "API keys: {} events; issued and not revoked by the end of the period: {}.",
            facts.access.total, summary.keys_in_force
        ),
        Section::Changes => format!(
            "Changes of databases: {} events; of destinations: {}.",
            facts.database_changes.total, facts.destination_changes.total
        ),
        Section::Keys => format!("Signing and sealing keys: {} events.", facts.keys.total),
        Section::Exports => format!("Evidence handed out: {} times.", facts.exports.total),
        Section::Looks => format!(
            "Regular looks: {} events of what they found; the last inventory: {}.",
            facts.looks.total,
            records.inventory_result.as_deref().unwrap_or("none yet")
        ),
        Section::Log => format!(
            "The organization's own chain ({} events) {}; chains of jobs read: {}; chains that do not hold by the last look at all of them: {}; checkpoints signed in the period: {}, \
             copies of them in buckets: {} of {}.",
            records.organization_events,
            if records.organization_break.is_none() { "holds" } else { "does not hold" },
            records.job_chains,
            records.broken_chains,
            records.checkpoints.signed,
            records.checkpoints.copies_written,
            records.checkpoints.copies
        ),
    }
}
