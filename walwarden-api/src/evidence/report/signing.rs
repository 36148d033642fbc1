//! The signature of a report: as of a manifest, so that a page's hash can be checked against its document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use walwarden_contract::manifest::{canonical_bytes, key_id};

use super::document::Document;

/// A signed report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The whole document in RFC 8785 form, `keyId` and `signature` included.
    pub bytes: Vec<u8>,
    /// SHA-256 of that form without `signature`: what the page shows.
    pub hash: String,
    /// The key.
    pub key_id: String,
    /// Its signature over the same bytes, base64.
    pub signature: String,
}

/// Why a document was not signed, or is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// It has no canonical form.
    #[error("the report is not a JSON object in a form that can be canonicalized")]
    Malformed,
    /// The signature is missing or does not match.
    #[error("the report's signature does not verify with the given key")]
    BadSignature,
}

/// A report that is to be signed, by whatever holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    document: Value,
    key_id: String,
    canonical: Vec<u8>,
}

impl Unsigned {
    /// A report that names the key which is to sign it.
    ///
    /// # Errors
    /// [`SigningError::Malformed`] when it has no canonical form.
    pub fn new(document: &Document, key: &VerifyingKey) -> Result<Self, SigningError> {
        let mut document = serde_json::to_value(document).map_err(|_| SigningError::Malformed)?;
        let key_id = key_id(key);
        put(&mut document, "keyId", &key_id)?;
        let canonical = canonical_bytes(&document).map_err(|_| SigningError::Malformed)?;
        Ok(Self { document, key_id, canonical })
    }

    /// What is signed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.canonical
    }

    /// The report with its signature.
    ///
    /// # Errors
    /// [`SigningError::Malformed`] when it has no canonical form.
    pub fn signed(self, signature: &Signature) -> Result<Signed, SigningError> {
        let Self { mut document, key_id, canonical } = self;
        let signature = STANDARD.encode(signature.to_bytes());
        put(&mut document, "signature", &signature)?;
        let bytes = serde_json_canonicalizer::to_vec(&document).map_err(|_| SigningError::Malformed)?;
        Ok(Signed { bytes, hash: hex::encode(Sha256::digest(&canonical)), key_id, signature })
    }
}

fn put(document: &mut Value, name: &str, text: &str) -> Result<(), SigningError> {
    let object = document.as_object_mut().ok_or(SigningError::Malformed)?;
    object.insert(name.to_owned(), Value::String(text.to_owned()));
    Ok(())
}

/// Verifies the signature over a report as received, and answers the hash that its page has to show.
///
/// # Errors
/// A [`SigningError`] that says what is wrong with it.
pub fn verify(received: &Value, key: &VerifyingKey) -> Result<String, SigningError> {
    let signature = received.get("signature").and_then(Value::as_str).ok_or(SigningError::BadSignature)?;
    let signature = STANDARD.decode(signature).map_err(|_| SigningError::BadSignature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| SigningError::BadSignature)?;
    let canonical = canonical_bytes(received).map_err(|_| SigningError::Malformed)?;
    key.verify_strict(&canonical, &signature).map_err(|_| SigningError::BadSignature)?;
    Ok(hex::encode(Sha256::digest(&canonical)))
}
