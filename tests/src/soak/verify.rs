//! What must hold once nothing runs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use walwarden_api::store::Store;
use walwarden_contract::audit::{EventKind, conforms};
use walwarden_contract::manifest;

use super::drive::{Drive, Job};
use super::installation::{Installation, text};
use super::options::Options;
use super::report::Report;
use crate::canary::random_hex;
use crate::runtime::block_on;
use crate::wait::wait_for;

/// How long unfinished uploads may stay, with a search for them every ten seconds.
const UPLOADS: Duration = Duration::from_mins(2);
/// Nothing that a bucket or a worker did may end a job like this.
const NEVER: [&str; 4] = ["internal_error", "artifact_mismatch", "artifact_key_occupied", "archive_incomplete"];

pub(super) fn verify(
    installation: &Installation<'_>,
    drive: &Drive,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    jobs(installation, drive, report)?;
    chains(installation, drive, report)?;
    uploads(installation, report);
    objects(installation, drive, report)?;
    restores(installation, drive, options, report)
}

fn state(job: &Job) -> &str {
    job.ended.as_ref().and_then(|ended| ended["state"].as_str()).unwrap_or("never_ended")
}

/// Every job ended, the store knows of no other, and none ended as it never may.
fn jobs(installation: &Installation<'_>, drive: &Drive, report: &mut Report) -> Result<()> {
    for (id, job) in &drive.jobs {
        let end = match job.ended.as_ref().and_then(|ended| ended.pointer("/error/code")) {
            Some(code) => code.as_str().unwrap_or("unreadable").to_owned(),
            None => state(job).to_owned(),
        };
        if end == "never_ended" || NEVER.contains(&end.as_str()) {
            report.breach(format!("{id}: {end}"));
        }
        *report.jobs.entry(end).or_default() += 1;
        report.attempts += job.ended.as_ref().and_then(|ended| ended["attempt"].as_u64()).unwrap_or(0);
    }
    let metadata = installation.walwarden.metadata().context("the store is a database")?;
    let count = "SELECT count(*), count(*) FILTER (WHERE state IN ('completed', 'failed_terminal')) FROM backup_jobs";
    let counted = installation.context.postgres().psql(&metadata.name, count)?;
    let expected = format!("{0}\t{0}", drive.jobs.len());
    if counted != expected {
        report.breach(format!("all jobs and ended jobs in the store: {counted}; asked for: {}", drive.jobs.len()));
    }
    Ok(())
}

/// Every chain is whole, and says once that a completed job completed, and never that another did.
fn chains(installation: &Installation<'_>, drive: &Drive, report: &mut Report) -> Result<()> {
    let metadata = installation.walwarden.metadata().context("the store is a database")?;
    let store = block_on(Store::open_postgres(&metadata.dsn().into()))?;
    for (id, job) in &drive.jobs {
        let chain = block_on(store.audit_chain(installation.org_id, id))?;
        let completed = chain.iter().filter(|event| event.kind == EventKind::BackupCompleted).count();
        if let Err(error) = conforms(&chain) {
            report.breach(format!("{id}: {error}"));
        } else if completed != usize::from(state(job) == "completed") {
            report.breach(format!("{id} is {} and its chain tells of {completed} completions", state(job)));
        }
        report.chains += 1;
    }
    block_on(store.close());
    Ok(())
}

/// No upload is left unfinished for long.
fn uploads(installation: &Installation<'_>, report: &mut Report) {
    let began = Instant::now();
    let none = wait_for("unfinished uploads to be given up", UPLOADS, || {
        let left = installation.bucket.list_multipart_uploads()?;
        ensure!(left.is_empty(), "{} are left, {:?} for one", left.len(), left.first());
        Ok(Some(()))
    });
    report.uploads_cleared_seconds = began.elapsed().as_secs();
    if let Err(error) = none {
        report.breach(format!("{error:#}"));
    }
}

fn manifest_key(artifact: &str) -> String {
    format!("{}.manifest.json", artifact.trim_end_matches(".dump"))
}

/// The bucket holds what completed jobs account for, each object written once, and nothing else.
fn objects(installation: &Installation<'_>, drive: &Drive, report: &mut Report) -> Result<()> {
    let mut expected = BTreeSet::new();
    for job in drive.jobs.values().filter(|job| state(job) == "completed") {
        let key = text(job.ended.as_ref().context("it ended")?, "/artifact/key")?;
        expected.extend([manifest_key(&key), key]);
    }
    let prefix = format!("org/{}/db/", installation.org_id);
    let found: BTreeSet<String> =
        installation.bucket.list_objects(&prefix)?.into_iter().map(|object| object.key).collect();
    for key in found.symmetric_difference(&expected) {
        report.breach(format!("{key} is {}", if found.contains(key) { "nobody's" } else { "missing" }));
    }
    for key in &found {
        let versions = installation.bucket.versions(key)?.len();
        if versions != 1 {
            report.breach(format!("{key} was written {versions} times"));
        }
    }
    Ok(())
}

/// Every completed backup holds what its source held: the newest of every database first, and where the time is limited, as many
/// others as it suffices for.
fn restores(installation: &Installation<'_>, drive: &Drive, options: &Options, report: &mut Report) -> Result<()> {
    let pem = installation.api.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let key = VerifyingKey::from_public_key_pem(&String::from_utf8(pem.body)?)?;
    let completed: Vec<(&String, &Job)> = drive.jobs.iter().filter(|(_, job)| state(job) == "completed").collect();
    let newest: BTreeMap<usize, &String> = completed.iter().map(|(id, job)| (job.source, *id)).collect();
    for index in 0..installation.sources.len() {
        if !newest.contains_key(&index) {
            report.breach(format!("source-{index} has no completed backup"));
        }
    }
    let is_newest = |id: &String| newest.values().any(|newest| *newest == id);
    let (first, others): (Vec<_>, Vec<_>) = completed.into_iter().partition(|(id, _)| is_newest(id));
    let enough = options.restoring().map(|time| Instant::now() + time);
    for (id, job) in first {
        restored(installation, id, job, &key, report);
    }
    // Every other is as good as the next: from both ends towards the middle, whatever the time suffices for.
    let count = others.len();
    for step in 0..count {
        if enough.is_some_and(|enough| Instant::now() >= enough) {
            break;
        }
        let at = if step % 2 == 0 { step / 2 } else { count - 1 - step / 2 };
        let (id, job) = others[at];
        restored(installation, id, job, &key, report);
    }
    Ok(())
}

fn restored(installation: &Installation<'_>, id: &str, job: &Job, key: &VerifyingKey, report: &mut Report) {
    match restore(installation, id, job, key) {
        Ok(()) => report.restored += 1,
        Err(error) => report.breach(format!("{id} does not restore: {error:#}")),
    }
}

fn restore(installation: &Installation<'_>, id: &str, job: &Job, public: &VerifyingKey) -> Result<()> {
    let ended = job.ended.as_ref().context("it ended")?;
    let artifact = text(ended, "/artifact/key")?;
    let object = installation.bucket.get(&artifact, None)?;
    let document: Value = serde_json::from_slice(&installation.bucket.get(&manifest_key(&artifact), None)?)?;
    let manifest = manifest::verify(&document, public)?;
    let checksum = hex::encode(Sha256::digest(&object));
    ensure!(
        manifest.artifact.checksum_sha256 == checksum
            && manifest.backup_job_id.to_string() == id
            && ended.pointer("/artifact/manifestHash").and_then(Value::as_str)
                == Some(manifest::manifest_hash(&document)?.as_str()),
        "the bucket holds {checksum}, the manifest says {manifest:?}"
    );
    let (context, source) = (installation.context, &installation.sources[job.source].database);
    let postgres = context.postgres();
    let dump = context.private().join("artifact.dump");
    fs::write(&dump, object)?;
    let target = source.sibling(&format!("r_{}", random_hex(6)));
    postgres.psql("postgres", &format!("CREATE DATABASE {} OWNER {} TEMPLATE template0", target.name, target.user))?;
    let restored = context
        .run(postgres.bin().join("pg_restore"))
        .env("PGHOST", &target.host)
        .env("PGPORT", target.port.to_string())
        .env("PGUSER", &target.user)
        .env("PGPASSWORD", &target.password)
        .args(["--exit-on-error", "--dbname", &target.name])
        .arg(&dump);
    restored.output()?.success()?;
    let found = postgres.table_digests(&target.name)?;
    postgres.psql("postgres", &format!("DROP DATABASE {}", target.name))?;
    ensure!(found == job.content, "the source held {:?}, what was restored {found:?}", job.content);
    Ok(())
}
