//! `walwarden database get`

use walwarden_contract::DatabaseId;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, id: DatabaseId) -> Result<Report, Failure> {
    let client = context.client()?;
    let database = interruptible(context, client.get_database(id)).await?;
    let human = text::fields(&[
        ("id", database.id.to_string()),
        ("name", database.name.clone()),
        ("source", database.source_redacted_dsn.clone()),
        ("destination", database.destination_id.to_string()),
        ("schedule", text::or_dash(database.schedule.as_ref())),
        ("next run", text::or_dash(database.next_run_at)),
        ("codec", database.codec.clone()),
        ("last backup", text::or_dash(database.last_backup_job_id)),
        ("age of data", text::or_dash(database.rpo_minutes.map(|minutes| format!("{minutes} min")))),
    ]);
    let id = id.to_string();
    let next = vec![
        command(&["backup", "list", "--database", &id]),
        command(&["backup", "trigger", "--database", &id, "--wait"]),
    ];
    Ok(Report { data: to_value(&database), human, next })
}
