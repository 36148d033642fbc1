//! Keys, and what they protect at rest: source DSNs and destination credentials. Nothing here prints a secret.

mod api_key;
mod credentials;
mod files;
mod history;
mod keyring;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod sealer;
mod signer;
mod token;

#[cfg(test)]
mod tests;

pub use api_key::{fingerprint, new_api_key};
pub use credentials::{Access, Credentials};
pub use files::{KeyFile, SecretFileError, read_private, read_secret_text};
pub use history::{KeyHistory, Standing};
pub use keyring::{KeySource, KeySources, Keyring, KeyringError};
pub(crate) use keyring::{generate_in_token, new_signing_key, open_in_token, signer_from};
pub use sealer::{SealError, Sealer};
pub use signer::{SignError, Signer};
pub use token::{TokenError, TokenSettings};

/// Appends lowercase hex to a text that was given enough room: one that grew would leave its earlier half behind.
fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).expect("four bits are one hexadecimal digit"));
        }
    }
}
