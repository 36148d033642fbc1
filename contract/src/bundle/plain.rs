//! The bundle without its log, as the API still writes it.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AUDIT_EVENTS, INDEX, MANIFEST, SCHEMA};
use crate::audit::AuditEvent;
use crate::id::BackupJobId;

/// "Unknown" in a gzip header: the archive does not tell where it was made.
const GZIP_UNKNOWN_SYSTEM: u8 = 255;

/// The content of [`INDEX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleIndex {
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
struct BundleFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, lowercase hex.
    pub sha256: String,
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
