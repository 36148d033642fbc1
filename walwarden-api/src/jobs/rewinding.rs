//! Brings forward what waits for a time that only a clock which was ahead could name. A moment of such a clock would otherwise
//! keep schedules, retries and the jobs of dead workers waiting for as long as it was ahead.

use walwarden_contract::Timestamp;

use super::backups::RetryPolicy;
use super::schedule::next_after;
use super::scheduler::SchedulePolicy;
use crate::store::databases::Scheduled;
use crate::store::{Result, Store};
use crate::system::{System, after};

/// How many schedules are read at once.
const PAGE: u32 = 500;
/// No lease that this clock gave ends later.
const LONGEST_LEASE_MILLIS: i64 = 2 * 3_600_000;

/// How much was brought forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// Schedules, to their next run.
    pub schedules: usize,
    /// Queued jobs, to now.
    pub jobs: u64,
    /// Leases; a worker that lives extends its own long before the new end.
    pub leases: u64,
}

/// Looks at every schedule, every queued job and every lease.
///
/// # Errors
/// When the store fails.
pub async fn bring_forward(store: &Store, system: &System, policy: SchedulePolicy) -> Result<Brought> {
    let now = system.now();
    let longest_wait = RetryPolicy::LONGEST_DELAY_MILLIS + policy.spread_millis;
    let mut brought = Brought {
        jobs: store.hasten_queued(after(now, longest_wait), now).await?,
        leases: store.shorten_leases(after(now, LONGEST_LEASE_MILLIS)).await?,
        schedules: 0,
    };
    let mut last = None;
    loop {
        let page = store.scheduled_databases(last, PAGE).await?;
        for scheduled in &page {
            if let Some(next) = earlier(scheduled, now)
                && store.hasten_schedule(scheduled, next).await?
            {
                brought.schedules += 1;
            }
        }
        match page.last() {
            Some(scheduled) if page.len() == PAGE as usize => last = Some(scheduled.id),
            _ => return Ok(brought),
        }
    }
}

/// The next run, where it is before the one that is waited for.
fn earlier(scheduled: &Scheduled, now: Timestamp) -> Option<Timestamp> {
    next_after(&scheduled.schedule, now).ok().filter(|next| *next < scheduled.next_run_at)
}
