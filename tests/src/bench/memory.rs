//! A process's memory, while something else runs.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::machine::field;

/// Between two looks: parts are filled and sent within some tens of milliseconds.
const INTERVAL: Duration = Duration::from_millis(10);

/// Resident memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Resident {
    /// All of it.
    pub(crate) all: u64,
    /// Without mapped files.
    pub(crate) anonymous: u64,
}

impl Resident {
    pub(super) fn max_of(self, other: Self) -> Self {
        Self { all: self.all.max(other.all), anonymous: self.anonymous.max(other.anonymous) }
    }
}

/// What a process holds now.
pub(crate) fn resident(pid: u32) -> Result<Resident> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let bytes = |label| field(&status, label).map(|kibibytes| kibibytes * 1024);
    Ok(Resident { all: bytes("VmRSS:").context("no VmRSS")?, anonymous: bytes("RssAnon:").context("no RssAnon")? })
}

/// Looks at a process until it is asked for the peak.
#[derive(Debug)]
pub(super) struct PeakSampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Resident>,
}

impl PeakSampler {
    pub(super) fn start(pid: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut peak = Resident::default();
                while !stop.load(Ordering::Relaxed) {
                    peak = resident(pid).map_or(peak, |now| peak.max_of(now));
                    thread::sleep(INTERVAL);
                }
                peak
            }
        });
        Self { stop, thread }
    }

    pub(super) fn peak(self) -> Result<Resident> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the memory sampler panicked"))
    }
}
