//! A key is trusted no longer: what was not on record before does not count.

use walwarden_contract::Timestamp;
use walwarden_contract::key::Revocation;

use super::{Result, SigningKeyError};
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::signing_keys::KeyState;
use crate::system::System;

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// What a revocation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The statement, as it is in every chain.
    pub statement: Revocation,
    /// How many organizations' chains say so.
    pub organizations: usize,
}

/// Revokes an earlier key, from this time on or from now on. The current key signs; it is never the one that is revoked.
///
/// # Errors
/// A [`SigningKeyError`]; then nothing was changed.
pub async fn revoke(
    keyring: &Keyring,
    store: &Store,
    system: &System,
    key_id: &str,
    reason: &str,
    at: Option<Timestamp>,
) -> Result<Revoked> {
    let refused = |message: &str| Err(SigningKeyError::Refused(message.to_owned()));
    let (reason, now) = (reason.trim(), system.now());
    if reason.is_empty() || reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control) {
        return refused("--reason has to be one line of 1 to 500 characters");
    }
    if at.is_some_and(|at| at > now) {
        return refused("--at must not be in the future");
    }
    let known = store.signing_keys().await?;
    match known.iter().find(|key| key.key_id == key_id).map(|key| key.state) {
        None => return Err(SigningKeyError::Missing(key_id.to_owned())),
        Some(KeyState::Revoked) => return refused("the key was revoked before; a revocation is not changed"),
        Some(KeyState::Current) => {
            return refused(
                "the key is the current one: rotate first with `walwarden-api admin signing-key rotate`, start every server again, and \
                 revoke it then",
            );
        }
        Some(KeyState::Retired) => {}
    }
    let statement = Revocation::new(key_id.to_owned(), reason.to_owned(), at.unwrap_or(now), keyring.key_id());
    let signature = keyring.sign(statement.signed_bytes()).await?;
    let statement = statement.signed(&signature);
    let told = store.revoke_signing_key(&statement, now).await?;
    Ok(Revoked { statement, organizations: told.ok_or(SigningKeyError::Overtaken)? })
}
