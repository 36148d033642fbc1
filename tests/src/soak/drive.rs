//! Keeps every database busy: it is changed, what it holds then is written down, and a backup is asked for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::installation::{Installation, Source};
use crate::postgres::TableDigests;

/// How often a job is looked at.
const LOOK: Duration = Duration::from_secs(1);

const CHANGE: &str = "UPDATE shop.customers SET name = md5(random()::text) WHERE id % 5 = (random() * 4)::int;
    INSERT INTO shop.settings VALUES (md5(random()::text), now()::text);";

/// A job that was asked for.
#[derive(Debug)]
pub(super) struct Job {
    /// Which database.
    pub(super) source: usize,
    /// What it held while the job was under way.
    pub(super) content: TableDigests,
    /// The job as it ended.
    pub(super) ended: Option<Value>,
    looked_at: Instant,
}

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Drive {
    /// By id, and so by age.
    pub(super) jobs: BTreeMap<String, Job>,
    running: BTreeMap<usize, String>,
    /// When the next backup of a database is asked for.
    next: BTreeMap<usize, Instant>,
}

impl Drive {
    /// Whether a job has not ended.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// Looks at what runs, and where nothing has for as long as a database rests, asks for the next backup.
    pub(super) fn step(&mut self, installation: &Installation<'_>, rest: Duration, more: bool) -> Result<()> {
        let now = Instant::now();
        for (index, source) in installation.sources.iter().enumerate() {
            // So that they do not all come at once.
            let (place, all) = (u32::try_from(index)?, u32::try_from(installation.sources.len())?);
            let first = rest / all * place;
            let next = *self.next.entry(index).or_insert(now + first);
            if let Some(id) = self.running.get(&index) {
                if !self.has_ended(installation, &id.clone())? {
                    continue;
                }
                self.running.remove(&index);
                self.next.insert(index, now + rest);
            } else if more && now >= next {
                self.ask(installation, index, source)?;
            }
        }
        Ok(())
    }

    fn has_ended(&mut self, installation: &Installation<'_>, id: &str) -> Result<bool> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(true) };
        if job.looked_at.elapsed() < LOOK {
            return Ok(false);
        }
        job.looked_at = Instant::now();
        let now = installation.job(id)?;
        if !matches!(now["state"].as_str(), Some("completed" | "failed_terminal" | "cancelled")) {
            return Ok(false);
        }
        job.ended = Some(now);
        Ok(true)
    }

    fn ask(&mut self, installation: &Installation<'_>, index: usize, source: &Source) -> Result<()> {
        let postgres = installation.context.postgres();
        // Only while no backup of it is under way: so it is known what the next one has to hold.
        postgres.psql(&source.database.name, CHANGE)?;
        let content = postgres.table_digests(&source.database.name)?;
        let id = installation.trigger(source)?;
        self.running.insert(index, id.clone());
        self.jobs.insert(id, Job { source: index, content, ended: None, looked_at: Instant::now() });
        Ok(())
    }
}
