//! The check of a bundle: everything that it says is held against everything else that it says, against a public key, and
//! against a checkpoint that somebody kept. Reads streams and touches nothing else: no network, no clock, no store.

mod anchor;
mod chains;
mod code;
mod held;
mod leaves;
mod report;
mod shown;
mod signatures;

use std::io::Read;

use sha2::{Digest, Sha256};

pub use code::{Code, Failure, Verdict};
pub use held::small_text;
pub use report::{Line, Report, Status};

use self::shown::Shown;
use super::layout::ARTIFACT;
use super::read::{Archive, Entry};
use crate::key;
use crate::log::SignedCheckpoint;

/// What is to be verified, and against what.
pub struct Question<'a> {
    /// The bundle, a `.tgz`.
    pub bundle: &'a mut dyn Read,
    /// A public key of the installation, SPKI PEM: any of its history, the newest best.
    pub public_key: &'a str,
    /// A checkpoint that was kept, or taken from the bucket.
    pub checkpoint: Option<&'a str>,
    /// The dump.
    pub artifact: Option<&'a mut dyn Read>,
}

/// Verifies a bundle.
#[must_use]
pub fn verify(question: Question<'_>) -> Report {
    let mut report = Report::default();
    let ended = check(question, &mut report);
    report.end(ended)
}

fn check(question: Question<'_>, report: &mut Report) -> Result<(), Failure> {
    let given = key::from_pem(question.public_key)
        .ok_or_else(|| Code::MalformedPublicKey.because("the public key is not an Ed25519 key in SPKI PEM form"))?;
    let kept = question.checkpoint.map(|note| checkpoint("the checkpoint that was given", note)).transpose()?;
    let mut archive = Archive::open(question.bundle)?;
    let held = held::Held::read(&mut archive)?;
    let mut shown = Shown::read(held)?;

    let keys = signatures::keys(&shown, given)?;
    signatures::manifests(&shown, &keys, &given)?;
    report.ok(format!("{} signed by {}", report::counted(shown.backups.len(), "manifest"), shown.manifest_keys()));
    chains::check(&shown)?;
    let events = shown.events().count();
    report.counts(shown.backups.len(), events);
    report.ok(format!("{}, each following from the one before", report::counted(events, "audit event")));
    signatures::checkpoint(&shown, &keys)?;
    chains::inclusion(&shown)?;
    signatures::revoked(&shown, &keys)?;
    report.ok(format!("all of them in the signed log of {} (checkpoint of {})", shown.size_text(), shown.at_text()));
    signatures::index(&shown, &keys)?;
    chains::index(&shown)?;
    report.checkpoint_size = Some(shown.head.size);
    report.state(shown.recoverability());
    report.ok(shown.state_text());
    if let Some(at) = shown.deleted_at() {
        report.skip(format!("the dump is in the bucket no more: it was deleted, as its retention asked ({at})"));
    }

    match (shown.streamed.take(), shown.is_export()) {
        (Some(entry), true) => leaves::check(&shown, &mut archive, &entry, report)?,
        (Some(entry), false) => own_artifact(&shown, &mut archive, &entry, report)?,
        (None, true) => leaves::absent(&shown, report)?,
        (None, false) => {}
    }
    anchor::check(&shown, kept.as_ref(), &keys, report)?;
    given_artifact(&shown, question.artifact, report)
}

fn checkpoint(what: &str, note: &str) -> Result<SignedCheckpoint, Failure> {
    SignedCheckpoint::parse(note).map_err(|error| Code::MalformedCheckpoint.because(format!("{what} is {error}")))
}

/// The dump in the bundle itself.
fn own_artifact(shown: &Shown, archive: &mut Archive<'_>, entry: &Entry, report: &mut Report) -> Result<(), Failure> {
    let altered = || Code::ArtifactAltered.because(format!("{ARTIFACT} is not the dump that the manifest describes"));
    let expected = shown.described(ARTIFACT)?;
    let artifact = &shown.backups[0].artifact;
    if (entry.size, expected.size_bytes, &expected.sha256)
        != (artifact.size_bytes, artifact.size_bytes, &artifact.checksum_sha256)
    {
        return Err(altered());
    }
    let mut hasher = Sha256::new();
    archive.pass(entry, &mut |chunk| hasher.update(chunk))?;
    if hex::encode(hasher.finalize()) != expected.sha256 {
        return Err(altered());
    }
    if archive.next()?.is_some() {
        return Err(Code::UnexpectedFile.because(format!("something follows {ARTIFACT}")));
    }
    report.ok(format!("{ARTIFACT} has the {} bytes and the SHA-256 of the manifest", artifact.size_bytes));
    Ok(())
}

/// The dump that was given beside the bundle.
fn given_artifact(shown: &Shown, artifact: Option<&mut dyn Read>, report: &mut Report) -> Result<(), Failure> {
    let Some(artifact) = artifact else {
        if !shown.has_artifact() {
            report.skip("the bytes of the dump were not compared with the manifest: give it with --artifact");
        }
        return Ok(());
    };
    let largest = shown.backups.iter().map(|backup| backup.artifact.size_bytes).max().unwrap_or_default();
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 64 << 10]);
    // What is longer than every dump that is described is none of them.
    while size <= largest {
        match artifact.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Code::UnreadableFile.because(format!("the dump that was given cannot be read: {error}")));
            }
        }
    }
    let hash = hex::encode(hasher.finalize());
    let fits =
        |backup: &&shown::Backup| (backup.artifact.size_bytes, &backup.artifact.checksum_sha256) == (size, &hash);
    let Some(backup) = shown.backups.iter().find(fits) else {
        let message = "the dump that was given is not the one that the manifest describes".to_owned();
        return Err(Code::ArtifactAltered.because(message));
    };
    report.ok(format!("the dump that was given is the one of {} ({size} bytes)", backup.id));
    Ok(())
}
