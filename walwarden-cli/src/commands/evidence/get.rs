//! `walwarden evidence get`

use walwarden_contract::BackupJobId;
use walwarden_contract::model::{IntegrityResult, IntegrityVerification};

use super::super::{interruptible, to_value};
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, id: BackupJobId) -> Result<Report, Failure> {
    let client = context.client()?;
    let evidence = interruptible(context, client.get_evidence(id)).await?;
    let human = text::fields(&[
        ("backup", evidence.backup_job_id.to_string()),
        ("database", evidence.database_id.to_string()),
        ("manifest", evidence.manifest_hash.clone()),
        ("signed by", evidence.key_id.clone()),
        ("integrity", integrity(&evidence.integrity_verification)),
        ("lock", evidence.lock.status.word()),
        ("drill", evidence.drill.status.word()),
        ("age of data", format!("{} min", evidence.rpo_minutes)),
        ("audit events", evidence.audit_events.len().to_string()),
    ]);
    Ok(Report { data: to_value(&evidence), human, next: Vec::new() })
}

fn integrity(verification: &IntegrityVerification) -> String {
    match verification.result.known() {
        Some(IntegrityResult::Passed) => {
            format!("passed at {} ({})", verification.verified_at, verification.checks.join(", "))
        }
        Some(IntegrityResult::NotVerifiable) => "not verifiable: the server lacks the key that signed".to_owned(),
        None => format!("{}: this version does not know what that means", verification.result),
        Some(IntegrityResult::Failed) => format!("FAILED: {}", text::or_dash(verification.failure.as_ref())),
    }
}
