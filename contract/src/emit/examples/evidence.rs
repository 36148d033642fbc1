//! Evidence and audit chains. The signatures and hashes are real: made with a key that everybody can see here.

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::facts::{DAY, HOUR, MINUTE, at, backup, database, destination, org, restore};
use crate::audit::payload::{BackupClaimed, BackupCompleted, BackupFinalizing, BackupQueued, BackupRunning};
use crate::audit::{AuditEvent, FIRST_PREV_HASH, Payload, event_hash};
use crate::bundle::RecoverabilityState;
use crate::id::StreamId;
use crate::manifest::{
    Manifest, ManifestArtifact, ManifestRetention, ManifestSource, SCHEMA, SignedManifest, key_id as id_of, sign,
};
use crate::model::{
    AuditEventList, AuditStream, AuditStreamList, AuditVerification, BackupTrigger, DrillProof, DrillStatus, Evidence,
    EvidenceArtifact, EvidenceList, EvidenceSource, EvidenceSummary, IntegrityResult, IntegrityVerification, LockProof,
    LockStatus, ProofStatus,
};

/// What was checked: the first two by the worker, the others whenever it is shown.
const CHECKS: [&str; 4] = [
    "the artifact was read back from the bucket and has this SHA-256",
    "the manifest was read back from the bucket and is byte for byte what was signed",
    "the manifest's signature verifies",
    "the audit chain is whole",
];
const VERIFIED_BY: &str = "walwarden-api 0.1.0";

pub(super) static SIGNING_KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

/// The manifest of every example, signed.
pub(super) static MANIFEST: LazyLock<SignedManifest> =
    LazyLock::new(|| sign(&manifest(), &SIGNING_KEY).expect("the manifest has a canonical form"));

pub(super) fn key_id() -> String {
    id_of(&SIGNING_KEY.verifying_key())
}

pub(super) fn manifest_artifact() -> ManifestArtifact {
    ManifestArtifact {
        key: format!("org/{}/db/{}/backup/2026/01/31/{}.dump", org(), database(), backup()),
        size_bytes: 21_474_836,
        checksum_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        format: "custom".to_owned(),
        compression: "zstd:3".to_owned(),
        part_size_bytes: 16 << 20,
        part_checksums: vec![
            "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".to_owned(),
            "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13".to_owned(),
        ],
    }
}

fn manifest() -> Manifest {
    Manifest {
        schema: SCHEMA.to_owned(),
        backup_job_id: backup(),
        org_id: org(),
        database_id: database(),
        destination_id: destination(),
        artifact: manifest_artifact(),
        source: ManifestSource {
            database_name: "shop".to_owned(),
            postgres_version: "17.2".to_owned(),
            pg_dump_version: "17.2".to_owned(),
        },
        started_at: at(2),
        finished_at: at(3 * MINUTE),
        retention: ManifestRetention { mode: "governance".to_owned(), retain_until: Some(at(7 * DAY)) },
        encryption: None,
        key_id: key_id(),
    }
}

/// The signed manifest as a document.
pub(super) fn signed_manifest() -> Value {
    serde_json::from_slice(&MANIFEST.bytes).expect("signing writes JSON")
}

/// The audit chain of the backup.
pub(super) fn chain() -> Vec<AuditEvent> {
    let artifact = manifest_artifact();
    let completed = BackupCompleted {
        attempt: 1,
        database_id: Some(database()),
        manifest_hash: MANIFEST.hash.clone(),
        checksum_sha256: artifact.checksum_sha256.clone(),
        size_bytes: artifact.size_bytes,
        key_id: key_id(),
        checks: Some(CHECKS[..2].iter().copied().map(str::to_owned).collect()),
        verified_by: Some(VERIFIED_BY.to_owned()),
    };
    let queued = BackupQueued {
        trigger: Some(BackupTrigger::Adhoc),
        database_id: Some(database()),
        destination_id: Some(destination()),
        ..BackupQueued::default()
    };
    let running = BackupRunning {
        attempt: 1,
        object_key: artifact.key,
        pg_dump_version: "17.2".to_owned(),
        postgres_version: "17.2".to_owned(),
        compression: artifact.compression,
    };
    let finalizing = BackupFinalizing {
        attempt: 1,
        size_bytes: Some(artifact.size_bytes),
        checksum_sha256: Some(artifact.checksum_sha256),
        parts: Some(artifact.part_checksums.len() as u64),
        resumed: None,
    };
    let steps = [
        (0, Payload::BackupQueued(queued)),
        (1, Payload::BackupClaimed(BackupClaimed { attempt: 1, worker: "worker-1".to_owned() })),
        (2, Payload::BackupRunning(running)),
        (3 * MINUTE, Payload::BackupFinalizing(finalizing)),
        (4 * MINUTE, Payload::BackupCompleted(completed)),
    ];
    let mut events: Vec<AuditEvent> = Vec::new();
    for (seq, (seconds, payload)) in (1..).zip(steps) {
        let (kind, payload) = (payload.kind(), payload.to_value().expect("payloads are JSON"));
        let prev_hash = events.last().map_or(FIRST_PREV_HASH, |event| &event.hash).to_owned();
        let (at, job_id) = (at(seconds), backup().to_string());
        let hash = event_hash(&prev_hash, at, &job_id, kind, &payload).expect("the payload has a canonical form");
        events.push(AuditEvent { kind, seq, at, job_id, payload, prev_hash, hash });
    }
    events
}

fn documents() -> Vec<Value> {
    chain().into_iter().map(|event| json!(event)).collect()
}

fn head() -> String {
    chain().pop().map(|event| event.hash).unwrap_or_default()
}

pub(super) fn lock() -> LockProof {
    LockProof { status: LockStatus::Locked.into(), mode: "governance".to_owned(), retain_until: Some(at(7 * DAY)) }
}

pub(super) fn drill() -> DrillProof {
    let (restore_job_id, finished_at) = (Some(restore()), Some(at(HOUR + 6 * MINUTE)));
    DrillProof { status: DrillStatus::Drilled.into(), restore_job_id, finished_at }
}

fn integrity() -> IntegrityVerification {
    IntegrityVerification {
        result: IntegrityResult::Passed.into(),
        checks: CHECKS.map(str::to_owned).into(),
        verified_at: at(4 * MINUTE),
        verified_by: Some(VERIFIED_BY.to_owned()),
        failure: None,
    }
}

pub(super) fn evidence() -> Evidence {
    Evidence {
        backup_job_id: backup(),
        database_id: database(),
        manifest_hash: MANIFEST.hash.clone(),
        manifest: signed_manifest(),
        key_id: key_id(),
        recoverability: RecoverabilityState::Drilled.into(),
        integrity_verification: integrity(),
        rpo_minutes: 15,
        lock: lock(),
        encryption: None,
        drill: drill(),
        expired_at: None,
        audit_events: documents(),
    }
}

pub(super) fn list() -> EvidenceList {
    let (full, artifact, source) = (evidence(), manifest_artifact(), manifest().source);
    let summary = EvidenceSummary {
        backup_job_id: full.backup_job_id,
        database_id: full.database_id,
        completed_at: at(4 * MINUTE),
        artifact: EvidenceArtifact { size_bytes: artifact.size_bytes, checksum_sha256: artifact.checksum_sha256 },
        source: Some(EvidenceSource {
            postgres_version: source.postgres_version,
            pg_dump_version: source.pg_dump_version,
        }),
        manifest_hash: full.manifest_hash,
        key_id: full.key_id,
        recoverability: full.recoverability,
        integrity_verification: full.integrity_verification,
        rpo_minutes: full.rpo_minutes,
        lock: full.lock,
        encryption: full.encryption,
        drill: full.drill,
    };
    EvidenceList { evidence: vec![summary], next_cursor: None }
}

pub(super) fn streams() -> AuditStreamList {
    let stream = AuditStream { stream_id: StreamId::Backup(backup()), events: 5, head: head() };
    AuditStreamList { streams: vec![stream], next_cursor: None }
}

pub(super) fn events() -> AuditEventList {
    AuditEventList { events: documents(), next_cursor: None }
}

pub(super) fn verification() -> AuditVerification {
    AuditVerification {
        stream_id: StreamId::Backup(backup()),
        result: ProofStatus::Passed.into(),
        events: 5,
        head: head(),
        verified_at: at(HOUR),
        failure: None,
    }
}
