//! What is reported: for a person, and as one JSON document behind it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::options::Options;

/// A process's memory without mapped files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the unit belongs to each of the three numbers")]
pub struct Growth {
    /// In the first quarter of the time, on average.
    pub first_quarter_mib: u64,
    /// In the last.
    pub last_quarter_mib: u64,
    /// At most.
    pub peak_mib: u64,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// From the first fault to the end of the last job, in seconds.
    pub seconds: u64,
    /// Databases.
    pub databases: u32,
    /// Worker processes.
    pub workers: u32,
    /// What decided the faults.
    pub seed: u64,
    /// Workers killed and started anew.
    pub kills: u64,
    /// Workers that stood still and went on.
    pub pauses: u64,
    /// Faults on the way to the bucket, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Jobs, by how they ended: `completed`, or the error's code.
    pub jobs: BTreeMap<String, u64>,
    /// Attempts of all jobs.
    pub attempts: u64,
    /// Backups that were restored and compared with their source.
    pub restored: u64,
    /// Audit chains that were verified.
    pub chains: u64,
    /// How long it took until the bucket listed no unfinished upload any more, in seconds.
    pub uploads_cleared_seconds: u64,
    /// By process.
    pub memory: BTreeMap<String, Growth>,
    /// What must not be. Empty when all is well.
    pub breaches: Vec<String>,
}

impl Report {
    pub(super) fn new(
        options: &Options,
        ran: Duration,
        faults: BTreeMap<&'static str, u64>,
        (kills, pauses): (u64, u64),
    ) -> Self {
        Self {
            seconds: ran.as_secs(),
            databases: options.databases,
            workers: options.workers,
            seed: options.seed,
            kills,
            pauses,
            faults,
            jobs: BTreeMap::new(),
            attempts: 0,
            restored: 0,
            chains: 0,
            uploads_cleared_seconds: 0,
            memory: BTreeMap::new(),
            breaches: Vec::new(),
        }
    }

    pub(super) fn breach(&mut self, what: impl Into<String>) {
        self.breaches.push(what.into());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, databases, workers, seed, kills, pauses, attempts, restored, chains, .. } = self;
        writeln!(formatter, "{seconds} s, {databases} databases, {workers} workers, seed {seed}")?;
        writeln!(formatter, "{kills} workers killed, {pauses} paused; faults of the bucket: {:?}", self.faults)?;
        writeln!(formatter, "jobs: {:?}, {attempts} attempts", self.jobs)?;
        writeln!(formatter, "{restored} restored and compared, {chains} chains verified")?;
        writeln!(formatter, "no unfinished upload left after {} s", self.uploads_cleared_seconds)?;
        for (name, growth) in &self.memory {
            let Growth { first_quarter_mib, last_quarter_mib, peak_mib } = growth;
            writeln!(
                formatter,
                "{name}: {first_quarter_mib} MiB, then {last_quarter_mib} MiB, at most {peak_mib} MiB"
            )?;
        }
        for breach in &self.breaches {
            writeln!(formatter, "BREACH: {breach}")?;
        }
        let verdict = if self.breaches.is_empty() { "all is well" } else { "not all is well" };
        writeln!(formatter, "{verdict}")?;
        write!(formatter, "{}", serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
