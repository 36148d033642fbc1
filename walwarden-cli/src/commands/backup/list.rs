//! `walwarden backup list`

use walwarden_contract::DatabaseId;
use walwarden_contract::page::PageQuery;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, database: DatabaseId, page: PageQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_database_backups(database, &page)).await?;
    let rows = list.backups.iter().map(|backup| {
        let size = backup.artifact.as_ref().map(|artifact| text::size(artifact.size_bytes));
        let (state, trigger) = (backup.state.word(), backup.trigger.word());
        [backup.id.to_string(), state, trigger, backup.created_at.to_string(), text::or_dash(size)]
    });
    let mut human = text::table(["ID", "STATE", "TRIGGER", "CREATED", "SIZE"], rows);
    let mut next = Vec::new();
    if let Some(cursor) = &list.next_cursor {
        next.push(command(&["backup", "list", "--database", &database.to_string(), "--cursor", cursor]));
        human.push_str("\nThere are more: continue with --cursor.");
    }
    Ok(Report { data: to_value(&list), human, next })
}
