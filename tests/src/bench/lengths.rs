//! What a worker holds at its peak, for artifacts of several lengths.
//!
//! The rows are long and alike, so that the database on disk is a hundredth of its uncompressed dump: what limits the length is
//! the bucket's disk alone.

use std::fmt;

use anyhow::{Context, Result, ensure};

use super::installation::{Backup, Installation};
use super::measure::in_mebibytes;
use super::memory::{Resident, resident};
use super::{machine, progress};
use crate::harness::TestContext;
use crate::postgres::{Database, PostgresServer};

/// One row, of one MiB; the others are copies of it, which Postgres keeps as compressed as the first.
const FIRST_ROW: &str = "
CREATE TABLE filler (id bigint PRIMARY KEY, body text NOT NULL);
INSERT INTO filler VALUES (1, repeat('0123456789abcde ', 65536));
";

/// What was measured, for each length.
#[derive(Debug)]
pub struct Report {
    machine: String,
    idle: Resident,
    backups: Vec<Backup>,
}

/// Backs up a dump of each length in GiB, the shortest first.
pub fn run(context: &TestContext, lengths: &[u32]) -> Result<Report> {
    let machine = machine::describe()?;
    let source = context.database()?;
    context.postgres().psql_as_owner(&source, FIRST_ROW)?;
    let bucket = context.bucket(false)?;
    let installation = Installation::new(context, &source, &bucket, Some("none"))?;
    let idle = resident(installation.server.pid())?;
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let mut backups = Vec::new();
    for gibibytes in sorted {
        progress(&format!("a dump of {gibibytes} GiB"));
        grow(context.postgres(), &source, u64::from(gibibytes) << 10)?;
        let backup = installation.backup()?;
        let (size, least) = (backup.size_bytes, u64::from(gibibytes) << 30);
        ensure!(size >= least, "the artifact has {size} bytes, which is too short for {gibibytes} GiB");
        bucket.delete(&backup.key).context("cannot make room for the next")?;
        backups.push(backup);
    }
    Ok(Report { machine, idle, backups })
}

/// Fills the table up to so many rows.
fn grow(server: &PostgresServer, source: &Database, rows: u64) -> Result<()> {
    server.psql_as_owner(
        source,
        &format!(
            "INSERT INTO filler SELECT id, (SELECT body FROM filler WHERE id = 1)
             FROM generate_series((SELECT max(id) + 1 FROM filler), {rows}) id;
             VACUUM ANALYZE filler;"
        ),
    )?;
    server.psql("postgres", "CHECKPOINT").map(drop)
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "machine   {}", self.machine)?;
        writeln!(
            formatter,
            "server    idle {:.1} MiB resident; bar: 160 MiB above it, whatever the length\n",
            in_mebibytes(self.idle.all)
        )?;
        let [artifact, above, anonymous, wall, rate] = ["artifact", "above idle", "anonymous", "backup", "per second"];
        writeln!(formatter, "{artifact:>12} {above:>12} {anonymous:>12} {wall:>10} {rate:>12}")?;
        for backup in &self.backups {
            let (size, wall) = (in_mebibytes(backup.size_bytes), backup.wall.as_secs_f64());
            let above = in_mebibytes(backup.peak.all.saturating_sub(self.idle.all));
            let anonymous = in_mebibytes(backup.peak.anonymous.saturating_sub(self.idle.anonymous));
            let rate = size / wall;
            writeln!(formatter, "{size:>8.0} MiB {above:>8.1} MiB {anonymous:>8.1} MiB {wall:>8.1} s {rate:>8.0} MiB")?;
        }
        Ok(())
    }
}
