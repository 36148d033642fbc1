//! Preflight: everything that a backup asks of a bucket, tried out on a small probe, and told as observed.

mod documents;
mod kms;
mod lifecycle;
mod permissions;
mod remedies;
mod report;
mod role;
mod settings;
mod target;
mod terraform;
mod tls;

use bytes::Bytes;
use walwarden_contract::model::{PreflightCheckId as Check, PreflightReport, Provider};
use walwarden_contract::{ErrorCode, Timestamp};

pub use self::documents::{Documents, NeededPermission, TrustedPrincipal, documents};
pub use self::lifecycle::NOTE as LIFECYCLE_NOTE;
use self::report::Notes;
use self::settings::{Telling, telling};
pub use self::target::Target;
use super::storage::{Bucket, LockMode, ObjectHead, Sends, StorageError, StorageErrorKind};
use crate::store::destinations::{Destination, LeftProbe};
use crate::system::{System, after};

/// For how long a probe is locked: long enough to be read back, short enough to be no litter.
const PROBE_LOCK_MILLIS: i64 = 60_000;
/// How many random bytes a probe holds.
const PROBE_BYTES: usize = 64;
/// How many probes that locks hold are remembered for later runs to delete.
const MAX_LEFT: usize = 20;

/// A probe in the bucket.
struct Probe {
    key: String,
    version: Option<String>,
}

/// What came of one look at a destination.
pub struct Look {
    /// What was found.
    pub report: PreflightReport,
    /// Probes that locks hold, of this run and of earlier ones.
    pub left: Vec<LeftProbe>,
}

/// Tries the destination out, with its own credentials. What fails is in the report.
pub async fn run(bucket: &Bucket, system: &System, destination: &Destination) -> Look {
    let mut left = destination.verification.left.clone();
    let report = look_at(bucket, system, destination, &mut left).await;
    // A bucket whose locks never end would make the list grow for ever.
    left.drain(..left.len().saturating_sub(MAX_LEFT));
    Look { report, left }
}

async fn look_at(
    bucket: &Bucket,
    system: &System,
    destination: &Destination,
    left: &mut Vec<LeftProbe>,
) -> PreflightReport {
    let (now, target) = (system.now(), Target::of(destination));
    let key = format!("org/{}/preflight/{}", target.org_id, system.uuid());
    let body = Bytes::copy_from_slice(&system.random::<PROBE_BYTES>());
    let mut notes = Notes::new(target.clone());
    if target.role.is_some() && !role::is_assumed(bucket, system, &mut notes).await {
        notes.skip_the_rest("the role cannot be assumed");
        return notes.into_report(now);
    }
    settings::exists(bucket, &target, &mut notes).await;
    if notes.is_silent() {
        notes.skip_the_rest("the bucket does not answer");
        return notes.into_report(now);
    }
    if notes.has_failed_with(ErrorCode::DestinationBucketMissing) {
        notes.skip_the_rest("there is no such bucket");
        return notes.into_report(now);
    }
    match bucket.put_probe(&key, body.clone(), None).await {
        Ok(version) => {
            notes.passed(Check::PutObject, format!("wrote {PROBE_BYTES} bytes under {key}"));
            let probe = Probe { key, version };
            read(bucket, &probe, &body, &mut notes).await;
            let head = look(bucket, &probe, &mut notes).await;
            settings::lock_configuration(bucket, &target, &mut notes).await;
            let locked = lock(bucket, &probe, &body, now, &target, &mut notes).await;
            let earlier = clear_earlier(bucket, now, left).await;
            left.extend(locked.clone());
            settings::versioning(bucket, &target, &mut notes).await;
            settings::public_access(bucket, &probe.key, &target, &mut notes).await;
            settings::tls_only(bucket, &target, &mut notes).await;
            settings::encryption(bucket, head.as_ref(), &target, &mut notes).await;
            multipart(bucket, &probe, body, now, &mut notes).await;
            let told = Told { earlier, locked, left };
            clean_up(bucket, probe, told, &target, &mut notes).await;
        }
        Err(error) => {
            notes.failed(Check::PutObject, &error);
            notes.skip_the_rest("the probe could not be written");
        }
    }
    notes.into_report(now)
}

/// Deletes the probes of earlier runs whose locks have ended, and answers how many there were.
async fn clear_earlier(bucket: &Bucket, now: Timestamp, left: &mut Vec<LeftProbe>) -> usize {
    let (ended, held) = std::mem::take(left).into_iter().partition(|probe| probe.until < now);
    *left = held;
    let ended: Vec<LeftProbe> = ended;
    let mut deleted = 0;
    for probe in ended {
        match bucket.delete_probe(&probe.key, probe.version.clone()).await {
            Ok(()) => deleted += 1,
            Err(error) => {
                tracing::debug!(key = %probe.key, %error, "an earlier probe stays in the bucket");
                left.push(probe);
            }
        }
    }
    deleted
}

async fn read(bucket: &Bucket, probe: &Probe, written: &Bytes, notes: &mut Notes) {
    if notes.skipped(Check::GetObject) {
        return;
    }
    match bucket.read_small(&probe.key, PROBE_BYTES).await {
        Ok(Some(read)) if read == *written => {
            notes.passed(Check::GetObject, format!("read {PROBE_BYTES} bytes back, as they were written"));
        }
        Ok(found) => {
            let what =
                if found.is_some() { "other bytes than were written" } else { "no object where one was written" };
            notes.failed(Check::GetObject, &mismatch(format!("the bucket returned {what}")));
        }
        Err(error) => notes.failed(Check::GetObject, &error),
    }
}

/// Answers what the bucket told, where it is the probe.
async fn look(bucket: &Bucket, probe: &Probe, notes: &mut Notes) -> Option<ObjectHead> {
    if notes.skipped(Check::HeadObject) {
        return None;
    }
    match bucket.head(&probe.key).await {
        Ok(Some(head)) if head.size_bytes == PROBE_BYTES as u64 => {
            notes.passed(Check::HeadObject, format!("the bucket tells of {PROBE_BYTES} bytes, as were written"));
            return Some(head);
        }
        Ok(Some(head)) => {
            let told = format!("the bucket tells of {} bytes where {PROBE_BYTES} were written", head.size_bytes);
            notes.failed(Check::HeadObject, &mismatch(told));
        }
        Ok(None) => {
            notes
                .failed(Check::HeadObject, &mismatch("the bucket tells of no object where one was written".to_owned()));
        }
        Err(error) => notes.failed(Check::HeadObject, &error),
    }
    None
}

/// Writes a second probe with a short lock, as artifacts are written with a long one, and reads the lock back. Answers the
/// probe that is there now, and until when.
async fn lock(
    bucket: &Bucket,
    probe: &Probe,
    body: &Bytes,
    now: Timestamp,
    target: &Target,
    notes: &mut Notes,
) -> Option<LeftProbe> {
    let mode = bucket.lock_mode();
    if let Telling::Never(because) = telling(target.provider, Check::ObjectLock) {
        notes.look_yourself(Check::ObjectLock, because, remedies::retention_policy(target));
        return None;
    }
    if mode == LockMode::None {
        notes.not_looked_at(Check::ObjectLock, "the destination asks for no lock");
        return None;
    }
    if notes.skipped(Check::ObjectLock) {
        return None;
    }
    let (key, until) = (format!("{}.locked", probe.key), after(now, PROBE_LOCK_MILLIS));
    let version = match bucket.put_probe(&key, body.clone(), Some(until)).await {
        Ok(version) => version,
        Err(error) => {
            notes.failed(Check::ObjectLock, &error);
            return None;
        }
    };
    match bucket.retention(&key).await {
        Ok(found) => {
            let date = found.retain_until.map_or_else(|| "no date".to_owned(), |until| until.to_string());
            let told = format!("{} until {date}, as read back", found.mode.as_str());
            if found.covers(mode, until) {
                notes.passed(Check::ObjectLock, told);
            } else {
                let message = format!("asked for {} until {until}, and found {told}", mode.as_str());
                notes.failed(Check::ObjectLock, &StorageError { kind: StorageErrorKind::LockRefused, message });
            }
            Some(LeftProbe { key, version, until: found.retain_until.unwrap_or(until) })
        }
        Err(error) => {
            notes.failed(Check::ObjectLock, &error);
            Some(LeftProbe { key, version, until })
        }
    }
}

/// Begins an upload as a backup does, with the destination's own lock, sends a part, looks for it and aborts it. One that is aborted
/// leaves nothing to be locked.
async fn multipart(bucket: &Bucket, probe: &Probe, body: Bytes, now: Timestamp, notes: &mut Notes) {
    if notes.skipped(Check::MultipartUpload) {
        return;
    }
    let until = bucket.retain_until(now);
    let upload = match bucket.begin_upload(&format!("{}.multipart", probe.key), until).await {
        Ok(upload) => upload,
        Err(error) => return notes.failed(Check::MultipartUpload, &error),
    };
    let sent = bucket.upload_part(&upload, 1, body, &Sends::default()).await;
    let listed = match bucket.lists(&upload).await {
        Ok(true) => Ok("found it in the bucket's list"),
        Ok(false) => Ok("did not find it in the bucket's list"),
        // A backup does without the list too.
        Err(error) if error.kind == StorageErrorKind::NotImplemented => {
            Ok("could not look for it, as the server has no list")
        }
        Err(error) => Err(error),
    };
    let aborted = bucket.abort_upload(&upload).await;
    match sent.and(aborted).and(listed) {
        Ok(looked) => {
            notes.passed(Check::MultipartUpload, format!("began an upload, sent a part, {looked}, and aborted it"));
        }
        Err(error) => notes.failed(Check::MultipartUpload, &error),
    }
}

/// What cleaning up has to tell of beside the probe.
struct Told<'a> {
    earlier: usize,
    locked: Option<LeftProbe>,
    left: &'a mut Vec<LeftProbe>,
}

/// Tried whatever happened before. A bucket that lets nobody delete is a good one for backups.
async fn clean_up(bucket: &Bucket, probe: Probe, told: Told<'_>, target: &Target, notes: &mut Notes) {
    let Told { earlier, locked, left } = told;
    let held = locked.map(|LeftProbe { key, until, .. }| {
        format!("; {key} is locked until {until}, and is deleted by a later run after that")
    });
    let cleared = if earlier > 0 { format!("; deleted {earlier} of earlier runs") } else { String::new() };
    let held = format!("{}{cleared}", held.unwrap_or_default());
    match bucket.delete_probe(&probe.key, probe.version.clone()).await {
        Ok(()) => notes.passed(Check::Cleanup, format!("deleted {}{held}", probe.key)),
        Err(error) if error.kind == StorageErrorKind::AccessDenied => {
            let lock = bucket.retention(&probe.key).await.ok().and_then(|retention| retention.retain_until);
            if let Some(until) = lock {
                let by = "the bucket's default retention locks it";
                notes.passed(Check::Cleanup, format!("{} stays until {until}, as {by}{held}", probe.key));
                left.push(LeftProbe { key: probe.key, version: probe.version, until });
            } else if target.provider == Provider::Aws {
                notes.failed(Check::Cleanup, &error);
            } else {
                let told = format!("the bucket lets these credentials delete nothing, so {} stays{held}", probe.key);
                notes.not_verifiable(Check::Cleanup, told);
            }
        }
        Err(error) => notes.failed(Check::Cleanup, &error),
    }
}

fn mismatch(message: String) -> StorageError {
    // The kind whose code says that the bucket does not return what was sent.
    StorageError { kind: StorageErrorKind::ObjectMissing, message }
}

#[cfg(all(test, feature = "demo"))]
mod tests;
