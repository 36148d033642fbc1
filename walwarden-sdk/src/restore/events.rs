//! What a restore tells on its way.

use walwarden_contract::Timestamp;
use walwarden_contract::model::{RestoreReportPayload, RestoreState};

/// Something that happened during a restore.
///
/// How far `pg_restore` is within its work is not among them, because it cannot be told without risk. Its only source is
/// `--verbose`, and there every process of `--jobs` writes each message in several pieces to the one stderr: lines run into
/// each other all the time, a line of progress takes the place of an error's first line, and an error may be read as
/// progress. Errors decide whether a restore is good, so nothing else is let onto that stream. Whoever shows
/// the time that a step takes counts it from the event that begins it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RestoreEvent {
    /// The server took note of a state that is not yet an end.
    State {
        /// The state.
        state: RestoreState,
        /// When.
        at: Timestamp,
        /// What was said about it.
        payload: RestoreReportPayload,
    },
    /// The answer to the token's use did not come, or is not to be understood: the token may be used up. The restore ends
    /// here; the target was not touched.
    TokenInDoubt,
    /// Bytes of the artifact arrived.
    Downloaded {
        /// So far.
        bytes: u64,
        /// In all.
        total: u64,
    },
    /// The artifact is here, and is now compared with the manifest.
    Verifying {
        /// The artifact's length.
        bytes: u64,
    },
    /// Artifact and manifest match. The target was not touched yet.
    Verified {
        /// SHA-256 of the artifact, lowercase hex.
        checksum_sha256: String,
    },
    /// `pg_restore` begins, or the `CREATE DATABASE` before it.
    Restoring {
        /// The database that will hold the data.
        database: String,
        /// The artifact's length.
        bytes: u64,
        /// Entries of the archive that have data: tables, and large objects. Unknown when the archive's version is newer
        /// than this program.
        entries: Option<u64>,
        /// Parallel jobs.
        jobs: usize,
    },
    /// `ANALYZE` begins.
    Analyzing {
        /// The restored database.
        database: String,
    },
}
