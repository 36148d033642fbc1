//! The evidence bundle: what proves one backup, as an archive that is the same bytes whenever the evidence is the same.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::AuditEvent;
use crate::id::BackupJobId;

/// The value of `schema` in [`INDEX`].
pub const SCHEMA: &str = "walwarden.bundle.v1";
/// The signed manifest, byte for byte as it stands in the bucket.
pub const MANIFEST: &str = "manifest.json";
/// The job's audit chain, oldest event first.
pub const AUDIT_EVENTS: &str = "audit_events.json";
/// What else is in the bundle.
pub const INDEX: &str = "bundle.json";

/// "Unknown" in a gzip header: the archive does not tell where it was made.
const GZIP_UNKNOWN_SYSTEM: u8 = 255;

/// The content of [`INDEX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleIndex {
    /// [`SCHEMA`].
    pub schema: String,
    /// The backup.
    pub backup_job_id: BackupJobId,
    /// The other files, in the order in which they stand in the archive.
    pub files: Vec<BundleFile>,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    pub sha256: String,
}

/// What a bundle is called where it is saved.
#[must_use]
pub fn file_name(backup_job_id: BackupJobId) -> String {
    format!("walwarden-evidence-{backup_job_id}.tgz")
}

fn described(name: &str, bytes: &[u8]) -> BundleFile {
    BundleFile { name: name.to_owned(), size_bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
}

/// The bundle of a completed backup, as the bytes of a `.tgz`. Nothing but the arguments goes in: no time, no owner,
/// no name of a machine.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn pack(backup_job_id: BackupJobId, manifest: &str, events: &[AuditEvent]) -> Vec<u8> {
    let events = serde_json::to_vec(events).expect("events always have a JSON form");
    let index = BundleIndex {
        schema: SCHEMA.to_owned(),
        backup_job_id,
        files: vec![described(MANIFEST, manifest.as_bytes()), described(AUDIT_EVENTS, &events)],
    };
    let index = serde_json::to_vec(&index).expect("an index always has a JSON form");
    let gzip = GzBuilder::new().mtime(0).operating_system(GZIP_UNKNOWN_SYSTEM);
    let mut archive = tar::Builder::new(gzip.write(Vec::new(), Compression::default()));
    for (name, bytes) in [(MANIFEST, manifest.as_bytes()), (AUDIT_EVENTS, &events), (INDEX, &index)] {
        append(&mut archive, name, bytes);
    }
    let compressed = archive.into_inner().and_then(flate2::write::GzEncoder::finish);
    compressed.expect("writing to memory does not fail")
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive.append_data(&mut header, name, bytes).expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use serde_json::json;

    use super::*;
    use crate::audit::{EventKind, FIRST_PREV_HASH, event_hash, verify_chain};

    fn evidence() -> (BackupJobId, &'static str, Vec<AuditEvent>) {
        let id: BackupJobId = "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3".parse().expect("an id");
        let at = "2026-01-31T02:00:00.000Z".parse().expect("a time");
        let (kind, payload) = (EventKind::BackupQueued, json!({ "b": 1, "a": 2 }));
        let hash = event_hash(FIRST_PREV_HASH, at, &id.to_string(), kind, &payload).expect("canonical");
        let prev_hash = FIRST_PREV_HASH.to_owned();
        (
            id,
            "{ \"z\": 1,\n\"a\": 2 }",
            vec![AuditEvent { kind, seq: 1, at, job_id: id.to_string(), payload, prev_hash, hash }],
        )
    }

    #[test]
    fn a_bundle_holds_the_evidence_and_an_index_that_describes_it() {
        let (id, manifest, events) = evidence();
        let bytes = pack(id, manifest, &events);
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        let mut files = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let header = entry.header();
            let (mode, mtime) = (header.mode().expect("a mode"), header.mtime().expect("a time"));
            assert_eq!((mode, header.uid().ok(), header.gid().ok(), mtime), (0o644, Some(0), Some(0), 0));
            let name = entry.path().expect("a path").display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("reads");
            files.push((name, content));
        }
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [MANIFEST, AUDIT_EVENTS, INDEX]);
        assert_eq!(files[0].1, manifest.as_bytes());
        let read: Vec<AuditEvent> = serde_json::from_slice(&files[1].1).expect("events");
        assert_eq!((verify_chain(&read), read), (Ok(()), events));
        let index: BundleIndex = serde_json::from_slice(&files[2].1).expect("an index");
        let expected = vec![described(MANIFEST, &files[0].1), described(AUDIT_EVENTS, &files[1].1)];
        assert_eq!((index.schema.as_str(), index.backup_job_id, index.files), (SCHEMA, id, expected));
    }

    #[test]
    fn the_same_evidence_is_the_same_bytes_without_time_or_name() {
        let (id, manifest, events) = evidence();
        let bytes = pack(id, manifest, &events);
        assert_eq!(bytes, pack(id, manifest, &events));
        // RFC 1952: no flags, so no name and no comment; no time; no system.
        assert_eq!((bytes[3], &bytes[4..8], bytes[9]), (0, [0; 4].as_slice(), GZIP_UNKNOWN_SYSTEM));
        assert_ne!(bytes, pack(id, "{}", &events));
    }
}
