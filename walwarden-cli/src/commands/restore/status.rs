//! `walwarden restore status`

use walwarden_contract::RestoreJobId;
use walwarden_contract::model::Restore;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::view::{Cell, View};

pub(super) async fn run(context: &Context, id: RestoreJobId) -> Result<Report, Failure> {
    let client = context.client()?;
    let restore = interruptible(context, client.get_restore(id)).await?;
    let human = human(&restore, &context.view());
    Ok(Report { data: to_value(&restore), human, next: Vec::new() })
}

pub(in crate::commands) fn human(restore: &Restore, view: &View) -> String {
    let mut pairs: Vec<(&str, Cell)> = vec![
        ("restore", restore.id.to_string().into()),
        ("backup", restore.backup_job_id.to_string().into()),
        ("database", restore.database_id.to_string().into()),
        ("mode", restore.mode.word().into()),
        ("target", restore.target_redacted_dsn.as_str().into()),
    ];
    pairs.extend(restore.created_database.as_deref().map(|name| ("creates", name.into())));
    pairs.extend([
        ("state", Cell::word(&restore.state)),
        ("created", view.time(restore.created_at).into()),
        ("finished", view.time_or_dash(restore.finished_at).into()),
        ("manifest", restore.manifest_hash.as_str().into()),
    ]);
    if let Some(error) = &restore.error {
        pairs.push(("error", format!("{} [{}]", error.message, error.code).into()));
        pairs.push(("next", error.next_action.as_str().into()));
    }
    view.fields(&pairs)
}
