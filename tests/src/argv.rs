//! Every argv seen on this machine while the tests ran: a secret in one of them is visible to every user.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::runtime::lock;

/// Time between two looks. A process that lives shorter than this can be missed, one that reaches Postgres or S3 cannot.
const INTERVAL: Duration = Duration::from_millis(4);
/// A new process is read at each of its first looks, since exec changes its argv; later only now and then.
const YOUNG_LOOKS: u32 = 50;
const OLD_EVERY: u32 = 50;

/// Collects distinct argvs in a thread of its own, until it is stopped or dropped.
#[derive(Debug)]
pub struct ArgvSampler {
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ArgvSampler {
    /// Starts sampling.
    #[must_use]
    pub fn start() -> Self {
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            move || {
                let mut looks = HashMap::new();
                while !stop.load(Ordering::Relaxed) {
                    sweep(&mut looks, &seen);
                    thread::sleep(INTERVAL);
                }
            }
        });
        Self { seen, stop, thread: Some(thread) }
    }

    /// One that never looks.
    #[must_use]
    pub fn idle() -> Self {
        Self { seen: Arc::default(), stop: Arc::default(), thread: None }
    }

    /// What was seen up to now: arguments separated by NUL, as the kernel shows them.
    #[must_use]
    pub fn seen(&self) -> Vec<Vec<u8>> {
        lock(&self.seen).iter().cloned().collect()
    }

    /// Ends sampling and returns what was seen.
    #[must_use]
    pub fn stop(mut self) -> Vec<Vec<u8>> {
        self.halt();
        self.seen()
    }

    fn halt(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the sampler leaves fewer samples; the self-tests prove that it samples.
            let _ = thread.join();
        }
    }
}

impl Drop for ArgvSampler {
    fn drop(&mut self) {
        self.halt();
    }
}

fn sweep(looks: &mut HashMap<u32, u32>, seen: &Mutex<BTreeSet<Vec<u8>>>) {
    let Ok(entries) = fs::read_dir("/proc") else { return };
    let mut alive = HashSet::new();
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        alive.insert(pid);
        let count = looks.entry(pid).or_insert(0);
        *count = count.wrapping_add(1);
        if *count > YOUNG_LOOKS && !count.is_multiple_of(OLD_EVERY) {
            continue;
        }
        let Ok(argv) = fs::read(format!("/proc/{pid}/cmdline")) else {
            continue;
        };
        let mut seen = lock(seen);
        if !argv.is_empty() && !seen.contains(&argv) {
            seen.insert(argv);
        }
    }
    looks.retain(|pid, _| alive.contains(pid));
}
