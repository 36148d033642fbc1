//! `walwarden database get`

use walwarden_contract::DatabaseId;
use walwarden_contract::model::Database;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::view::{Cell, View};
use crate::output::{text, when};

pub(crate) async fn run(context: &Context, id: DatabaseId) -> Result<Report, Failure> {
    let client = context.client()?;
    let database = interruptible(context, client.get_database(id)).await?;
    let human = human(&database, &context.view());
    let id = id.to_string();
    let next = vec![
        command(&["backup", "list", "--database", &id]),
        command(&["backup", "trigger", "--database", &id, "--wait"]),
    ];
    Ok(Report { data: to_value(&database), human, next })
}

pub(in crate::commands) fn human(database: &Database, view: &View) -> String {
    let age = database.rpo_minutes.map_or_else(|| "no backup is completed yet".to_owned(), when::minutes);
    view.fields(&[
        ("id", database.id.to_string().into()),
        ("name", database.name.as_str().into()),
        ("database", database.database_name.as_str().into()),
        ("source", database.source_redacted_dsn.as_str().into()),
        ("destination", database.destination_id.to_string().into()),
        ("schedule", database.schedule.as_deref().unwrap_or("none, on demand only").into()),
        ("next run", view.time_or_dash(database.next_run_at).into()),
        ("codec", database.codec.as_str().into()),
        ("last backup", text::or_dash(database.last_backup_job_id).into()),
        ("age of data", age.into()),
        ("against schedule", Cell::word(&database.freshness)),
        ("added", view.time(database.created_at).into()),
    ])
}
