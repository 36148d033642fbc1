//! `pg_dump` into the parts of an upload: hashed, parsed and sent as it comes, in bounded memory.

use std::time::{Duration, Instant};

use bytes::buf::BufMut;
use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use walwarden_contract::ErrorCode;
use walwarden_contract::telemetry::spans;
use walwarden_sdk::postgres::{RunningTool, ToolExit, ToolName, ToolStatus, Tools, classify_stderr};
use walwarden_sdk::restore::archive::ArchiveParser;

use super::{BackupError, Prepared, code_of};
use crate::engine::storage::{Bucket, Sends, StorageError, Upload, UploadedPart};
use crate::failpoint::{Failpoint, reach};
use crate::telemetry::traces::Traced;

/// How long `pg_dump` has to end by itself once it is told to.
const KILL_GRACE: Duration = Duration::from_secs(5);
/// How much of `pg_dump`'s stderr goes into an error message, in characters.
const STDERR_EXCERPT: usize = 2000;

/// A whole dump, all of it in the bucket as parts of an upload that is not completed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    pub checksum_sha256: String,
    /// The parts' entity tags, in order.
    pub etags: Vec<String>,
    /// CRC-32 of each part in Base64, in order, as the bucket acknowledged it; empty where it acknowledges none.
    pub crc32s: Vec<String>,
    /// SHA-256 of each part, lowercase hex, in order.
    pub part_checksums: Vec<String>,
}

/// Dumps the source into the upload. Whatever goes wrong, `pg_dump` has ended when this returns.
///
/// Success means: `pg_dump` exited 0, its archive is whole, and the bucket acknowledged every part.
///
/// # Errors
/// Why there is no whole dump. The upload is the caller's to abort.
pub async fn dump(
    tools: &Tools,
    prepared: &Prepared,
    bucket: &Bucket,
    upload: &Upload,
    stop: &CancellationToken,
) -> Result<Dumped, BackupError> {
    let mut tool = tools
        .spawn(ToolName::PgDump)?
        .arg("--format=custom")
        .arg(format!("--compress={}", prepared.codec.to_argument(&prepared.pg_dump)))
        .arg(format!("--lock-wait-timeout={}", prepared.lock_wait.as_millis()))
        .connect(&prepared.connection)
        .piped_stdout()
        .spawn()?;
    let dumped = tokio::select! {
        dumped = Pump::new(prepared, bucket, upload).run(&mut tool) => dumped,
        () = stop.cancelled() => Err(BackupError::stopped()),
    };
    if dumped.is_err() {
        // A COPY left open would hold back vacuum on the source for as long as it stays.
        let _ = tool.kill(KILL_GRACE).await;
    }
    dumped
}

/// A part that the bucket acknowledged.
struct SentPart {
    part: UploadedPart,
    checksum: String,
    /// Its memory, when nobody else holds it any more.
    spare: Option<BytesMut>,
}

struct Pump<'a> {
    bucket: &'a Bucket,
    upload: &'a Upload,
    part_size: usize,
    parts_in_flight: usize,
    most_parts: u64,
    filling: BytesMut,
    begun_parts: i32,
    /// Memory of parts that were sent, for those to come: allocated anew, parts end up scattered over the allocator's arenas,
    /// which then hold twice the budget.
    spare: Vec<BytesMut>,
    sending: JoinSet<Result<SentPart, StorageError>>,
    sent: Vec<(UploadedPart, String)>,
    hasher: Sha256,
    archive: ArchiveParser,
    size_bytes: u64,
}

impl<'a> Pump<'a> {
    fn new(prepared: &Prepared, bucket: &'a Bucket, upload: &'a Upload) -> Self {
        let part_size = usize::try_from(prepared.part_size_bytes).unwrap_or(usize::MAX);
        Self {
            bucket,
            upload,
            part_size,
            parts_in_flight: prepared.parts_in_flight,
            most_parts: prepared.most_parts,
            filling: BytesMut::with_capacity(part_size),
            begun_parts: 0,
            spare: Vec::new(),
            sending: JoinSet::new(),
            sent: Vec::new(),
            hasher: Sha256::new(),
            archive: ArchiveParser::new(),
            size_bytes: 0,
        }
    }

    async fn run(mut self, tool: &mut RunningTool) -> Result<Dumped, BackupError> {
        let mut stdout = tool
            .stdout()
            .ok_or_else(|| BackupError::new(ErrorCode::InternalError, "pg_dump was started without a pipe"))?;
        self.read_to_end(&mut stdout).await?;
        // Its own word comes first: a dump that looks whole is none if pg_dump says so.
        let exit = tool
            .wait()
            .await
            .map_err(|error| BackupError::new(ErrorCode::DumpFailed, format!("cannot await pg_dump: {error}")))?;
        if !exit.success() {
            return Err(failed(&exit));
        }
        if !self.filling.is_empty() {
            self.send_part()?;
        }
        while let Some(part) = self.sending.join_next().await {
            self.acknowledged(joined(part)?);
        }
        let summary = self
            .archive
            .finish()
            .map_err(|error| BackupError::new(ErrorCode::ArchiveIncomplete, format!("{error}; nothing was kept")))?;
        if summary.size_bytes != self.size_bytes {
            return Err(BackupError::new(ErrorCode::ArchiveIncomplete, "the archive's length is not the dump's"));
        }
        self.sent.sort_by_key(|(part, _)| part.number);
        let crc32s = self.sent.iter().map(|(part, _)| part.crc32.clone()).collect::<Option<_>>().unwrap_or_default();
        let (etags, part_checksums) = self.sent.into_iter().map(|(part, checksum)| (part.etag, checksum)).unzip();
        Ok(Dumped {
            size_bytes: self.size_bytes,
            checksum_sha256: hex::encode(self.hasher.finalize()),
            etags,
            crc32s,
            part_checksums,
        })
    }

    /// Reads until `pg_dump` closes its end. Reading waits while every part that may be in flight is.
    async fn read_to_end(&mut self, stdout: &mut ChildStdout) -> Result<(), BackupError> {
        loop {
            if self.filling.len() == self.part_size && self.sending.len() < self.parts_in_flight {
                self.send_part()?;
            }
            let seen = self.filling.len();
            let room = self.part_size - seen;
            tokio::select! {
                Some(part) = self.sending.join_next(), if !self.sending.is_empty() => {
                    self.acknowledged(joined(part)?);
                    reach(Failpoint::MidDump);
                }
                read = read_some(stdout, &mut self.filling, room), if room > 0 => {
                    if read? == 0 {
                        return Ok(());
                    }
                    let piece = &self.filling[seen..];
                    self.hasher.update(piece);
                    self.size_bytes += piece.len() as u64;
                    self.archive.push(piece).map_err(|error| {
                        BackupError::new(ErrorCode::ArchiveIncomplete, format!("{error}; nothing was kept"))
                    })?;
                }
            }
        }
    }

    fn send_part(&mut self) -> Result<(), BackupError> {
        self.begun_parts += 1;
        let number = self.begun_parts;
        if u64::from(number.unsigned_abs()) > self.most_parts {
            return Err(BackupError::new(
                ErrorCode::ArtifactTooLarge,
                format!(
                    "the dump is longer than {} parts of {} bytes; nothing was kept",
                    self.most_parts, self.part_size
                ),
            ));
        }
        let empty = self.spare.pop().unwrap_or_else(|| BytesMut::with_capacity(self.part_size));
        let body = std::mem::replace(&mut self.filling, empty).freeze();
        let (bucket, upload) = (self.bucket.clone(), self.upload.clone());
        // Begun here, where the dump is traced: the task is not within it.
        let traced = Traced::child(&spans::UPLOAD_PART);
        traced.set(spans::PART, i64::from(number));
        traced.count(spans::SIZE_BYTES, body.len() as u64);
        self.sending.spawn(async move { traced.step(send(&bucket, &upload, number, body, &traced)).await });
        Ok(())
    }

    fn acknowledged(&mut self, sent: SentPart) {
        self.sent.push((sent.part, sent.checksum));
        self.spare.extend(sent.spare);
    }
}

async fn read_some(stdout: &mut ChildStdout, into: &mut BytesMut, room: usize) -> Result<usize, BackupError> {
    let read = stdout.read_buf(&mut into.limit(room)).await;
    read.map_err(|error| BackupError::new(ErrorCode::DumpFailed, format!("cannot read from pg_dump: {error}")))
}

async fn send(
    bucket: &Bucket,
    upload: &Upload,
    number: i32,
    body: Bytes,
    traced: &Traced,
) -> Result<SentPart, StorageError> {
    let checksum = hex::encode(Sha256::digest(&body));
    let (started, sends) = (Instant::now(), Sends::default());
    let part = bucket.upload_part(upload, number, body.clone(), &sends).await;
    traced.count(spans::RETRIES, sends.again().into());
    let part = part?;
    crate::telemetry::part_sent(body.len(), started.elapsed());
    let spare = body.try_into_mut().ok().map(|mut memory| {
        memory.clear();
        memory
    });
    Ok(SentPart { part, checksum, spare })
}

fn joined(part: Result<Result<SentPart, StorageError>, tokio::task::JoinError>) -> Result<SentPart, BackupError> {
    let part = part.map_err(|error| BackupError::new(ErrorCode::InternalError, format!("a part was lost: {error}")))?;
    Ok(part?)
}

/// What it means that `pg_dump` did not exit 0.
fn failed(exit: &ToolExit) -> BackupError {
    let said: String = exit.stderr.trim().chars().take(STDERR_EXCERPT).collect();
    let code = match exit.status {
        ToolStatus::Signal(_) => ErrorCode::DumpKilled,
        ToolStatus::Code(_) => code_of(classify_stderr(&exit.stderr)),
    };
    BackupError::new(code, format!("pg_dump ended with {}: {said}", exit.status))
}
