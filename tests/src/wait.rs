//! Waiting for something to become true, with a deadline and a name for what never came.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Calls `probe` until it returns a value. The deadline's error carries `what` and the last error of the probe.
pub fn wait_for<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    let mut last = String::from("it was never true");
    loop {
        match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {}
            Err(error) => last = format!("{error:#}"),
        }
        if started.elapsed() >= deadline {
            bail!("waited {deadline:?} for {what}: {last}");
        }
        thread::sleep(POLL_INTERVAL);
    }
}
