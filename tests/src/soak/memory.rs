//! The memory of every process over time: it must not grow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::installation::Installation;
use super::report::{Growth, Report};
use crate::bench::memory::resident;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// How much more the last quarter may hold than the first: the first has not yet had every buffer.
const ROOM_MIB: u64 = 32;
const ROOM_PERCENT: u64 = 25;

/// What was seen, by process.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: BTreeMap<String, Vec<u64>>,
    looked_at: Option<Instant>,
}

impl Memory {
    pub(super) fn look(&mut self, installation: &Installation<'_>) {
        if self.looked_at.is_some_and(|at| at.elapsed() < INTERVAL) {
            return;
        }
        self.looked_at = Some(Instant::now());
        let workers =
            installation.workers.iter().enumerate().map(|(index, worker)| (format!("worker {index}"), worker));
        for (name, server) in workers.chain([("api".to_owned(), &installation.api)]) {
            // One that was killed this moment has no memory any more.
            if let Ok(now) = resident(server.pid()) {
                self.seen.entry(name).or_default().push(now.anonymous);
            }
        }
    }

    /// Compares the first quarter of the time with the last.
    pub(super) fn judge(self, report: &mut Report) {
        for (name, samples) in self.seen {
            let quarter = samples.len().div_ceil(4);
            let mean = |samples: &[u64]| samples.iter().sum::<u64>() / samples.len().max(1) as u64;
            let first = mean(&samples[..quarter]) >> 20;
            let last = mean(&samples[samples.len() - quarter..]) >> 20;
            if last > first + first * ROOM_PERCENT / 100 + ROOM_MIB {
                report.breach(format!("{name} grew from {first} MiB to {last} MiB"));
            }
            let peak = samples.iter().max().copied().unwrap_or_default() >> 20;
            report.memory.insert(name, Growth { first_quarter_mib: first, last_quarter_mib: last, peak_mib: peak });
        }
    }
}
