//! The yardsticks: `pg_dump`, `pg_restore` and plain uploads, as someone would run them by hand.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::harness::TestContext;
use crate::postgres::Database;
use crate::process::{DEFAULT_DEADLINE, Run};
use crate::runtime::{block_on, spawn as spawn_task};
use crate::s3::Bucket;
use crate::spawner::{self, DeathSignal};

/// Nothing here takes an hour on a machine that is worth measuring.
pub(super) const DEADLINE: Duration = Duration::from_hours(1);
/// What `aws s3 cp` does with a stream: parts of this size, so many at once.
const PART_BYTES: usize = 8 << 20;
const PARTS_IN_FLIGHT: usize = 10;

/// A Postgres program that reaches this database.
fn tool(context: &TestContext, database: &Database, name: &str) -> Run {
    let run = context.run(context.postgres().bin().join(name));
    run.envs(connection(database)).deadline(DEADLINE)
}

fn connection(database: &Database) -> [(&'static str, String); 5] {
    [
        ("PGHOST", database.host.clone()),
        ("PGPORT", database.port.to_string()),
        ("PGUSER", database.user.clone()),
        ("PGPASSWORD", database.password.clone()),
        ("PGDATABASE", database.name.clone()),
    ]
}

/// `--compress` as this `pg_dump` understands it: before version 16, a level and nothing else.
pub(super) fn compress_flag(compression: &str, major: u32) -> String {
    let level = match compression.split_once(':') {
        Some(("gzip", level)) if major < 16 => level,
        None if compression == "none" => "0",
        _ => compression,
    };
    format!("--compress={level}")
}

/// `pg_dump -Fc --file=…`: a file that can be sought in gets data offsets.
pub(super) fn dump(context: &TestContext, database: &Database, compress: &str, file: &Path) -> Result<()> {
    let run = tool(context, database, "pg_dump").args(["--format=custom", "--no-sync", compress, "--file"]);
    run.arg(file).output()?.success().map(drop)
}

/// `pg_dump -Fc > /dev/null`
pub(super) fn dump_to_null(context: &TestContext, database: &Database, compress: &str) -> Result<()> {
    let mut command = piped_command(context, database, compress);
    command.stdout(Stdio::null()).stderr(log(context)?);
    let status = spawner::spawn(command)?.wait()?;
    ensure!(status.success(), "pg_dump: {status}");
    Ok(())
}

fn piped_command(context: &TestContext, database: &Database, compress: &str) -> Command {
    let program = context.postgres().bin().join("pg_dump");
    let mut command = spawner::command(&program, None, DeathSignal::Kill);
    command.args(["--format=custom", compress]).envs(connection(database));
    command
}

fn log(context: &TestContext) -> Result<File> {
    Ok(File::create(context.logs().join("bare-pg_dump.stderr"))?)
}

/// The same to a pipe that nobody keeps: what streaming costs `pg_dump` itself.
pub(super) fn dump_piped(context: &TestContext, database: &Database, compress: &str) -> Result<()> {
    let mut sink = vec![0; 1 << 16];
    read_dump(context, database, compress, |pipe| {
        while pipe.read(&mut sink)? > 0 {}
        Ok(())
    })
}

/// Starts `pg_dump` with a pipe, has it read, and insists that it ended well.
fn read_dump(
    context: &TestContext,
    database: &Database,
    compress: &str,
    read: impl FnOnce(&mut std::process::ChildStdout) -> Result<()>,
) -> Result<()> {
    let mut command = piped_command(context, database, compress);
    command.stdout(Stdio::piped()).stderr(log(context)?);
    let mut child = spawner::spawn(command)?;
    let read = child.stdout.as_mut().context("stdout is a pipe").and_then(read);
    if read.is_err() {
        // It would wait for a reader for ever.
        child.kill()?;
    }
    let status = child.wait()?;
    read?;
    ensure!(status.success(), "pg_dump: {status}");
    Ok(())
}

/// `pg_dump --compress=… | upload`: a multipart upload of the pipe, with the part size and concurrency of `aws s3 cp`.
pub(super) fn dump_and_upload(
    context: &TestContext,
    database: &Database,
    compress: &str,
    bucket: &Bucket,
    key: &str,
) -> Result<()> {
    let (client, name) = (bucket.client().clone(), bucket.name().to_owned());
    let begun = block_on(client.create_multipart_upload().bucket(&name).key(key).send())?;
    let id = begun.upload_id().context("an upload has an id")?.to_owned();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let upload = spawn_task(upload_parts(client, name, key.to_owned(), id, receiver));
    let dumped = read_dump(context, database, compress, |pipe| {
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            pipe.take(PART_BYTES as u64).read_to_end(&mut part)?;
            if part.is_empty() {
                return Ok(());
            }
            sender.blocking_send(part).context("the upload ended early")?;
        }
    });
    drop(sender);
    block_on(upload)??;
    dumped
}

async fn upload_parts(
    client: Client,
    bucket: String,
    key: String,
    id: String,
    mut parts: tokio::sync::mpsc::Receiver<Vec<u8>>,
) -> Result<()> {
    let mut sending: JoinSet<Result<CompletedPart>> = JoinSet::new();
    let mut sent = Vec::new();
    let mut number = 0;
    while let Some(part) = parts.recv().await {
        if sending.len() == PARTS_IN_FLIGHT {
            sent.push(sending.join_next().await.context("parts are in flight")???);
        }
        number += 1;
        let request = client.upload_part().bucket(&bucket).key(&key).upload_id(&id);
        let request = request.part_number(number).body(part.into());
        sending.spawn(async move {
            let answer = request.send().await?;
            let part = CompletedPart::builder().part_number(number);
            Ok(part.set_e_tag(answer.e_tag().map(str::to_owned)).build())
        });
    }
    while let Some(part) = sending.join_next().await {
        sent.push(part??);
    }
    sent.sort_by_key(CompletedPart::part_number);
    let parts = CompletedMultipartUpload::builder().set_parts(Some(sent)).build();
    let complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    complete.multipart_upload(parts).send().await?;
    Ok(())
}

/// One plain GET into a file.
pub(super) fn download(bucket: &Bucket, key: &str, file: &Path) -> Result<()> {
    let request = bucket.client().get_object().bucket(bucket.name()).key(key);
    block_on(async {
        let mut body = request.send().await?.body;
        let mut out = tokio::io::BufWriter::with_capacity(1 << 20, tokio::fs::File::create(file).await?);
        while let Some(bytes) = body.try_next().await? {
            out.write_all(&bytes).await?;
        }
        out.flush().await?;
        Ok(())
    })
}

/// `sha256sum file`.
pub(super) fn sha256sum(context: &TestContext, file: &Path) -> Result<()> {
    let run = context.run("/usr/bin/sha256sum").arg(file).deadline(DEFAULT_DEADLINE);
    run.output()?.success().map(drop)
}

/// `pg_restore --jobs=N file` into an existing empty database.
pub(super) fn restore(context: &TestContext, target: &Database, jobs: usize, file: &Path) -> Result<()> {
    let run = tool(context, target, "pg_restore").arg(format!("--jobs={jobs}"));
    let run = run.args(["--dbname", target.name.as_str()]).arg(file);
    run.output()?.success().map(drop)
}

/// `pg_restore < file`, which rules parallel jobs out.
pub(super) fn restore_from_stdin(context: &TestContext, target: &Database, file: &Path) -> Result<()> {
    let script = format!("exec {}/pg_restore --dbname={} < \"$1\"", context.postgres().bin().display(), target.name);
    let run = context.run("/bin/sh").envs(connection(target)).deadline(DEADLINE);
    run.args(["-c", &script, "sh"]).arg(file).output()?.success().map(drop)
}

/// Removes a file that was measured.
pub(super) fn remove(file: &Path) -> Result<()> {
    fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pg_dump_knows_levels_only() {
        assert_eq!(compress_flag("gzip:1", 15), "--compress=1");
        assert_eq!(compress_flag("none", 15), "--compress=0");
        assert_eq!(compress_flag("gzip:1", 17), "--compress=gzip:1");
        assert_eq!(compress_flag("zstd:3", 17), "--compress=zstd:3");
    }
}
