//! The bundle's log against a checkpoint from elsewhere: whoever holds the signing key can write another history, and cannot
//! change what somebody kept.

use super::chains::path;
use super::report::Report;
use super::shown::Shown;
use super::{Code, Failure};
use crate::key::TrustedKeys;
use crate::log::SignedCheckpoint;
use crate::log::merkle::verify_consistency;

const WITHOUT: &str = "nothing outside of the bundle says that this is the only history: give a checkpoint that you kept, or one \
                       from the bucket, with --checkpoint";

pub(super) fn check(
    shown: &Shown,
    kept: Option<&SignedCheckpoint>,
    keys: &TrustedKeys,
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(kept) = kept else {
        report.unanchored(WITHOUT);
        return Ok(());
    };
    let (old, new) = (&kept.checkpoint, &shown.checkpoint.checkpoint);
    if old.org_id != new.org_id {
        return Err(Code::CheckpointOfAnotherOrganization
            .because(format!("the checkpoint that was given is of {}, not of {}", old.org_id, new.org_id)));
    }
    signed(kept, keys)?;
    if old.size > new.size {
        return Err(Code::RolledBack.because(format!(
            "the bundle is as of {} events, and the checkpoint that was given of {}: export the bundle again, or give a checkpoint of at \
             most {} events",
            new.size, old.size, new.size
        )));
    }
    if old.size == new.size && old.root != new.root {
        return Err(Code::Forked.because(format!("there are two logs of {} events", new.size)));
    }
    if old.size == 0 {
        report.unanchored("the checkpoint that was given is of an empty log and says nothing");
        return Ok(());
    }
    if old.size < new.size {
        let found = shown.proof.consistency.iter().find(|proof| proof.from == old.size).ok_or_else(|| {
            Code::ConsistencyMissing.because(format!(
                "the bundle proves nothing about the log of {} events: export it again, with remembered={}",
                old.size, old.size
            ))
        })?;
        let holds =
            path(&found.path).is_some_and(|path| verify_consistency(old.size, new.size, &old.root, &new.root, &path));
        if !holds {
            let message = format!("the log of {} events does not begin with the {} that were kept", new.size, old.size);
            return Err(Code::ConsistencyInvalid.because(message));
        }
    }
    report.ok(format!("the log begins with the {} events of the checkpoint that was given ({})", old.size, old.at));
    let (within, all) = (shown.within(old.size), shown.events().count());
    if within < all {
        // Whoever holds the key now can append whatever he likes.
        report.unanchored(format!(
            "{} of {all} events were logged after the checkpoint that was given; for those, nothing outside of the bundle says that \
             they happened: give a later checkpoint from the bucket, best the one of {} events",
            all - within, new.size
        ));
        return Ok(());
    }
    report.anchored = true;
    Ok(())
}

/// A checkpoint that was kept is signed by a key that was in use then.
fn signed(kept: &SignedCheckpoint, keys: &TrustedKeys) -> Result<(), Failure> {
    let mut by = keys.all().filter_map(|key| kept.signed_by(key)).peekable();
    let unknown = by.peek().is_none();
    if !unknown && by.all(|verifies| verifies) {
        return Ok(());
    }
    Err(if unknown {
        let message =
            "the checkpoint that was given is signed by no key that is tied to the key that was given: export \
                       the bundle again if the key was rotated since"
                .to_owned();
        Code::CheckpointUnsignedByTrustedKey.because(message)
    } else {
        Code::CheckpointSignatureInvalid.because("the checkpoint that was given was changed after it was signed")
    })
}
