//! Turns due schedules into queued backups: one missed run is made up for, never a storm of them.

use walwarden_contract::{DatabaseId, Timestamp};

use super::backups::{ScheduledRun, queue_scheduled, record_skipped};
use super::schedule;
use crate::store::databases::{Database, advance_schedule};
use crate::store::{Result, Store};
use crate::system::{System, after};

/// How many due databases one look takes on; the next look takes on the rest.
const BATCH: u32 = 500;
/// How many of them one transaction moves on: enough to share the cost of a commit, few enough not to keep others waiting.
const TOGETHER: usize = 50;
/// Up to how many missed runs are counted.
const COUNTED: u32 = 1000;

/// How scheduled backups are queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchedulePolicy {
    /// After this many attempts a backup fails for good.
    pub max_attempts: u32,
    /// Over how long the runs of one moment are spread, in milliseconds; never over more than a tenth of the time to the
    /// next run.
    pub spread_millis: i64,
}

/// Queues a backup for every database whose schedule is due, and answers how many were queued.
///
/// # Errors
/// When the store fails.
pub async fn tick(store: &Store, system: &System, policy: SchedulePolicy) -> Result<usize> {
    let mut queued = 0;
    let now = system.now();
    for databases in store.due_databases(now, BATCH).await?.chunks(TOGETHER) {
        let mut tx = store.begin().await?;
        let (mut queued_here, mut skipped) = (0, Vec::new());
        for database in databases {
            let next = database.schedule.as_deref().and_then(|cron| schedule::next_after(cron, now).ok());
            // Whoever moves the schedule on queues the backup: two schedulers never queue the same run.
            if !advance_schedule(&mut tx, database, next).await? {
                continue;
            }
            let run = run(database, now, next, policy);
            match queue_scheduled(&mut tx, system, database, run, policy.max_attempts).await? {
                Ok(_) => queued_here += 1,
                Err(run) => {
                    tracing::warn!(database_id = %database.id, "scheduled run skipped: the backup before it goes on");
                    skipped.push(run);
                }
            }
        }
        record_skipped(&mut tx, skipped).await?;
        tx.commit().await?;
        queued += queued_here;
    }
    Ok(queued)
}

fn run(database: &Database, now: Timestamp, next: Option<Timestamp>, policy: SchedulePolicy) -> ScheduledRun {
    let due_at = database.next_run_at.unwrap_or(now);
    let room = next.map_or(0, |next| next.as_millis().saturating_sub(now.as_millis()) / 10);
    let not_before = after(now, offset(database.id, policy.spread_millis.min(room)));
    ScheduledRun { due_at, missed: missed(database, due_at, now), not_before }
}

/// The same for every run of a database, so that its backups stay equally far apart.
fn offset(id: DatabaseId, spread_millis: i64) -> i64 {
    let (_, random) = id.as_uuid().as_u64_pair();
    i64::try_from(random % (spread_millis.max(0).unsigned_abs() + 1)).unwrap_or_default()
}

fn missed(database: &Database, due_at: Timestamp, now: Timestamp) -> u32 {
    let mut at = due_at;
    for missed in 0..COUNTED {
        match database.schedule.as_deref().map(|cron| schedule::next_after(cron, at)) {
            Some(Ok(next)) if next <= now => at = next,
            _ => return missed,
        }
    }
    COUNTED
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_database_keeps_its_place_within_the_spread_and_databases_differ() {
        let id = |low: u64| DatabaseId::from_uuid(Uuid::from_u64_pair(1, low));
        assert_eq!(offset(id(70_123), 60_000), offset(id(70_123), 60_000));
        assert_ne!(offset(id(70_123), 60_000), offset(id(70_124), 60_000));
        assert_eq!(offset(id(u64::MAX), 0), 0);
        for low in [0, 1, 59_999, 60_000, 60_001, u64::MAX] {
            assert!((0..=60_000).contains(&offset(id(low), 60_000)));
        }
    }
}
