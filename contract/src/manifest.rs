//! The backup manifest: its fields, canonical bytes, hash, signature and verification.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::id::{BackupJobId, DatabaseId, DestinationId, OrgId};
use crate::time::Timestamp;

/// The manifest format that this crate writes.
pub const SCHEMA: &str = "walwarden.manifest.v1";

/// What a completed backup consists of. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_signature)]
pub struct Manifest {
    /// [`SCHEMA`].
    #[schemars(description = "Always `walwarden.manifest.v1`.", extend("const" = SCHEMA))]
    pub schema: String,
    /// The backup job that made the artifact.
    pub backup_job_id: BackupJobId,
    /// The organization that owns it.
    pub org_id: OrgId,
    /// The protected database.
    pub database_id: DatabaseId,
    /// The destination that holds the artifact.
    pub destination_id: DestinationId,
    /// The artifact as it was sent and read back.
    pub artifact: ManifestArtifact,
    /// What was dumped, and by which tool.
    pub source: ManifestSource,
    /// When `pg_dump` was started.
    pub started_at: Timestamp,
    /// When the artifact was closed: everything in it is older than this.
    pub finished_at: Timestamp,
    /// The lock on the artifact, as read back from the bucket.
    pub retention: ManifestRetention,
    /// How the bucket encrypts the artifact, as read back: `method`, `algorithm` and `kmsKeyId`, as the evidence shows them; null
    /// where the destination did not ask for it. What a later version may write here is left open.
    #[schemars(with = "Option<Value>")]
    pub encryption: Option<ManifestEncryption>,
    /// Which key signed the manifest.
    #[schemars(regex(pattern = crate::pattern::KEY_ID))]
    pub key_id: String,
}

/// The dump object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestArtifact {
    /// The object's key in the bucket.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    #[schemars(regex(pattern = crate::pattern::SHA256))]
    pub checksum_sha256: String,
    /// `pg_dump`'s archive format: `custom`.
    pub format: String,
    /// The compression inside of the archive, for example `zstd:3`.
    pub compression: String,
    /// The length of every part but the last, in bytes.
    pub part_size_bytes: u64,
    /// SHA-256 of each part, lowercase hex, in order.
    #[schemars(inner(regex(pattern = crate::pattern::SHA256)))]
    pub part_checksums: Vec<String>,
}

/// The database that was dumped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestSource {
    /// Its name on the server.
    pub database_name: String,
    /// The server's version.
    pub postgres_version: String,
    /// The version of `pg_dump`.
    pub pg_dump_version: String,
}

/// A lock on an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestRetention {
    /// `none`, `governance` or `compliance`.
    #[schemars(with = "crate::model::LockMode")]
    pub mode: String,
    /// Until when the object cannot be deleted; null without a lock.
    pub retain_until: Option<Timestamp>,
}

/// How a bucket encrypts an object. Whoever may read the object gets its bytes in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestEncryption {
    /// What was asked for: `sse_s3` or `sse_kms`.
    #[schemars(with = "crate::model::Encryption")]
    pub method: String,
    /// The algorithm that the bucket told of: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The key that the bucket told of; null with keys of the provider's own.
    pub kms_key_id: Option<String>,
}

impl ManifestEncryption {
    /// Whether the bucket undoes it by itself when the object is read. Any other method is a later version's.
    #[must_use]
    pub fn is_the_buckets(&self) -> bool {
        use crate::model::Encryption;
        matches!(self.method.parse(), Ok(Encryption::SseS3 | Encryption::SseKms))
    }
}

/// The signature is no field of [`Manifest`], because it signs the fields; it is a member of the document.
fn add_signature(schema: &mut schemars::Schema) {
    let signature = serde_json::json!({
        "type": "string",
        "pattern": crate::pattern::SIGNATURE,
        "description": "Ed25519 signature over the RFC 8785 form of the document without this member, base64.",
    });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("signature".to_owned(), signature);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.push("signature".into());
    }
}

/// Why a manifest is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The bytes are not a JSON object that has a canonical form.
    #[error("the manifest is not a JSON object in a form that can be canonicalized")]
    Malformed,
    /// The object is not a manifest of a known schema.
    #[error("the manifest does not follow schema {SCHEMA}: {0}")]
    Schema(String),
    /// There is no signature in it.
    #[error("the manifest is not signed")]
    Unsigned,
    /// The signature does not match.
    #[error("the manifest's signature does not verify with the given key")]
    BadSignature,
}

/// The RFC 8785 form of the manifest as received, without its `signature`. Unknown fields stay in.
///
/// # Errors
/// [`ManifestError::Malformed`] when it is no object, or has no canonical form.
pub fn canonical_bytes(received: &Value) -> Result<Vec<u8>, ManifestError> {
    let mut object = received.as_object().ok_or(ManifestError::Malformed)?.clone();
    object.remove("signature");
    serde_json_canonicalizer::to_vec(&Value::Object(object)).map_err(|_| ManifestError::Malformed)
}

/// The hash that names a manifest everywhere: SHA-256 of [`canonical_bytes`], lowercase hex.
///
/// # Errors
/// As [`canonical_bytes`].
pub fn manifest_hash(received: &Value) -> Result<String, ManifestError> {
    Ok(hex::encode(Sha256::digest(canonical_bytes(received)?)))
}

/// A manifest with its signature, and the bytes to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    /// The whole document, signature included, in canonical form.
    pub bytes: Vec<u8>,
    /// [`manifest_hash`] of it.
    pub hash: String,
}

/// A manifest that waits for its signature, which may come from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedManifest {
    document: Value,
    canonical: Vec<u8>,
}

impl UnsignedManifest {
    /// A manifest to be signed.
    ///
    /// # Errors
    /// [`ManifestError::Malformed`] when the manifest has no canonical form.
    pub fn of(manifest: &Manifest) -> Result<Self, ManifestError> {
        let document = serde_json::to_value(manifest).map_err(|_| ManifestError::Malformed)?;
        let canonical = canonical_bytes(&document)?;
        Ok(Self { document, canonical })
    }

    /// What is to be signed: [`canonical_bytes`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.canonical
    }

    /// The manifest with a signature, which is taken as it is.
    ///
    /// # Errors
    /// [`ManifestError::Malformed`] when the document has no canonical form.
    pub fn signed(mut self, signature: &Signature) -> Result<SignedManifest, ManifestError> {
        if let Value::Object(object) = &mut self.document {
            object.insert("signature".to_owned(), Value::String(STANDARD.encode(signature.to_bytes())));
        }
        Ok(SignedManifest {
            bytes: serde_json_canonicalizer::to_vec(&self.document).map_err(|_| ManifestError::Malformed)?,
            hash: hex::encode(Sha256::digest(&self.canonical)),
        })
    }
}

/// Signs a manifest with a key at hand.
///
/// # Errors
/// [`ManifestError::Malformed`] when the manifest has no canonical form.
pub fn sign(manifest: &Manifest, key: &SigningKey) -> Result<SignedManifest, ManifestError> {
    let unsigned = UnsignedManifest::of(manifest)?;
    let signature = key.sign(unsigned.bytes());
    unsigned.signed(&signature)
}

/// Verifies the signature over the manifest as received, and only then reads its fields.
///
/// # Errors
/// A [`ManifestError`] that says what is wrong with it.
pub fn verify(received: &Value, key: &VerifyingKey) -> Result<Manifest, ManifestError> {
    let signature = received.get("signature").and_then(Value::as_str).ok_or(ManifestError::Unsigned)?;
    let signature = STANDARD.decode(signature).map_err(|_| ManifestError::BadSignature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| ManifestError::BadSignature)?;
    key.verify_strict(&canonical_bytes(received)?, &signature).map_err(|_| ManifestError::BadSignature)?;
    let manifest: Manifest =
        serde_json::from_value(received.clone()).map_err(|error| ManifestError::Schema(error.to_string()))?;
    if manifest.schema == SCHEMA {
        Ok(manifest)
    } else {
        Err(ManifestError::Schema(format!("it says {:?}", manifest.schema)))
    }
}

/// The identifier of a key: `wk_` and the first 16 hex digits of the SHA-256 of its 32 raw bytes.
#[must_use]
pub fn key_id(key: &VerifyingKey) -> String {
    format!("wk_{}", &hex::encode(Sha256::digest(key.as_bytes()))[..16])
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    pub(crate) fn example() -> Manifest {
        let at = Timestamp::from_millis(1_769_824_800_000).expect("in range");
        Manifest {
            schema: SCHEMA.to_owned(),
            backup_job_id: BackupJobId::from_uuid(Uuid::from_u128(1)),
            org_id: OrgId::from_uuid(Uuid::from_u128(2)),
            database_id: DatabaseId::from_uuid(Uuid::from_u128(3)),
            destination_id: DestinationId::from_uuid(Uuid::from_u128(4)),
            artifact: ManifestArtifact {
                key: "org/o/db/d/backup/2026/01/31/b.dump".to_owned(),
                size_bytes: 9_007_199_254_740_991,
                checksum_sha256: "00".repeat(32),
                format: "custom".to_owned(),
                compression: "gzip:1".to_owned(),
                part_size_bytes: 16 << 20,
                part_checksums: vec!["11".repeat(32)],
            },
            source: ManifestSource {
                database_name: "zürich".to_owned(),
                postgres_version: "15.18".to_owned(),
                pg_dump_version: "15.18".to_owned(),
            },
            started_at: at,
            finished_at: at,
            retention: ManifestRetention { mode: "none".to_owned(), retain_until: None },
            encryption: None,
            key_id: "wk_0011223344556677".to_owned(),
        }
    }

    fn signed() -> (Value, SignedManifest, VerifyingKey) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signed = sign(&example(), &key).expect("signs");
        (serde_json::from_slice(&signed.bytes).expect("is JSON"), signed, key.verifying_key())
    }

    #[test]
    fn a_signed_manifest_verifies_and_its_hash_is_stable() {
        let (document, signed, key) = signed();
        assert_eq!(verify(&document, &key), Ok(example()));
        assert_eq!(manifest_hash(&document), Ok(signed.hash.clone()));
        assert_eq!(signed.hash, "67e3740af453ae11fb8cd738e5d6c0505015e7693a52148709c6db78a64e2cb0");
    }

    #[test]
    fn an_unknown_field_is_signed_too() {
        let (mut document, _, key) = signed();
        document["archive"] = json!({"entries": 1});
        assert_eq!(verify(&document, &key), Err(ManifestError::BadSignature));
    }

    #[test]
    fn another_key_or_no_signature_is_refused() {
        let (mut document, _, _) = signed();
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(verify(&document, &other), Err(ManifestError::BadSignature));
        document.as_object_mut().expect("object").remove("signature");
        assert_eq!(verify(&document, &other), Err(ManifestError::Unsigned));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(position in 0_usize..2000, flip in 1_u8..=255) {
            let (original, signed, key) = signed();
            let mut bytes = signed.bytes;
            let position = position % bytes.len();
            bytes[position] ^= flip;
            if let Ok(document) = serde_json::from_slice::<Value>(&bytes) {
                prop_assert!(document == original || verify(&document, &key).is_err());
            }
        }
    }
}
