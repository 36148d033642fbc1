//! Signing keys over time: statements that one key follows another, or is to be trusted no longer, and what a verifier that
//! knows one key may conclude from them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::key_id;
use crate::time::Timestamp;

/// The value of `schema` in a [`Rotation`].
pub const ROTATION: &str = "walwarden.key_rotation.v1";
/// The value of `schema` in a [`Revocation`].
pub const REVOCATION: &str = "walwarden.key_revocation.v1";

/// One key follows another. Both sign it: the old one hands over, the new one takes responsibility for what the old one signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SigningKeyRotatedPayload", transform = crate::audit::schema::as_stored)]
pub struct Rotation {
    /// [`ROTATION`].
    #[schemars(description = "Always `walwarden.key_rotation.v1`.", extend("const" = ROTATION))]
    pub schema: String,
    /// The new key.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
    /// Its public half, SPKI PEM.
    #[schemars(regex(pattern = crate::pattern::PUBLIC_KEY))]
    pub public_key: String,
    /// The key that signed until now.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub previous_key_id: String,
    /// Its public half, SPKI PEM.
    #[schemars(regex(pattern = crate::pattern::PUBLIC_KEY))]
    pub previous_public_key: String,
    /// When.
    pub rotated_at: Timestamp,
    /// The signatures of both keys over the RFC 8785 form of the statement without this member, by key id, base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signatures: BTreeMap<String, String>,
}

/// A key is to be trusted no longer. What it signed counts only where the log shows that it was there before this statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SigningKeyRevokedPayload", transform = crate::audit::schema::as_stored)]
pub struct Revocation {
    /// [`REVOCATION`].
    #[schemars(description = "Always `walwarden.key_revocation.v1`.", extend("const" = REVOCATION))]
    pub schema: String,
    /// The key that is revoked.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when it is not to be trusted.
    pub revoked_at: Timestamp,
    /// The key that says so.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub signed_by: String,
    /// Its signature over the RFC 8785 form of the statement without this member, base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(regex(pattern = crate::pattern::SIGNATURE))]
    pub signature: String,
}

/// Why a statement about keys is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not a statement of a known form.
    #[error("it is not a statement about signing keys in a known form")]
    Malformed,
    /// A key id is not that of the key beside it, or a key stands for itself.
    #[error("its key ids are not those of its keys")]
    WrongKeyId,
    /// A signature is missing or does not verify.
    #[error("its signature by {0} does not verify")]
    BadSignature(String),
    /// Another statement says something else about the same key.
    #[error("another statement says something else about {0}")]
    Contradiction(String),
}

/// A public key as SPKI PEM.
///
/// # Panics
/// Never: 32 bytes always have a PEM form.
#[must_use]
pub fn to_pem(key: &VerifyingKey) -> String {
    key.to_public_key_pem(LineEnding::LF).expect("an Ed25519 public key always has an SPKI form")
}

/// Reads a public key in SPKI PEM form. A point of small order is none, since whoever likes can sign for it, and neither is a
/// point that is not written in its one form (RFC 8032, 5.1.3).
#[must_use]
pub fn from_pem(pem: &str) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_public_key_pem(pem.trim()).ok()?;
    (!key.is_weak() && key.to_edwards().compress().as_bytes() == key.as_bytes()).then_some(key)
}

/// The RFC 8785 form of a document without one of its members: what that member signs.
pub(crate) fn without(document: &Value, member: &str) -> Option<Vec<u8>> {
    let mut object = document.as_object()?.clone();
    object.remove(member);
    serde_json_canonicalizer::to_vec(&Value::Object(object)).ok()
}

/// Whether a base64 signature over these bytes is this key's.
pub(crate) fn verifies(key: &VerifyingKey, bytes: &[u8], signature: &str) -> bool {
    let signature = STANDARD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    signature.is_some_and(|signature| key.verify_strict(bytes, &signature).is_ok())
}

impl Rotation {
    /// The statement, not yet signed.
    #[must_use]
    pub fn new(previous: &VerifyingKey, next: &VerifyingKey, rotated_at: Timestamp) -> Self {
        Self {
            schema: ROTATION.to_owned(),
            key_id: key_id(next),
            public_key: to_pem(next),
            previous_key_id: key_id(previous),
            previous_public_key: to_pem(previous),
            rotated_at,
            signatures: BTreeMap::new(),
        }
    }

    /// The bytes that both keys sign.
    ///
    /// # Panics
    /// Never: a statement always has a canonical form.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let document = serde_json::to_value(self).expect("a statement always has a JSON form");
        without(&document, "signatures").expect("a statement always has a canonical form")
    }

    /// The statement with the signatures of the old and the new key over [`Self::signed_bytes`].
    #[must_use]
    pub fn signed(mut self, previous: &Signature, next: &Signature) -> Self {
        let text = |signature: &Signature| STANDARD.encode(signature.to_bytes());
        self.signatures.insert(self.previous_key_id.clone(), text(previous));
        self.signatures.insert(self.key_id.clone(), text(next));
        self
    }

    /// Reads a statement as received, and checks that both of its keys signed it.
    ///
    /// # Errors
    /// A [`KeyError`].
    pub fn verify(received: &Value) -> Result<(Self, VerifyingKey, VerifyingKey), KeyError> {
        let statement: Self = serde_json::from_value(received.clone()).map_err(|_| KeyError::Malformed)?;
        let bytes = without(received, "signatures").ok_or(KeyError::Malformed)?;
        if statement.schema != ROTATION || statement.signatures.len() != 2 {
            return Err(KeyError::Malformed);
        }
        let key = |pem: &str, id: &str| {
            let key = from_pem(pem).filter(|key| to_pem(key) == pem).ok_or(KeyError::Malformed)?;
            if key_id(&key) == id { Ok(key) } else { Err(KeyError::WrongKeyId) }
        };
        let next = key(&statement.public_key, &statement.key_id)?;
        let previous = key(&statement.previous_public_key, &statement.previous_key_id)?;
        if next == previous {
            return Err(KeyError::WrongKeyId);
        }
        for (id, key) in [(&statement.previous_key_id, &previous), (&statement.key_id, &next)] {
            if !statement.signatures.get(id).is_some_and(|signature| verifies(key, &bytes, signature)) {
                return Err(KeyError::BadSignature(id.clone()));
            }
        }
        Ok((statement, previous, next))
    }
}

impl Revocation {
    /// The statement, not yet signed.
    #[must_use]
    pub fn new(key_id: String, reason: String, revoked_at: Timestamp, signed_by: String) -> Self {
        Self { schema: REVOCATION.to_owned(), key_id, reason, revoked_at, signed_by, signature: String::new() }
    }

    /// The bytes that are signed.
    ///
    /// # Panics
    /// Never: a statement always has a canonical form.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let document = serde_json::to_value(self).expect("a statement always has a JSON form");
        without(&document, "signature").expect("a statement always has a canonical form")
    }

    /// The statement with a signature over [`Self::signed_bytes`].
    #[must_use]
    pub fn signed(self, signature: &Signature) -> Self {
        Self { signature: STANDARD.encode(signature.to_bytes()), ..self }
    }

    /// Reads a statement as received. Its signature is checked with the key that it names, once that one is known.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], or [`KeyError::WrongKeyId`] when a key revokes itself.
    pub fn read(received: &Value) -> Result<Self, KeyError> {
        let statement: Self = serde_json::from_value(received.clone()).map_err(|_| KeyError::Malformed)?;
        match &statement {
            Self { schema, .. } if schema != REVOCATION => Err(KeyError::Malformed),
            Self { key_id, signed_by, .. } if key_id == signed_by => Err(KeyError::WrongKeyId),
            _ => Ok(statement),
        }
    }
}

/// A key that was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The statement.
    pub statement: Revocation,
    /// The place of the statement in the organization's log.
    pub leaf: u64,
}

/// The keys of an installation that a verifier trusts: the one that it was given, and all that statements tie to it.
///
/// A key hands over to one other key only, and takes over from one only. So a key that was stolen after its time cannot name an
/// heir of its own: the statement that it handed over to another contradicts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKeys {
    keys: BTreeMap<String, VerifyingKey>,
    revoked: BTreeMap<String, Revoked>,
    newest: String,
}

impl TrustedKeys {
    /// What the statements (with their places in the log) say, to somebody who trusts one key. A statement that is tied to none
    /// of the trusted keys changes nothing.
    ///
    /// # Errors
    /// A [`KeyError`] when a statement does not hold, or two contradict each other.
    pub fn learn(given: VerifyingKey, statements: &[(u64, &Value)]) -> Result<Self, KeyError> {
        let (mut heirs, mut origins, mut revocations) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (leaf, document) in statements {
            if document.get("schema").and_then(Value::as_str) == Some(REVOCATION) {
                revocations.push((*leaf, *document, Revocation::read(document)?));
                continue;
            }
            let (statement, previous, next) = Rotation::verify(document)?;
            // Said twice is said once.
            if heirs.get(&statement.previous_key_id) == Some(&(statement.key_id.clone(), next)) {
                continue;
            }
            if origins.insert(statement.key_id.clone(), (statement.previous_key_id.clone(), previous)).is_some() {
                return Err(KeyError::Contradiction(statement.key_id));
            }
            if heirs.insert(statement.previous_key_id.clone(), (statement.key_id, next)).is_some() {
                return Err(KeyError::Contradiction(statement.previous_key_id));
            }
        }
        let mut keys = BTreeMap::from([(key_id(&given), given)]);
        let mut newest = key_id(&given);
        // Each key stands in each map at most once, so that a walk ends; a circle ends where it began.
        for (towards, forward) in [(&heirs, true), (&origins, false)] {
            let mut at = key_id(&given);
            while let Some((id, key)) = towards.get(&at) {
                if keys.insert(id.clone(), *key).is_some() {
                    return Err(KeyError::Contradiction(id.clone()));
                }
                at.clone_from(id);
                if forward {
                    newest.clone_from(id);
                }
            }
        }
        let mut revoked: BTreeMap<String, Revoked> = BTreeMap::new();
        revocations.sort_by_key(|(leaf, ..)| *leaf);
        for (leaf, document, statement) in revocations {
            let Some(signer) = keys.get(&statement.signed_by) else { continue };
            // What a key says after it was revoked itself changes nothing.
            if revoked.get(&statement.signed_by).is_some_and(|revoked| revoked.leaf <= leaf) {
                continue;
            }
            let bytes = without(document, "signature").ok_or(KeyError::Malformed)?;
            if !verifies(signer, &bytes, &statement.signature) {
                return Err(KeyError::BadSignature(statement.signed_by));
            }
            // A key that was stolen must not speak against those that came after it.
            let mut at = &statement.key_id;
            while at != &statement.signed_by {
                at =
                    heirs.get(at).map(|(id, _)| id).ok_or_else(|| KeyError::Contradiction(statement.key_id.clone()))?;
            }
            revoked.entry(statement.key_id.clone()).or_insert(Revoked { statement, leaf });
        }
        Ok(Self { keys, revoked, newest })
    }

    /// The key of this id, if it is trusted; it may be revoked.
    #[must_use]
    pub fn get(&self, key_id: &str) -> Option<&VerifyingKey> {
        self.keys.get(key_id)
    }

    /// The key that no other has taken over from: the one that has to sign what is signed now.
    #[must_use]
    pub fn newest(&self) -> (&str, Option<&VerifyingKey>) {
        (&self.newest, self.keys.get(&self.newest))
    }

    /// Whether, and where in the log, a key was revoked.
    #[must_use]
    pub fn revoked(&self, key_id: &str) -> Option<&Revoked> {
        self.revoked.get(key_id)
    }

    /// Every key that is trusted.
    pub fn all(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.values()
    }

    /// How many keys are trusted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }
}

#[cfg(test)]
mod tests;
