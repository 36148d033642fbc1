//! The rounds: each measures everything once, so that whatever disturbs the machine disturbs all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::installation::{Backup, Installation};
use super::measure::{Samples, timed};
use super::memory::resident;
use super::options::Options;
use super::report::{Figures, Report};
use super::{bare, data, machine, progress};
use crate::harness::TestContext;
use crate::postgres::Database;
use crate::s3::Bucket;
use crate::spawner::{self, DeathSignal};

/// Starts of a program, of which the median counts.
const STARTS: usize = 101;

struct Bench<'a> {
    context: &'a TestContext,
    source: Database,
    bucket: Bucket,
    installation: Installation<'a>,
    jobs: usize,
    work: PathBuf,
    figures: Figures,
}

/// Loads, measures and reports.
pub(super) fn run(context: &TestContext, options: &Options) -> Result<Report> {
    let machine = machine::describe()?;
    progress(&format!("loading {} MB", options.megabytes()));
    let source = context.database()?;
    let database_bytes = data::load(context.postgres(), &source, options.megabytes())?;
    let digests = context.postgres().table_digests(&source.name)?;
    let bucket = context.bucket(false)?;
    // The first object of a bucket makes the S3 server allocate its volumes, which is nobody's upload.
    bucket.put("first", "x")?;
    let installation = Installation::new(context, &source, &bucket, options.codec())?;
    let work = context.directory().join("work");
    fs::create_dir(&work)?;
    let mut bench = Bench {
        context,
        source,
        bucket,
        jobs: machine::cores(),
        work,
        figures: Figures { idle: resident(installation.server.pid())?, ..Figures::default() },
        installation,
    };
    bench.figures.version = Bench::start_time(&crate::paths::workspace_binary("walwarden")?, "--version")?;
    bench.figures.nothing = Bench::start_time(Path::new("/bin/true"), "--version")?;
    let mut last = None;
    for round in 1..=options.rounds() {
        progress(&format!("round {round} of {}", options.rounds()));
        last = Some(bench.round(&digests)?);
    }
    let last = last.context("there is at least one round")?;
    Ok(Report {
        machine,
        postgres: context.postgres().psql("postgres", "SHOW server_version")?,
        options: options.clone(),
        jobs: bench.jobs,
        database_bytes,
        artifact_bytes: last.size_bytes,
        compression: last.compression,
        figures: bench.figures,
    })
}

impl Bench<'_> {
    fn round(&mut self, digests: &crate::postgres::TableDigests) -> Result<Backup> {
        let (context, work) = (self.context, self.work.clone());
        self.settle()?;
        progress("backup");
        let backup = self.installation.backup()?;
        self.figures.backup.push_duration(backup.wall);
        self.figures.backup_dump.push_duration(backup.dump);
        self.figures.backup_seal.push_duration(backup.seal);
        self.figures.peak = self.figures.peak.max_of(backup.peak);
        let major = self.context.postgres().psql("postgres", "SHOW server_version_num")?;
        let flag = bare::compress_flag(&backup.compression, major.parse::<u32>()? / 10_000);

        progress("pg_dump to /dev/null, to a pipe and to a file");
        self.settle()?;
        let ((), seconds) = timed(|| bare::dump_to_null(context, &self.source, &flag))?;
        self.figures.bare_dump.push(seconds);
        self.settle()?;
        let ((), seconds) = timed(|| bare::dump_piped(context, &self.source, &flag))?;
        self.figures.piped_dump.push(seconds);
        let seekable = work.join("seekable.dump");
        bare::dump(context, &self.source, &flag, &seekable)?;

        progress("pg_dump | upload, with the same compression and with --compress=9");
        self.settle()?;
        let upload = || bare::dump_and_upload(context, &self.source, &flag, &self.bucket, "plain.dump");
        self.figures.piped_upload.push(timed(upload)?.1);
        self.settle()?;
        let nine = bare::compress_flag("gzip:9", 15);
        let upload = || bare::dump_and_upload(context, &self.source, &nine, &self.bucket, "reference.dump");
        self.figures.reference.push(timed(upload)?.1);

        progress("walwarden restore");
        let created = format!("bench_{}", crate::canary::random_hex(4));
        self.settle()?;
        let restore = self.installation.restore(&backup, &self.source, &created, &work)?;
        let same = context.postgres().table_digests(&created)? == *digests;
        ensure!(same, "the restored database differs from the source");
        self.drop_database(&created)?;
        self.figures.restore.push(restore.wall);
        self.figures.restore_bare.push(restore.wall - restore.analyze);
        self.figures.download.push(restore.download);
        self.figures.verify.push(restore.verify);
        self.figures.loading.push(restore.loading);
        self.figures.analyze.push(restore.analyze);

        let downloaded = work.join("downloaded.dump");
        let ((), download) = timed(|| bare::download(&self.bucket, &backup.key, &downloaded))?;
        progress("pg_restore of the file as downloaded");
        let seconds = self.restored(|target| bare::restore(context, target, self.jobs, &downloaded))?;
        self.figures.restore_piped.push(seconds);
        progress("pg_restore of a file with data offsets");
        let seconds = self.restored(|target| bare::restore(context, target, self.jobs, &seekable))?;
        self.figures.restore_seekable.push(seconds);
        progress("download, sha256sum, pg_restore < file");
        let ((), hash) = timed(|| bare::sha256sum(context, &downloaded))?;
        let seconds = self.restored(|target| bare::restore_from_stdin(context, target, &downloaded))?;
        self.figures.by_hand.push(download + hash + seconds);
        bare::remove(&downloaded)?;
        bare::remove(&seekable)?;
        Ok(backup)
    }

    /// Has the server write out what it still holds, so that one measurement does not pay for the one before.
    fn settle(&self) -> Result<()> {
        self.context.postgres().psql("postgres", "CHECKPOINT").map(drop)
    }

    /// Restores into a fresh database and says how many seconds that took.
    fn restored(&self, restore: impl FnOnce(&Database) -> Result<()>) -> Result<f64> {
        let name = format!("bench_{}", crate::canary::random_hex(4));
        let sql = format!("CREATE DATABASE {name} OWNER {} TEMPLATE template0", self.source.user);
        self.context.postgres().psql("postgres", &sql)?;
        self.settle()?;
        let target = self.source.sibling(&name);
        let ((), seconds) = timed(|| restore(&target))?;
        self.drop_database(&name)?;
        Ok(seconds)
    }

    fn drop_database(&self, name: &str) -> Result<()> {
        let postgres = self.context.postgres();
        postgres.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)")).map(drop)
    }

    /// How long a program takes from its start to its end, exec and wait included.
    fn start_time(program: &Path, argument: &str) -> Result<Samples> {
        let mut samples = Samples::default();
        for _ in 0..STARTS {
            let mut command = spawner::command(program, None, DeathSignal::Kill);
            command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
            let (status, seconds) = timed(|| Ok(spawner::spawn(command)?.wait()?))?;
            ensure!(status.success(), "{}: {status}", program.display());
            samples.push(seconds);
        }
        Ok(samples)
    }
}
