//! Another key takes over. The order is what makes it safe to die anywhere: the new key is written, then the store knows it, then it signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walwarden_contract::Timestamp;
use walwarden_contract::key::Rotation;
use walwarden_contract::manifest::key_id;

use super::files::{self, Locked};
use super::starting::signing_file;
use super::{Result, SigningKeyError};
use crate::failpoint::{Failpoint, reach};
use crate::secrets::{
    KeySource, KeySources, KeyringError, SignError, Signer, generate_in_token, new_signing_key, open_in_token,
    signer_from,
};
use crate::store::signing_keys::KeyState;
use crate::store::{Store, StoreError};
use crate::system::{System, after};

/// Where the new key is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKey {
    /// In the place of the old key's file.
    InPlace,
    /// In a file of its own, which is not there yet or holds a key that never signed.
    File(PathBuf),
    /// In the PKCS#11 token, under this label: a key that is there and never signed, or a new one.
    Token(String),
}

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The statement, as it is in every chain.
    pub statement: Rotation,
    /// Where the new key is: `file`, or a token's label.
    pub kept_in: String,
    /// Where the old key's file is now, if it was moved.
    pub previous_file: Option<PathBuf>,
    /// How many organizations' chains say so.
    pub organizations: usize,
}

/// Rotates the signing key. `own` is the current one: see [`super::take_up`].
///
/// # Errors
/// A [`SigningKeyError`] that says what was changed: until the store knows the new key, nothing but a file or a key that never signed.
pub async fn rotate(
    sources: &KeySources,
    own: &Arc<dyn Signer>,
    store: &Store,
    system: &System,
    to: &NewKey,
) -> Result<Rotated> {
    let path = signing_file(sources);
    let _locked = path.map(Locked::try_take).transpose()?;
    // What was read before the lock was taken may be over; what waits beside the key could be the current one by now.
    let known = store.signing_keys().await?;
    let current = known.iter().find(|key| key.state == KeyState::Current);
    let current =
        current.filter(|current| current.key_id == key_id(own.verifying_key())).ok_or(SigningKeyError::Overtaken)?;
    let next = prepare(sources, path, system, to)?;
    reach(Failpoint::AfterNextKeyWritten);
    // Keys are published in the order in which they ended, whatever the clock says.
    let at = system.now().max(after(current.created_at, 1));
    let statement = state(own, &next, at).await?;
    let kept_in = next.kept_in();
    let told = match store.rotate_signing_key(&statement, &kept_in).await {
        Err(StoreError::Duplicate(_)) => {
            let message =
                format!("the key {} signed before: a rotation needs a new one; nothing was changed", statement.key_id);
            return Err(SigningKeyError::Refused(message));
        }
        told => told?,
    };
    let organizations = told.ok_or(SigningKeyError::Overtaken)?;
    reach(Failpoint::AfterRotationRecorded);
    let previous_file = match (to, path) {
        (NewKey::InPlace, Some(path)) => Some(files::take_over(path, &statement.previous_key_id)?),
        _ => None,
    };
    Ok(Rotated { statement, kept_in, previous_file, organizations })
}

/// Makes the new key, or takes the one that an interrupted rotation left.
fn prepare(sources: &KeySources, path: Option<&Path>, system: &System, to: &NewKey) -> Result<Arc<dyn Signer>> {
    match to {
        NewKey::InPlace => {
            let Some(path) = path else {
                let message = "the key that signs is not in a file that could be replaced: say where the new one is to be, with \
                               --to-key-file or --to-key-label";
                return Err(SigningKeyError::Refused(message.to_owned()));
            };
            let next = files::next(path);
            match signer_from(&KeySource::File(next.clone())) {
                Ok(left) => Ok(left),
                Err(KeyringError::File { .. } | KeyringError::Malformed { .. }) => {
                    // It was not whole when a rotation died, so the store cannot know it.
                    match fs::remove_file(&next) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(files::failed(&next)(error));
                        }
                        _ => {}
                    }
                    new_signing_key(system, &next)?;
                    Ok(signer_from(&KeySource::File(next))?)
                }
                Err(error) => Err(error.into()),
            }
        }
        NewKey::File(new) => {
            if new.symlink_metadata().is_err() {
                new_signing_key(system, new)?;
            }
            Ok(signer_from(&KeySource::File(new.clone()))?)
        }
        NewKey::Token(label) => {
            let Some(token) = &sources.pkcs11 else {
                let message = "--to-key-label needs a PKCS#11 token: name its module with --pkcs11-module";
                return Err(SigningKeyError::Refused(message.to_owned()));
            };
            generate_in_token(token, label)?;
            Ok(open_in_token(token, label)?)
        }
    }
}

/// The statement, signed by both keys.
async fn state(own: &Arc<dyn Signer>, next: &Arc<dyn Signer>, at: Timestamp) -> Result<Rotation> {
    let (own, next) = (Arc::clone(own), Arc::clone(next));
    if own.verifying_key() == next.verifying_key() {
        return Err(SigningKeyError::Refused(
            "the new key is the one that signs already; nothing was changed".to_owned(),
        ));
    }
    let signed = move || -> std::result::Result<Rotation, SignError> {
        let statement = Rotation::new(own.verifying_key(), next.verifying_key(), at);
        let bytes = statement.signed_bytes();
        Ok(statement.signed(&own.sign(&bytes)?, &next.sign(&bytes)?))
    };
    Ok(tokio::task::spawn_blocking(signed).await.map_err(|_| SignError::Thread)??)
}
