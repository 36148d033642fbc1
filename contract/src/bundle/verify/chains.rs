//! The events: whether each chain holds, tells of something that can happen, stands in the log, and amounts to what is claimed.

use std::collections::BTreeSet;

use super::shown::{Backup, Shown};
use super::{Code, Failure};
use crate::audit::{AuditEvent, ChainError, StreamKind, lifecycle, verify_chain};
use crate::bundle::layout::StreamEnd;
use crate::bundle::recoverability::{completion, is_restore_of, recoverability};
use crate::id::RestoreJobId;
use crate::log::merkle::verify_inclusion;
use crate::log::{Hash, Leaf, checkpoint};

/// Whether every chain holds, and every backup was completed with its manifest.
pub(super) fn check(shown: &Shown) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for backup in &shown.backups {
        let id = backup.id.to_string();
        chain(StreamKind::Backup, &backup.events, &id)?;
        completed(shown, backup)?;
        for restore in &backup.restores {
            let stream = restore.first().map(|event| event.job_id.clone()).unwrap_or_default();
            if !is_restore_of(restore, &id, &backup.claimed.manifest_hash) || stream.parse::<RestoreJobId>().is_err() {
                return Err(Code::EventOfAnotherChain.because(format!("{stream:?} is no restore of {id}")));
            }
            chain(StreamKind::Restore, restore, &stream)?;
            if !seen.insert(stream.clone()) {
                return Err(Code::ChainImpossible.because(format!("the restore {stream} is shown twice")));
            }
        }
        if !seen.insert(id.clone()) {
            return Err(Code::ChainImpossible.because(format!("the backup {id} is shown twice")));
        }
    }
    if shown.is_export() {
        chain(StreamKind::Organization, &shown.organization, &shown.org_id.to_string())?;
    }
    Ok(())
}

fn chain(kind: StreamKind, events: &[AuditEvent], stream: &str) -> Result<(), Failure> {
    if events.is_empty() {
        return Err(Code::ChainGap.because(format!("the chain of {stream} has no events")));
    }
    if let Some(foreign) = events.iter().find(|event| event.job_id != stream) {
        let message = format!("event {} is of {}, not of {stream}", foreign.seq, foreign.job_id.escape_debug());
        return Err(Code::EventOfAnotherChain.because(message));
    }
    verify_chain(events).map_err(|error| {
        let code = match error {
            ChainError::Gap { .. } => Code::ChainGap,
            ChainError::BrokenLink { .. } => Code::ChainLinkBroken,
            ChainError::Altered { .. } => Code::EventAltered,
            ChainError::Foreign { .. } => Code::EventOfAnotherChain,
        };
        code.because(format!("{stream}: {error}"))
    })?;
    lifecycle::possible(kind, events.iter().map(|event| event.kind))
        .map_err(|error| Code::ChainImpossible.because(format!("{stream}: {error}")))
}

fn completed(shown: &Shown, backup: &Backup) -> Result<(), Failure> {
    let id = backup.id;
    let Some(event) = completion(&backup.events, &backup.claimed.manifest_hash) else {
        let message = format!("no event says that {id} was completed with this manifest");
        return Err(Code::CompletionMissing.because(message));
    };
    let outside = shown.scope.as_ref().is_some_and(|scope| event.at < scope.from || event.at >= scope.to);
    if outside {
        let message = format!("{id} was not completed in the period of the export");
        return Err(Code::ManifestOfAnotherBackup.because(message));
    }
    Ok(())
}

/// The hashes of a path.
pub(super) fn path(hashes: &[String]) -> Option<Vec<Hash>> {
    hashes.iter().map(|text| hash(text)).collect()
}

/// A hash in lowercase hex.
pub(super) fn hash(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    (hex::encode(hash) == text).then_some(hash)
}

/// Whether every event stands in the log that the checkpoint is the head of.
pub(super) fn inclusion(shown: &Shown) -> Result<(), Failure> {
    let proof = &shown.proof;
    let head = &shown.checkpoint.checkpoint;
    if proof.origin != checkpoint::origin(head.org_id) || proof.size != head.size {
        return Err(Code::InclusionInvalid.because("the proofs are about another log than the checkpoint"));
    }
    let mut proofs = proof.inclusion.iter();
    let mut before: Option<(&str, u64)> = None;
    for event in shown.events() {
        let (stream, seq) = (event.job_id.as_str(), event.seq);
        let proof = proofs.next().filter(|proof| proof.stream == stream && proof.seq == seq).ok_or_else(|| {
            Code::ProofMissing.because(format!("event {seq} of {stream} has no proof that it is in the log"))
        })?;
        let later = before.is_none_or(|(earlier, leaf)| earlier != stream || leaf < proof.leaf);
        let holds = path(&proof.path).is_some_and(|path| {
            verify_inclusion(&Leaf::from(event).leaf_hash(), proof.leaf, head.size, &path, &head.root)
        });
        if !holds || !later {
            let message = format!("event {seq} of {stream} does not stand in the log where its proof says");
            return Err(Code::InclusionInvalid.because(message));
        }
        before = Some((stream, proof.leaf));
    }
    if proofs.next().is_some() {
        return Err(Code::ProofMissing.because("there are proofs of events that are not in the bundle"));
    }
    Ok(())
}

/// Whether files, chains and state are what the signed index says.
pub(super) fn index(shown: &Shown) -> Result<(), Failure> {
    let own = shown.files.len().saturating_sub(1);
    let behind = shown.streamed.as_ref().map(|entry| entry.name.as_str());
    let mut described = shown.described.iter();
    for file in &shown.files[..own] {
        if described.next() != Some(file) {
            return Err(Code::FileAltered.because(format!("{} is not the file that the index describes", file.name)));
        }
    }
    let rest: Vec<&str> = described.map(|file| file.name.as_str()).collect();
    match (rest.as_slice(), behind) {
        ([], None) => {}
        ([one], Some(behind)) if *one == behind => {}
        ([_, ..], None) => {
            return Err(Code::MissingFile.because(format!("the index names {}, which is not there", rest.join(", "))));
        }
        (_, Some(behind)) => {
            return Err(Code::UnexpectedFile.because(format!("the index does not name {behind}")));
        }
    }
    let ends: Vec<StreamEnd> = shown.chains().filter_map(StreamEnd::of).collect();
    if ends != shown.streams {
        let cut = ends.iter().zip(&shown.streams).find(|(end, signed)| end != signed);
        let stream = cut.map_or("a chain", |(end, _)| end.stream_id.as_str());
        return Err(Code::ChainTruncated.because(format!("{stream} does not end where the index says")));
    }
    for backup in &shown.backups {
        let amounts = recoverability(&backup.events, &backup.claimed.manifest_hash, &backup.restores);
        // As received: what is claimed beside what this version knows is not proven either.
        if amounts.and_then(|amounts| serde_json::to_value(amounts).ok()).as_ref() != Some(&backup.claim) {
            let message = format!("the events of {} do not amount to what the index claims", backup.id);
            return Err(Code::StateNotProven.because(message));
        }
    }
    Ok(())
}
