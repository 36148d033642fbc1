//! API keys: how they are made, and the fingerprint under which they are known.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::system::System;

/// A new key: `wal_` and 64 hexadecimal digits.
#[must_use]
pub fn new_api_key(system: &System) -> Zeroizing<String> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(system.random());
    let mut text = Zeroizing::new(String::with_capacity(68));
    text.push_str("wal_");
    super::push_hex(&mut text, bytes.as_slice());
    text
}

/// SHA-256 of a key's text, lowercase hex: all that is stored of it.
#[must_use]
pub fn fingerprint(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}
