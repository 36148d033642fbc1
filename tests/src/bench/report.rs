//! The table: each figure with the bar it is held against.

use std::fmt;

use super::measure::{Samples, in_mebibytes};
use super::memory::Resident;
use super::options::Options;

/// Everything that was measured: seconds, unless it says otherwise.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) bare_dump: Samples,
    pub(super) piped_dump: Samples,
    pub(super) piped_upload: Samples,
    pub(super) backup: Samples,
    pub(super) backup_dump: Samples,
    pub(super) backup_seal: Samples,
    pub(super) reference: Samples,
    pub(super) restore: Samples,
    /// Without ANALYZE, which bare `pg_restore` does not do.
    pub(super) restore_bare: Samples,
    pub(super) download: Samples,
    pub(super) verify: Samples,
    pub(super) loading: Samples,
    pub(super) analyze: Samples,
    pub(super) restore_piped: Samples,
    pub(super) restore_seekable: Samples,
    pub(super) by_hand: Samples,
    pub(super) version: Samples,
    pub(super) nothing: Samples,
    /// The server before its first job.
    pub(super) idle: Resident,
    /// The server at its peak.
    pub(super) peak: Resident,
}

/// What one run of the benchmark found.
#[derive(Debug)]
pub struct Report {
    pub(super) machine: String,
    pub(super) postgres: String,
    pub(super) options: Options,
    pub(super) jobs: usize,
    pub(super) database_bytes: u64,
    pub(super) artifact_bytes: u64,
    pub(super) compression: String,
    pub(super) figures: Figures,
}

/// A line of the table.
struct Line<'a> {
    what: &'a str,
    figure: String,
    range: String,
    bar: &'a str,
}

fn seconds<'a>(what: &'a str, samples: &Samples) -> Line<'a> {
    let (low, high) = samples.range();
    let range = format!("{low:.2} to {high:.2}");
    let figure = format!("{:.2} s", samples.median());
    Line { what, figure, range, bar: "" }
}

fn milliseconds<'a>(what: &'a str, samples: &Samples, bar: &'a str) -> Line<'a> {
    let (low, high) = samples.range();
    let range = format!("{:.1} to {:.1}", low * 1000.0, high * 1000.0);
    let figure = format!("{:.1} ms", samples.median() * 1000.0);
    Line { what, figure, range, bar }
}

fn ratio<'a>(what: &'a str, numerator: &Samples, denominator: &Samples, bar: &'a str) -> Line<'a> {
    let figure = format!("{:.2}", numerator.median() / denominator.median());
    Line { what, figure, range: String::new(), bar }
}

fn mebibytes<'a>(what: &'a str, bytes: u64, bar: &'a str) -> Line<'a> {
    let figure = format!("{:.1} MiB", in_mebibytes(bytes));
    Line { what, figure, range: String::new(), bar }
}

impl Report {
    fn lines(&self) -> Vec<Line<'_>> {
        let f = &self.figures;
        let gzip_or_none = !self.compression.starts_with("zstd");
        let reference_bar = if gzip_or_none { ">= 1.5 (gzip)" } else { ">= 4 (zstd)" };
        vec![
            seconds("pg_dump -Fc to /dev/null, same compression", &f.bare_dump),
            seconds("pg_dump -Fc to a pipe, same compression", &f.piped_dump),
            seconds("pg_dump -Fc | multipart upload (8 MiB x 10)", &f.piped_upload),
            seconds("backup, trigger to completed", &f.backup),
            seconds("  dump and upload", &f.backup_dump),
            seconds("  seal: read back, manifest", &f.backup_seal),
            ratio("backup / pg_dump to /dev/null", &f.backup, &f.bare_dump, "<= 1.05"),
            ratio("  dump and upload / pg_dump to /dev/null", &f.backup_dump, &f.bare_dump, ""),
            ratio("  dump and upload / pg_dump to a pipe", &f.backup_dump, &f.piped_dump, ""),
            ratio("  dump and upload / pg_dump | upload", &f.backup_dump, &f.piped_upload, ""),
            seconds("pg_dump -Z9 | multipart upload (8 MiB x 10)", &f.reference),
            ratio("pg_dump -Z9 | upload / backup", &f.reference, &f.backup, reference_bar),
            seconds("pg_restore --jobs, file as downloaded", &f.restore_piped),
            seconds("pg_restore --jobs, file with offsets", &f.restore_seekable),
            seconds("walwarden restore, whole, with ANALYZE", &f.restore),
            seconds("  download", &f.download),
            seconds("  verify, patch offsets", &f.verify),
            seconds("  create database, pg_restore", &f.loading),
            seconds("  ANALYZE", &f.analyze),
            ratio("restore / pg_restore, file as downloaded", &f.restore, &f.restore_piped, "<= 1.10"),
            ratio("  the same without ANALYZE", &f.restore_bare, &f.restore_piped, "<= 1.10"),
            ratio("restore / pg_restore, file with offsets", &f.restore, &f.restore_seekable, ""),
            ratio("  the same without ANALYZE", &f.restore_bare, &f.restore_seekable, ""),
            seconds("download, sha256sum, pg_restore < file", &f.by_hand),
            ratio("by hand / restore", &f.by_hand, &f.restore, ">= 1.3"),
            ratio("  the same without ANALYZE", &f.by_hand, &f.restore_bare, ">= 1.3"),
            mebibytes("server, idle: resident", f.idle.all, "<= 40 MiB"),
            mebibytes("  of it anonymous", f.idle.anonymous, ""),
            mebibytes("server, peak during backups: resident", f.peak.all, ""),
            mebibytes("  above idle", f.peak.all.saturating_sub(f.idle.all), "<= 160 MiB"),
            mebibytes("  of it anonymous", f.peak.anonymous.saturating_sub(f.idle.anonymous), "<= 160 MiB"),
            milliseconds("walwarden --version, whole process", &f.version, "<= 5 ms"),
            milliseconds("  /bin/true, started the same way", &f.nothing, ""),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (megabytes, rounds) = (self.options.megabytes(), self.options.rounds());
        writeln!(formatter, "machine   {}", self.machine)?;
        writeln!(formatter, "servers   Postgres {} and SeaweedFS on the same machine; fsync is off", self.postgres)?;
        writeln!(
            formatter,
            "data      database {:.0} MiB, artifact {:.0} MiB ({})",
            in_mebibytes(self.database_bytes),
            in_mebibytes(self.artifact_bytes),
            self.compression
        )?;
        let large = if self.options.codec().is_some() { " --large" } else { "" };
        writeln!(
            formatter,
            "command   bench{large} --megabytes {megabytes} --rounds {rounds}; medians; pg_restore with {} jobs\n",
            self.jobs
        )?;
        writeln!(formatter, "{:<48} {:>11}  {:<18} bar", "what", "figure", "range")?;
        for line in self.lines() {
            let Line { what, figure, range, bar } = line;
            let text = format!("{what:<48} {figure:>11}  {range:<18} {bar}");
            writeln!(formatter, "{}", text.trim_end())?;
        }
        Ok(())
    }
}
