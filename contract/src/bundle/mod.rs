//! Evidence bundles: what proves one backup, or all that happened in a period, as an archive that is the same bytes whenever
//! the evidence is the same. Who has a bundle and a public key needs nothing and nobody else to check it.

mod archive;
mod json;
mod layout;
mod pack;
mod read;
mod recoverability;
pub mod verify;

pub use archive::Writer;
pub use layout::{
    ARTIFACT, AUDIT_EVENTS, BundleFile, BundleIndex, CHECKPOINT, ConsistencyProof, EXPORT_SCHEMA, ExportIndex,
    ExportScope, ExportedBackup, INDEX, InclusionProof, KEY_EVENTS, LEAVES, LogHead, MANIFEST, ORGANIZATION_EVENTS,
    PROOF, PROOF_SCHEMA, Proof, RESTORE_EVENTS, SCHEMA, StreamEnd, backup_events_name, backup_manifest_name,
    export_file_name, file_name, restore_name,
};
pub use pack::{
    BackupEvidence, Files, PackError, PeriodBackup, PeriodEvidence, Unsigned, archive, described, pack, pack_period,
};
pub use read::MAX_HELD_BYTES;
pub use recoverability::{Drill, Recoverability, RecoverabilityState, recoverability};

#[cfg(test)]
mod tests;
