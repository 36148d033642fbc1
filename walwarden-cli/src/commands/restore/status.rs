//! `walwarden restore status`

use walwarden_contract::RestoreJobId;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::text;

pub(super) async fn run(context: &Context, id: RestoreJobId) -> Result<Report, Failure> {
    let client = context.client()?;
    let restore = interruptible(context, client.get_restore(id)).await?;
    let mut pairs = vec![
        ("restore", restore.id.to_string()),
        ("backup", restore.backup_job_id.to_string()),
        ("mode", restore.mode.word()),
        ("target", restore.target_redacted_dsn.clone()),
        ("state", restore.state.word()),
        ("created", restore.created_at.to_string()),
        ("finished", text::or_dash(restore.finished_at)),
    ];
    if let Some(error) = &restore.error {
        pairs.push(("error", format!("{} [{}]", error.message, error.code)));
    }
    let human = text::fields(&pairs);
    Ok(Report { data: to_value(&restore), human, next: Vec::new() })
}
