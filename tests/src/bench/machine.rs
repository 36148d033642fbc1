//! What the figures were measured on.

use std::fs;

use anyhow::{Context, Result};

use super::measure::in_mebibytes;

/// Cores, memory and kernel, in one line.
pub(super) fn describe() -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()))
        .unwrap_or("unknown processor");
    let memory = fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
    let bytes = field(&memory, "MemTotal:").unwrap_or(0) << 10;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Ok(format!(
        "{} cores ({model}), {:.1} GiB RAM, Linux {}; load at the start {}",
        cores(),
        in_mebibytes(bytes) / 1024.0,
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    ))
}

/// As many as this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// The number after a label in a file of `/proc`.
pub(super) fn field(text: &str, label: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(label))?.split_whitespace().next()?.parse().ok()
}
