//! What proves a backup, as far as this server can tell: checked again whenever it is shown.

use serde::Deserialize as _;
use serde_json::Value;
use walwarden_contract::audit::payload::BackupCompleted;
use walwarden_contract::audit::{AuditEvent, EventKind, verify_chain};
use walwarden_contract::bundle::{self, RecoverabilityState};
use walwarden_contract::manifest::{Manifest, ManifestEncryption};
use walwarden_contract::model::{
    DrillProof, DrillStatus, EvidenceSource, IntegrityResult, IntegrityVerification, LockProof, LockStatus,
    ProofStatus, RecoveryWindow,
};
use walwarden_contract::{BackupJobId, Open, OrgId, StreamId, Timestamp};

use super::error::Result;
use super::state::AppState;
use crate::engine::backup::{CHECKS, check_record, check_signature};
use crate::secrets::KeyHistory;
use crate::store::StoreError;
use crate::store::backups::BackupJob;
use crate::store::restores::CompletedRestore;
use crate::telemetry::integrity_failed;

const SIGNATURE: &str = "the manifest's signature verifies";
const CHAIN: &str = "the audit chain is whole";

/// A completed backup, and what its stored manifest turned out to be.
pub(super) struct Checked {
    pub(super) job: BackupJob,
    /// The stored manifest, null when it is not JSON.
    pub(super) document: Value,
    /// The manifest's fields, when it holds.
    pub(super) manifest: Option<Manifest>,
    /// Whether the stored manifest is the one that was recorded, and this backup's.
    pub(super) recorded: ProofStatus,
    /// Whether its signature verifies.
    pub(super) signature: ProofStatus,
    /// What does not hold.
    pub(super) failure: Option<String>,
}

/// Checks the stored manifest of a completed backup: its hash, its signature, and that it is about this backup.
pub(super) fn check_manifest(job: BackupJob, keys: &KeyHistory) -> Checked {
    let document: Value = serde_json::from_str(job.manifest.as_deref().unwrap_or_default()).unwrap_or_default();
    let recorded = check_record(&job, &document);
    let (signature, manifest) = check_signature(&job, &document, keys);
    let status = if recorded.is_ok() { ProofStatus::Passed } else { ProofStatus::Failed };
    let failure = recorded.err().map(str::to_owned).or_else(|| manifest.as_ref().err().cloned());
    if let Some(failure) = &failure {
        integrity_failed("manifest");
        tracing::error!(backup_job_id = %job.id, %failure, "a stored manifest does not hold");
    }
    let manifest = manifest.ok().filter(|_| failure.is_none());
    Checked { job, document, manifest, recorded: status, signature, failure }
}

impl Checked {
    /// When the dump began. A manifest that does not hold is no source: the job's own record is.
    pub(super) fn snapshot_at(&self) -> Timestamp {
        let recorded = || self.job.started_at.unwrap_or(self.job.created_at);
        self.manifest.as_ref().map_or_else(recorded, |manifest| manifest.started_at)
    }

    /// When the dump was whole; without a manifest that holds, when the job was completed.
    pub(super) fn opens_at(&self) -> Timestamp {
        self.manifest.as_ref().map_or_else(|| self.completed_at(), |manifest| manifest.finished_at)
    }

    /// When the backup was completed.
    pub(super) fn completed_at(&self) -> Timestamp {
        self.job.finished_at.unwrap_or(self.job.created_at)
    }

    /// The hash that was recorded.
    pub(super) fn manifest_hash(&self) -> String {
        self.job.manifest_hash.clone().unwrap_or_default()
    }

    /// The key that signed.
    pub(super) fn key_id(&self) -> String {
        self.job.artifact.as_ref().map(|artifact| artifact.key_id.clone()).unwrap_or_default()
    }

    /// The versions that the stored manifest names, whether it holds or not.
    pub(super) fn source(&self) -> Option<EvidenceSource> {
        serde_json::from_value(self.document.get("source")?.clone()).ok()
    }

    /// The window that this backup opens.
    pub(super) fn window(&self, closes_at: Option<Timestamp>) -> RecoveryWindow {
        RecoveryWindow {
            window_id: self.job.id.into(),
            database_id: self.job.database_id,
            backup_job_id: self.job.id,
            snapshot_at: self.snapshot_at(),
            opens_at: self.opens_at(),
            closes_at,
        }
    }

    /// The lock that was read back. Where the manifest does not hold, nothing says that there is one.
    pub(super) fn lock(&self, now: Timestamp) -> LockProof {
        let Some(Manifest { retention, .. }) = &self.manifest else {
            return LockProof { status: LockStatus::NotLocked.into(), mode: "none".to_owned(), retain_until: None };
        };
        let status = match retention.retain_until {
            None => LockStatus::NotLocked,
            Some(until) if until <= now => LockStatus::Expired,
            Some(_) => LockStatus::Locked,
        };
        LockProof { status: status.into(), mode: retention.mode.clone(), retain_until: retention.retain_until }
    }

    /// The encryption that was read back. Where the manifest does not hold, nothing says that there is one.
    pub(super) fn encryption(&self) -> Option<ManifestEncryption> {
        self.manifest.as_ref()?.encryption.clone()
    }

    /// How the manifest stands now.
    pub(super) fn integrity(&self) -> IntegrityResult {
        match (&self.failure, self.signature) {
            (Some(_), _) => IntegrityResult::Failed,
            (None, ProofStatus::NotVerifiable) => IntegrityResult::NotVerifiable,
            // The record holds, and there is nothing left in the bucket that it could be held against.
            (None, _) if !self.job.is_kept() => IntegrityResult::NotVerifiable,
            (None, _) => IntegrityResult::Passed,
        }
    }

    /// What was checked, and how it stands now. Of a chain that was not read, nothing is said.
    pub(super) fn verification(&self, chain: Option<&CheckedChain>) -> IntegrityVerification {
        let of_chain = chain.and_then(|chain| chain.failure.clone());
        let result = if of_chain.is_some() { IntegrityResult::Failed } else { self.integrity() };
        let failure = self.failure.clone().into_iter().chain(of_chain).reduce(|one, next| format!("{one} {next}"));
        // What the worker checked stands in the chain; older ones do not say it, and neither does the record.
        let holds = chain.filter(|chain| chain.failure.is_none());
        let mut checks =
            holds.and_then(|chain| chain.checks.clone()).unwrap_or_else(|| CHECKS.map(str::to_owned).into());
        let again = [(SIGNATURE, self.signature != ProofStatus::NotVerifiable), (CHAIN, chain.is_some())];
        checks.extend(again.into_iter().filter(|(_, looked_at)| *looked_at).map(|(check, _)| check.to_owned()));
        let stored = || self.job.artifact.as_ref().and_then(|artifact| artifact.verified_by.clone());
        IntegrityVerification {
            result: result.into(),
            checks,
            verified_at: self.completed_at(),
            verified_by: holds.map_or_else(stored, |chain| chain.verified_by.clone()),
            failure,
        }
    }
}

/// How far a backup is proven, by what was found of it now. Where something does not hold, or cannot be checked, nothing is but that
/// its job was completed.
pub(super) fn proven(integrity: &IntegrityVerification, verified: bool, drilled: bool) -> Open<RecoverabilityState> {
    let holds = integrity.result == IntegrityResult::Passed;
    let state = match (holds && verified, drilled) {
        (false, _) => RecoverabilityState::Completed,
        (true, false) => RecoverabilityState::Verified,
        (true, true) => RecoverabilityState::Drilled,
    };
    state.into()
}

/// How far a backup is proven, by its own events and those of its newest completed restore.
pub(super) async fn recoverability(
    state: &AppState,
    job: &BackupJob,
    chain: &CheckedChain,
    integrity: &IntegrityVerification,
    drill: &DrillProof,
) -> Result<Open<RecoverabilityState>> {
    let mut restores = Vec::new();
    if let Some(id) = drill.restore_job_id {
        let restore = state.store.audit_chain(job.org_id, &id.to_string()).await?;
        if verify_chain(&restore).is_ok() {
            restores.push(restore);
        }
    }
    let hash = job.manifest_hash.as_deref().unwrap_or_default();
    let amounts = bundle::recoverability(&chain.events, hash, &restores).map(|found| found.state);
    let at_least = |least| amounts.is_some_and(|state| state >= least);
    Ok(proven(integrity, at_least(RecoverabilityState::Verified), at_least(RecoverabilityState::Drilled)))
}

/// The audit chain of a backup, and what it turned out to be.
pub(super) struct CheckedChain {
    pub(super) events: Vec<AuditEvent>,
    /// When the read-back of this very manifest was recorded.
    pub(super) read_back_at: Option<Timestamp>,
    /// What the worker had checked by then; none in older chains.
    checks: Option<Vec<String>>,
    /// The program that checked it; none in older chains.
    verified_by: Option<String>,
    /// What does not hold.
    pub(super) failure: Option<String>,
}

/// Checks the chain of a completed backup, to its recorded head.
pub(super) async fn check_chain(state: &AppState, job: &BackupJob) -> Result<CheckedChain> {
    let mut failure = None;
    let events = match state.store.audit_chain(job.org_id, &job.id.to_string()).await {
        Err(StoreError::Corrupt(what)) => {
            failure = Some(format!("The audit chain holds an unreadable {what}."));
            Vec::new()
        }
        read => read?,
    };
    let head = match state.store.audit_stream(job.org_id, StreamId::Backup(job.id)).await {
        Err(StoreError::Missing(_)) => None,
        read => Some(read?),
    };
    let recorded = head.map(|head| (head.events, head.head));
    let newest = events.last().map(|event| (event.seq, event.hash.clone()));
    let proves = |event: &&AuditEvent| {
        event.kind == EventKind::BackupCompleted
            && event.payload["manifestHash"].as_str() == job.manifest_hash.as_deref()
    };
    let completed = events.iter().find(proves);
    let read_back_at = completed.map(|event| event.at);
    let said = completed.and_then(|event| BackupCompleted::deserialize(&event.payload).ok());
    let (checks, verified_by) = said.map_or((None, None), |said| (said.checks, said.verified_by));
    let failure = failure.or_else(|| {
        if let Err(error) = verify_chain(&events) {
            Some(format!("The audit chain is broken: {error}."))
        } else if newest != recorded {
            Some("The audit chain does not end at its recorded head.".to_owned())
        } else if read_back_at.is_none() {
            Some("The audit chain does not say that a backup with this manifest was completed.".to_owned())
        } else {
            None
        }
    });
    if let Some(failure) = &failure {
        integrity_failed("audit_chain");
        tracing::error!(backup_job_id = %job.id, %failure, "an audit chain does not hold");
    }
    Ok(CheckedChain { events, read_back_at, checks, verified_by, failure })
}

/// Whether a restore was completed.
pub(super) fn drill(completed: Option<CompletedRestore>) -> DrillProof {
    DrillProof {
        status: if completed.is_some() { DrillStatus::Drilled } else { DrillStatus::NotDrilled }.into(),
        restore_job_id: completed.map(|(id, _)| id),
        finished_at: completed.map(|(_, at)| at),
    }
}

/// Whether a restore of the backup was completed.
pub(super) async fn drill_proof(state: &AppState, org_id: OrgId, id: BackupJobId) -> Result<DrillProof> {
    Ok(drill(state.store.completed_restore(org_id, id).await?))
}
