//! What a job remembers of its artifact.

use serde::{Deserialize, Serialize};
use walwarden_contract::Timestamp;
use walwarden_contract::model::Encryption;

/// A dump whose bytes are all in the bucket as parts, and closed; sealing it needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingArtifact {
    /// The upload to complete.
    pub upload_id: String,
    /// The parts' entity tags, in order.
    pub etags: Vec<String>,
    /// CRC-32 of each part in Base64, in order, as the bucket acknowledged it; empty where it acknowledges none.
    #[serde(default)]
    pub crc32s: Vec<String>,
    /// SHA-256 of each part, lowercase hex, in order.
    pub part_checksums: Vec<String>,
    /// The length of every part but the last.
    pub part_size_bytes: u64,
    /// The length of the whole.
    pub size_bytes: u64,
    /// SHA-256 of the whole, lowercase hex.
    pub checksum_sha256: String,
    /// The compression inside of the archive.
    pub compression: String,
    /// The source database's name.
    pub database_name: String,
    /// The source server's version.
    pub postgres_version: String,
    /// The version of `pg_dump`.
    pub pg_dump_version: String,
    /// When the dump was closed.
    pub finished_at: Timestamp,
    /// Until when the object is to be locked.
    pub retain_until: Option<Timestamp>,
    /// What the bucket was asked to encrypt the object with when its upload began; nothing in older records.
    #[serde(default = "nothing")]
    pub encryption: Encryption,
    /// The key of that.
    #[serde(default)]
    pub kms_key_id: Option<String>,
}

const fn nothing() -> Encryption {
    Encryption::None
}

/// What is shown of a completed job's artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredArtifact {
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    pub checksum_sha256: String,
    /// The compression inside of the archive.
    pub compression: String,
    /// The key that signed the manifest.
    pub key_id: String,
    /// The bucket's entity tag when the bytes were read back; none in older records.
    #[serde(default)]
    pub etag: Option<String>,
    /// The object's version, where the bucket has versions; none in older records.
    #[serde(default)]
    pub version_id: Option<String>,
    /// The program that read the bytes back, with its version; none in older records.
    #[serde(default)]
    pub verified_by: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that is replaced by this version may have left a dump to be sealed.
    #[test]
    fn a_dump_that_was_closed_before_there_was_encryption_to_ask_for_is_sealed_without() {
        let closed = r#"{"upload_id":"u","etags":["e"],"part_checksums":["00"],"part_size_bytes":1,"size_bytes":1,"checksum_sha256":"00",
            "compression":"gzip:1","database_name":"d","postgres_version":"15","pg_dump_version":"15",
            "finished_at":"2026-01-31T02:00:00.000Z","retain_until":null}"#;
        let read: PendingArtifact = serde_json::from_str(closed).expect("is read");
        assert_eq!((read.encryption, read.kms_key_id), (Encryption::None, None));
    }
}
