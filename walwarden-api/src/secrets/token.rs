//! Where a key in a PKCS#11 token is found, and why it cannot be used.

use std::path::PathBuf;

use secrecy::SecretString;

/// A PKCS#11 token, and which of its keys signs.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// The vendor's module, a shared library.
    pub module: PathBuf,
    /// The token's label; `None` for the only one that there is.
    pub token: Option<String>,
    /// The user's PIN; `None` for a token that wants none.
    pub pin: Option<SecretString>,
    /// The label of the key that signs; `None` while a file does, and the token is there to move the key to.
    pub key_label: Option<String>,
}

/// Why a token, or a key in it, cannot be used. Never holds the PIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The program was built without the feature.
    #[error("this program was built without PKCS#11 (cargo feature `pkcs11`)")]
    NotBuilt,
    /// The module cannot be loaded.
    #[error("the PKCS#11 module {} cannot be loaded: {reason}", path.display())]
    Module {
        /// Its path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no such token.
    #[error("there is no initialized PKCS#11 token{}; there is {found}", label.as_ref().map(|label| format!(" {label:?}")).unwrap_or_default())]
    NoToken {
        /// The label that was looked for.
        label: Option<String>,
        /// The labels that there are.
        found: String,
    },
    /// More than one token could be meant.
    #[error(
        "several PKCS#11 tokens could be meant: {found}; name one of a label that no other has with --pkcs11-token"
    )]
    SeveralTokens {
        /// The labels that there are.
        found: String,
    },
    /// The token wants a PIN.
    #[error("the PKCS#11 token asks for a PIN: give it with WALWARDEN_PKCS11_PIN or --pkcs11-pin-file")]
    NoPin,
    /// The token refused something.
    #[error("{call} answered {answer}")]
    Refused {
        /// The function of the module.
        call: String,
        /// What it answered.
        answer: String,
    },
    /// There is no such key.
    #[error("the PKCS#11 token has no Ed25519 key pair with the label {label:?}")]
    NoKey {
        /// The label.
        label: String,
    },
    /// More than one key has this label.
    #[error(
        "the PKCS#11 token has several Ed25519 keys with the label {label:?}: give the one that signs a label of its own"
    )]
    SeveralKeys {
        /// The label.
        label: String,
    },
    /// The public half is not what it should be.
    #[error("the public key with the label {label:?} in the PKCS#11 token is not the Ed25519 key of the private one")]
    NotAPair {
        /// The label.
        label: String,
    },
}
