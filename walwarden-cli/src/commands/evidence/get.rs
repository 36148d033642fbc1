//! `walwarden evidence get`

use serde_json::json;
use walwarden_contract::BackupJobId;

use super::super::interruptible;
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, id: BackupJobId) -> Result<Report, Failure> {
    let client = context.client()?;
    let evidence = interruptible(context, client.get_evidence(id)).await?;
    let verification = &evidence.integrity_verification;
    let human = text::fields(&[
        ("backup", evidence.backup_job_id.to_string()),
        ("database", evidence.database_id.to_string()),
        ("manifest", evidence.manifest_hash.clone()),
        ("signed by", evidence.key_id.clone()),
        ("integrity", format!("passed at {} ({})", verification.verified_at, verification.checks.join(", "))),
        ("age of data", format!("{} min", evidence.rpo_minutes)),
        ("audit events", evidence.audit_events.len().to_string()),
    ]);
    Ok(Report { data: json!({"evidence": evidence}), human, next: Vec::new() })
}
