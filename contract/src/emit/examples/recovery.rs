//! Recovery windows, candidates and proofs.

use super::evidence::{MANIFEST, chain, drill, key_id, lock};
use super::facts::{DAY, HOUR, MINUTE, at, backup, database, destination};
use crate::model::{
    AuditChainProof, Custody, Freshness, ManifestProof, ProofStatus, ReadBackProof, Recoverability, RecoveryCandidate,
    RecoverySummary, RecoveryWindow, RecoveryWindowProof, SignatureProof,
};

fn window() -> RecoveryWindow {
    RecoveryWindow {
        window_id: backup().into(),
        database_id: database(),
        backup_job_id: backup(),
        snapshot_at: at(2),
        opens_at: at(3 * MINUTE),
        closes_at: None,
    }
}

pub(super) fn summary() -> RecoverySummary {
    RecoverySummary {
        database_id: database(),
        evaluated_at: at(HOUR),
        recoverability: Recoverability::Drilled.into(),
        rpo_minutes: Some(60),
        freshness: Freshness::Fresh.into(),
        stale_at: Some(at(DAY + 144 * MINUTE)),
        latest_window: Some(window()),
        completed_backups: 30,
        oldest_snapshot_at: Some(at(-29 * DAY + 2)),
        next_run_at: Some(at(DAY)),
        custody: Some(Custody { destination_id: destination(), lock: lock(), drill: drill() }),
    }
}

pub(super) fn candidate() -> RecoveryCandidate {
    RecoveryCandidate {
        database_id: database(),
        incident_time: at(HOUR),
        evaluated_at: at(2 * HOUR),
        backup_job_id: backup(),
        manifest_hash: MANIFEST.hash.clone(),
        integrity: crate::model::IntegrityResult::Passed.into(),
        window: window(),
        loss_minutes: 60,
        provisional: false,
        lock: lock(),
        drill: drill(),
    }
}

pub(super) fn proof() -> RecoveryWindowProof {
    let status = ProofStatus::Passed;
    RecoveryWindowProof {
        window: window(),
        evaluated_at: at(2 * HOUR),
        manifest: ManifestProof { status: status.into(), manifest_hash: MANIFEST.hash.clone() },
        signature: SignatureProof { status: status.into(), key_id: key_id() },
        read_back: ReadBackProof { status: status.into(), verified_at: at(4 * MINUTE) },
        audit_chain: AuditChainProof { status: status.into(), events: chain().len() as u64 },
        lock: lock(),
        drill: drill(),
    }
}
