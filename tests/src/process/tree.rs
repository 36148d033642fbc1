//! The processes that a program started.

use std::fs;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// The processes below `ancestor` as (pid, program name, argv with NULs), children before grandchildren.
#[must_use]
pub fn descendants(ancestor: u32) -> Vec<(u32, String, Vec<u8>)> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // The name is in parentheses and may contain anything, so the fields are counted from the last one.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let Some((head, tail)) = stat.rsplit_once(") ") else {
            continue;
        };
        let Some(parent) = tail.split(' ').nth(1).and_then(|field| field.parse::<u32>().ok()) else {
            continue;
        };
        let name = head.split_once(" (").map_or("", |(_, name)| name).to_owned();
        parents.push((pid, parent, name));
    }
    let mut found: Vec<(u32, String, Vec<u8>)> = Vec::new();
    let mut generation = vec![ancestor];
    while !generation.is_empty() {
        let next: Vec<_> = parents.iter().filter(|(_, parent, _)| generation.contains(parent)).collect();
        for (pid, _, name) in &next {
            found.push((*pid, name.clone(), fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()));
        }
        generation = next.iter().map(|(pid, _, _)| *pid).collect();
    }
    found
}

/// Sends a signal to every descendant of `ancestor` with this program name, and returns how many got it.
pub fn signal_descendants(ancestor: u32, program: &str, signal: Signal) -> Result<usize> {
    let mut count = 0;
    for (pid, name, _) in descendants(ancestor) {
        if name == program {
            let pid = Pid::from_raw(i32::try_from(pid)?).context("a process id is never zero")?;
            kill_process(pid, signal).with_context(|| format!("cannot signal {program}"))?;
            count += 1;
        }
    }
    Ok(count)
}

/// The state of a process, as a letter: `T` for one that is stopped. None for one that is gone.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
