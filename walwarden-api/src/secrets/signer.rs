//! What signs manifests, checkpoints and statements: a key in memory, or one that never leaves its token.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::token::TokenError;

/// Why something was not signed. Never holds any part of a key or a PIN.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignError {
    /// The token does not sign.
    #[error("the PKCS#11 token did not sign: {0}")]
    Token(#[from] TokenError),
    /// The token signed, and not with this key.
    #[error("the PKCS#11 token answered with a signature that does not verify")]
    Wrong,
    /// The thread that signs is gone.
    #[error("the thread that signs ended before it was done")]
    Thread,
}

/// A provider of signatures of one Ed25519 key.
pub trait Signer: Send + Sync {
    /// The public half of the key.
    fn verifying_key(&self) -> &VerifyingKey;

    /// Where the private half is, in words that hold no secret: `file`, or `pkcs11:` and its label.
    fn kept_in(&self) -> String;

    /// Signs a message of any length. May block: [`super::Keyring::sign`] calls it where that harms nobody.
    ///
    /// # Errors
    /// A [`SignError`] when there is no signature that verifies.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// A key that was read from a file or the environment.
pub(super) struct KeyInMemory {
    key: SigningKey,
    public: VerifyingKey,
}

impl KeyInMemory {
    pub(super) fn new(key: SigningKey) -> Self {
        Self { public: key.verifying_key(), key }
    }
}

impl Signer for KeyInMemory {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn kept_in(&self) -> String {
        "file".to_owned()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(self.key.sign(message))
    }
}
