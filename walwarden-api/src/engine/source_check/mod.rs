//! Everything that a backup asks of a source, looked at as a whole: what is wrong with it is told at once.

mod findings;
mod notes;
mod providers;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use walwarden_contract::model::{SourceCheckId as Check, SourceCheckReport};
use walwarden_sdk::postgres::{Ambient, Dsn, Inspection, QueryError, ToolError, ToolName, ToolVersion, Tools, inspect};

use self::notes::Notes;
pub use self::providers::direct_hosts;
use crate::config::Settings;
use crate::system::System;

/// How many sources one process looks at at the same time.
const AT_ONCE: usize = 8;
/// How long one look may take: a request has 30 seconds.
const DEADLINE: Duration = Duration::from_secs(10);
/// How many random bytes mark a session.
const MARKER_BYTES: usize = 12;

/// What looks at sources.
#[derive(Debug, Clone)]
pub struct SourceChecker {
    /// Where the Postgres tools are.
    pub tools: Tools,
    /// What the parts of one backup may use.
    pub part_memory_bytes: u64,
    /// Each look starts several processes.
    permits: Arc<Semaphore>,
}

impl SourceChecker {
    /// With the tools and the memory that the settings give.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self::with(settings.tools(), settings.part_memory_bytes())
    }

    fn with(tools: Tools, part_memory_bytes: u64) -> Self {
        Self { tools, part_memory_bytes, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Looks at a source. What fails is in the report.
    pub async fn run(&self, system: &System, dsn: &Dsn) -> SourceCheckReport {
        // Nobody closes it, so that there is always a permit in the end.
        let _permit = self.permits.acquire().await;
        let mut notes = Notes::new(providers::of_hosts(dsn));
        let marker = hex::encode(system.random::<MARKER_BYTES>());
        let (pg_dump, seen) = tokio::join!(self.tools.version(ToolName::PgDump), self.look(dsn, &marker));
        findings::hosts(dsn, &mut notes);
        match seen {
            Ok(seen) => {
                tools(&pg_dump, &mut notes);
                session::established(dsn, &seen, &mut notes);
                findings::server(&seen.facts, pg_dump.as_ref().ok(), &mut notes);
                findings::privileges(&seen.facts, &mut notes);
                findings::contents(&seen.facts, &mut notes);
                findings::size(&seen.facts, self.part_memory_bytes, &mut notes);
            }
            Err(QueryError::ToolMissing(error)) => {
                notes.skipped(Check::ClientTools, error.to_string());
                notes.without_tools();
            }
            Err(error) => {
                tools(&pg_dump, &mut notes);
                session::refused(&error, &mut notes);
            }
        }
        let report = notes.into_report(system.now());
        crate::telemetry::source_checked(&report);
        report
    }

    async fn look(&self, dsn: &Dsn, marker: &str) -> Result<Inspection, QueryError> {
        // The process's own PG* variables are not the source's business.
        let connection = dsn.libpq_env(None, &Ambient::default()).map_err(|source| {
            QueryError::ToolMissing(ToolError::Failed(walwarden_sdk::postgres::SpawnError::Io {
                program: ToolName::Psql.to_string(),
                source,
            }))
        })?;
        let look = inspect(&self.tools, &connection, marker, DEADLINE);
        tokio::time::timeout(DEADLINE, look).await.unwrap_or(Err(QueryError::DeadlineExceeded { deadline: DEADLINE }))
    }
}

/// What looks may lack the tool that dumps: the worker's is the one that counts.
fn tools(pg_dump: &Result<ToolVersion, ToolError>, notes: &mut Notes) {
    match pg_dump {
        Ok(version) => match version.advisory() {
            Some(advisory) => notes.warning(
                Check::ClientTools,
                format!("pg_dump is {version}, which has known vulnerabilities"),
                format!("On the worker, {advisory}."),
            ),
            None => notes.passed(Check::ClientTools, format!("pg_dump is {version}")),
        },
        Err(error) => notes.warning(
            Check::ClientTools,
            error.to_string(),
            "Workers need pg_dump (Debian: `apt-get install postgresql-client`); a process that only answers requests does not."
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
