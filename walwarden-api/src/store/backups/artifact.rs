//! What a job remembers of its artifact.

use serde::{Deserialize, Serialize};
use walwarden_contract::Timestamp;

/// A dump whose bytes are all in the bucket as parts, and closed; sealing it needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingArtifact {
    /// The upload to complete.
    pub upload_id: String,
    /// The parts' entity tags, in order.
    pub etags: Vec<String>,
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
}
