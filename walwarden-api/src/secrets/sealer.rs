//! Sealing of stored secrets with XChaCha20-Poly1305, bound to the record that they belong to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::system::System;

/// The format of a sealed text: `v1.` key id `.` base64url(nonce || ciphertext).
const VERSION: &str = "v1";
const NONCE_LENGTH: usize = 24;

/// Why a sealed text cannot be opened. Never holds any part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It does not have the shape of a sealed text.
    #[error("the sealed value is malformed")]
    Malformed,
    /// It was sealed with a key that is not at hand.
    #[error("the value was sealed with the key {key_id}, which this server does not hold")]
    UnknownKey {
        /// The key that sealed it.
        key_id: String,
    },
    /// It was changed, or belongs to another record.
    #[error("the sealed value was changed, or belongs to another record")]
    Refused,
    /// What was sealed is not what was expected.
    #[error("the sealed value does not hold {0}")]
    Content(&'static str),
}

struct SealingKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Seals with one key and opens with that key, or an earlier one.
pub struct Sealer {
    current: SealingKey,
    earlier: Vec<SealingKey>,
}

impl SealingKey {
    fn new(key: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"walwarden sealing key id\n");
        hasher.update(key);
        let id = format!("sk_{}", &hex::encode(hasher.finalize())[..16]);
        Self { id, cipher: XChaCha20Poly1305::new(key.into()) }
    }

    /// What a sealed text is bound to, besides its key.
    fn bound_to(&self, record_id: &str) -> String {
        format!("{record_id}\n{}", self.id)
    }
}

impl Sealer {
    /// A sealer with one key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { current: SealingKey::new(key), earlier: Vec::new() }
    }

    /// The same sealer, which also opens what `key` has sealed.
    #[must_use]
    pub fn and_opens_with(mut self, key: &[u8; 32]) -> Self {
        self.earlier.push(SealingKey::new(key));
        self
    }

    /// The identifier of the key that seals.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    /// What every text begins with that the newest key has sealed.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{VERSION}.{}.", self.current.id)
    }

    /// Seals `plaintext` for the record `record_id`.
    ///
    /// # Panics
    /// Never for what a record can hold: the cipher's limit is 256 GiB.
    #[must_use]
    pub fn seal(&self, system: &System, record_id: &str, plaintext: &[u8]) -> String {
        let nonce: [u8; NONCE_LENGTH] = system.random();
        let aad = self.current.bound_to(record_id);
        let payload = Payload { msg: plaintext, aad: aad.as_bytes() };
        let ciphertext =
            self.current.cipher.encrypt(&XNonce::from(nonce), payload).expect("a secret is shorter than 256 GiB");
        let sealed = [nonce.as_slice(), &ciphertext].concat();
        format!("{}{}", self.prefix(), URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what was sealed for the record `record_id`.
    ///
    /// # Errors
    /// A [`SealError`] that says what is wrong with it.
    pub fn open(&self, record_id: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(key_id), Some(text), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SealError::Malformed);
        };
        let key = std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|key| key.id == key_id)
            .ok_or_else(|| SealError::UnknownKey { key_id: key_id.chars().take(32).collect() })?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_LENGTH>().ok_or(SealError::Malformed)?;
        let aad = key.bound_to(record_id);
        let payload = Payload { msg: ciphertext, aad: aad.as_bytes() };
        key.cipher.decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| SealError::Refused)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sealer").field("key_id", &self.current.id).finish_non_exhaustive()
    }
}
