//! Runs that a schedule asked for, held against the jobs that there are.

use walwarden_contract::model::InventoryFindingCode as Code;
use walwarden_contract::{DatabaseId, OrgId, Timestamp};

use super::findings::{About, Findings};
use crate::jobs::retention::Keeper;
use crate::jobs::schedule::next_after;
use crate::store::databases::Database;
use crate::store::inventory::Run;
use crate::store::{Result, StoreError};
use crate::system::after;

const HOUR_MILLIS: i64 = 3_600_000;
/// How far back runs are looked for.
const WINDOW_MILLIS: i64 = 7 * 24 * HOUR_MILLIS;
/// The same where there are several runs an hour.
const SHORT_WINDOW_MILLIS: i64 = 24 * HOUR_MILLIS;
/// How long after its time a run may begin.
const GRACE_MILLIS: i64 = HOUR_MILLIS;
const PAGE: u32 = 200;

/// Compares the schedule of every database, or of one, with its runs.
pub(super) async fn compare(
    keeper: &Keeper,
    org_id: OrgId,
    only: Option<DatabaseId>,
    findings: &mut Findings,
) -> Result<()> {
    let mut last = None;
    loop {
        let page = match only {
            Some(id) => vec![keeper.store.database(org_id, id).await?],
            None => keeper.store.databases(org_id, last, PAGE).await?,
        };
        let Some((newest, _)) = page.last() else { return Ok(()) };
        last = Some(newest.id);
        for (database, _) in page.iter().filter(|(database, _)| database.schedule.is_some()) {
            findings.schedules += 1;
            match of_database(keeper, database, findings).await {
                Err(StoreError::Corrupt(what)) => {
                    let about = About { database_id: Some(database.id), ..About::default() };
                    let evidence = format!("The record of a backup of this database holds an unreadable {what}.");
                    findings.add(Code::RecordDisagrees, about, evidence);
                }
                compared => compared?,
            }
        }
        if only.is_some() {
            return Ok(());
        }
    }
}

/// The times between `from` and `now` at which a run had to begin, with the time by which it had to.
fn expected(cron: &str, from: Timestamp, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut all = Vec::new();
    let Ok(mut at) = next_after(cron, from) else { return all };
    while after(at, GRACE_MILLIS) <= now {
        let Ok(next) = next_after(cron, at) else { break };
        all.push((at, next.max(after(at, GRACE_MILLIS))));
        at = next;
    }
    all
}

/// Where the window begins: not before the database was last changed, since it may have had another schedule.
fn window(cron: &str, database: &Database, now: Timestamp) -> Timestamp {
    let often = |from| {
        let first = next_after(cron, from).ok()?;
        let second = next_after(cron, first).ok()?;
        Some(second < after(first, HOUR_MILLIS))
    };
    let start = after(now, -WINDOW_MILLIS);
    let start = if often(start) == Some(true) { after(now, -SHORT_WINDOW_MILLIS) } else { start };
    start.max(database.updated_at).max(database.created_at)
}

/// Whether a run answers for the time `from`, or went on while it came.
fn answers(run: &Run, from: Timestamp, by: Timestamp) -> bool {
    let (_, queued, ended) = run;
    (from..=by).contains(queued) || (*queued < from && ended.is_none_or(|ended| ended >= from))
}

async fn of_database(keeper: &Keeper, database: &Database, findings: &mut Findings) -> Result<()> {
    let Some(cron) = database.schedule.as_deref() else { return Ok(()) };
    let now = keeper.system.now();
    let from = window(cron, database, now);
    let expected = expected(cron, from, now);
    let Some((first, _)) = expected.first() else { return Ok(()) };
    // A run that was queued before the window may have gone on into it.
    let mut runs = Vec::new();
    loop {
        let since = after(*first, -SHORT_WINDOW_MILLIS);
        let last = runs.last().map(|(id, ..): &Run| *id);
        let page = keeper.store.runs(database.org_id, database.id, since, last, PAGE).await?;
        let whole = page.len() < PAGE as usize;
        runs.extend(page);
        if whole {
            break;
        }
    }
    // Runs that are missing one after another are one finding.
    let mut missing: Vec<Timestamp> = Vec::new();
    for (at, by) in expected {
        if runs.iter().any(|run| answers(run, at, by)) {
            add(database, &missing, findings);
            missing.clear();
        } else {
            missing.push(at);
        }
    }
    add(database, &missing, findings);
    Ok(())
}

fn add(database: &Database, missing: &[Timestamp], findings: &mut Findings) {
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else { return };
    let about =
        About { database_id: Some(database.id), destination_id: Some(database.destination_id), ..About::default() };
    let evidence = match missing.len() {
        1 => format!("The schedule asked for a run at {first}, and there is no job of that time."),
        runs => format!("The schedule asked for {runs} runs from {first} to {last}, and there is no job of that time."),
    };
    findings.add(Code::MissingRun, about, evidence);
}

#[cfg(test)]
mod tests {
    use walwarden_contract::BackupJobId;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_run_is_missing_only_when_its_time_is_over() {
        let from = at("2026-01-31T00:00:00Z");
        let due = |now| expected("0 2 * * *", from, at(now)).len();
        assert_eq!((due("2026-01-31T02:59:59Z"), due("2026-01-31T03:00:00Z"), due("2026-02-02T03:00:00Z")), (0, 1, 3));
    }

    #[test]
    fn a_run_answers_for_its_time_and_for_those_that_came_while_it_went_on() {
        let id = BackupJobId::from_uuid(uuid::Uuid::from_u128(1));
        let (from, by) = (at("2026-01-31T02:00:00Z"), at("2026-01-31T03:00:00Z"));
        let run = |queued, ended: Option<&str>| (id, at(queued), ended.map(at));
        assert!(answers(&run("2026-01-31T02:00:01Z", None), from, by));
        assert!(answers(&run("2026-01-31T01:00:00Z", Some("2026-01-31T02:30:00Z")), from, by));
        assert!(answers(&run("2026-01-31T01:00:00Z", None), from, by));
        assert!(!answers(&run("2026-01-31T01:00:00Z", Some("2026-01-31T01:30:00Z")), from, by));
        assert!(!answers(&run("2026-01-31T03:30:00Z", None), from, by));
    }
}
