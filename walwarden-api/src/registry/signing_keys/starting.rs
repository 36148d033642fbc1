//! Which key a process starts with: the one that the store says is the current one, and no other.

use std::path::Path;

use walwarden_contract::manifest::key_id;

use super::files::{self, Locked};
use super::{Result, SigningKeyError};
use crate::secrets::{KeySource, KeySources, Keyring, signer_from};
use crate::store::signing_keys::{KeyState, KnownKey};
use crate::store::{Store, StoreError};
use crate::system::System;

/// Reads the keys and holds the one that signs against the store. The key of an installation that has none on record is recorded; a
/// rotation that was interrupted after the store knew of it is finished.
///
/// # Errors
/// When a key cannot be read, or the one that signs is not the current one.
pub async fn take_up(sources: &KeySources, store: &Store, system: &System) -> Result<Keyring> {
    let mut finished = false;
    loop {
        let keyring = Keyring::load(sources)?;
        let own = keyring.key_id();
        keyring.record(store, system.now()).await?;
        let known = store.signing_keys().await?;
        let Some(current) = known.iter().find(|key| key.state == KeyState::Current) else {
            return Err(StoreError::Missing("current signing key").into());
        };
        if current.key_id == own {
            return Ok(keyring);
        }
        let Some(record) = known.iter().find(|key| key.key_id == own) else {
            let KnownKey { key_id: current, kept_in, .. } = current.clone();
            return Err(SigningKeyError::Unknown { key_id: own, current, kept_in });
        };
        if finished || !finish(sources, &own, &current.key_id)? {
            let KnownKey { key_id: current, kept_in, created_at, .. } = current.clone();
            let retired_at = record.retired_at.unwrap_or(created_at);
            return Err(SigningKeyError::Retired { key_id: own, retired_at, current, kept_in });
        }
        tracing::warn!(
            previous = own,
            current = current.key_id,
            "finished a rotation of the signing key that was interrupted"
        );
        finished = true;
    }
}

/// The file that the key that signs is read from.
pub(super) fn signing_file(sources: &KeySources) -> Option<&Path> {
    match &sources.signing {
        KeySource::File(path) if sources.signs_with_token().is_none() => Some(path),
        _ => None,
    }
}

/// Puts the key that waits beside the old one in its place, if it is the current one. Answers whether it is in its place now.
fn finish(sources: &KeySources, own: &str, current: &str) -> Result<bool> {
    let Some(path) = signing_file(sources) else { return Ok(false) };
    let next = files::next(path);
    if next.symlink_metadata().is_err() {
        return Ok(false);
    }
    let _locked = Locked::try_take(path)?;
    // What was seen before the lock was taken may be over.
    let id_at =
        |path: &Path| -> Result<String> { Ok(key_id(signer_from(&KeySource::File(path.to_owned()))?.verifying_key())) };
    let there = id_at(path)?;
    if there != own {
        return Ok(there == current);
    }
    if id_at(&next)? != current {
        return Ok(false);
    }
    files::take_over(path, own)?;
    Ok(true)
}
