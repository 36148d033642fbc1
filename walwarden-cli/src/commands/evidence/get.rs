//! `walwarden evidence get`

use walwarden_contract::BackupJobId;
use walwarden_contract::model::{DrillProof, Evidence, IntegrityResult, LockProof};

use super::super::{interruptible, to_value};
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::view::{Cell, View};
use crate::output::{text, when};

pub(crate) async fn run(context: &Context, id: BackupJobId) -> Result<Report, Failure> {
    let client = context.client()?;
    let evidence = interruptible(context, client.get_evidence(id)).await?;
    let human = human(&evidence, &context.view());
    Ok(Report { data: to_value(&evidence), human, next: Vec::new() })
}

pub(in crate::commands) fn human(evidence: &Evidence, view: &View) -> String {
    view.fields(&[
        ("backup", evidence.backup_job_id.to_string().into()),
        ("database", evidence.database_id.to_string().into()),
        ("manifest", evidence.manifest_hash.as_str().into()),
        ("signed by", evidence.key_id.as_str().into()),
        ("integrity", integrity(evidence, view)),
        ("lock", lock(&evidence.lock, view)),
        ("encryption", text::or_dash(encryption(evidence)).into()),
        ("drill", drill(&evidence.drill, view)),
        ("age of data", when::minutes(evidence.rpo_minutes).into()),
        ("audit events", evidence.audit_events.len().to_string().into()),
    ])
}

fn integrity(evidence: &Evidence, view: &View) -> Cell {
    let verification = &evidence.integrity_verification;
    let result = Cell::word(&verification.result);
    match verification.result.known() {
        Some(IntegrityResult::Passed) => {
            result.and(&format!(" at {} ({})", view.time(verification.verified_at), verification.checks.join(", ")))
        }
        Some(IntegrityResult::NotVerifiable) if evidence.expired_at.is_some() => {
            result.and(&format!(": deleted from the bucket at {}", view.time_or_dash(evidence.expired_at)))
        }
        Some(IntegrityResult::NotVerifiable) => result.and(": the server lacks the key that signed"),
        Some(IntegrityResult::Failed) => result.and(&format!(": {}", text::or_dash(verification.failure.as_ref()))),
        None => result.and(": this version does not know what that means"),
    }
}

fn lock(lock: &LockProof, view: &View) -> Cell {
    let status = Cell::word(&lock.status);
    match lock.retain_until {
        Some(until) => status.and(&format!(" ({}) until {}", lock.mode, view.time(until))),
        None => status,
    }
}

/// As the bucket told it when the artifact was read back.
fn encryption(evidence: &Evidence) -> Option<String> {
    let found = evidence.encryption.as_ref()?;
    let key = found.kms_key_id.as_ref().map(|key| format!(", key {key}")).unwrap_or_default();
    Some(format!("{} ({}{key})", found.method, found.algorithm))
}

fn drill(drill: &DrillProof, view: &View) -> Cell {
    match (drill.restore_job_id, drill.finished_at) {
        (Some(id), Some(at)) => Cell::word(&drill.status).and(&format!(" by {id} at {}", view.time(at))),
        _ => Cell::word(&drill.status).and(": no restore of this backup is completed"),
    }
}
