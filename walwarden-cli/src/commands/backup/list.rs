//! `walwarden backup list`

use walwarden_contract::DatabaseId;
use walwarden_contract::model::BackupList;
use walwarden_contract::page::PageQuery;

use super::super::{interruptible, page_flags, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::{Cell, Total, View};

pub(crate) async fn run(context: &Context, database: DatabaseId, page: PageQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_database_backups(database, &page)).await?;
    let next = next_of(&list, database, &page);
    let human = human(&list, &page, next.as_deref(), &context.view());
    Ok(Report { data: to_value(&list), human, next: next.into_iter().collect() })
}

/// The next page, or the first backup where there is none.
pub(in crate::commands) fn next_of(list: &BackupList, database: DatabaseId, page: &PageQuery) -> Option<Vec<String>> {
    let database = database.to_string();
    if is_none(list, page) {
        return Some(command(&["backup", "trigger", "--database", &database, "--wait"]));
    }
    let mut words = command(&["backup", "list", "--database", &database]);
    words.extend(page_flags(page.limit, list.next_cursor.as_deref()?));
    Some(words)
}

fn is_none(list: &BackupList, page: &PageQuery) -> bool {
    list.backups.is_empty() && page.cursor.is_none()
}

pub(in crate::commands) fn human(list: &BackupList, page: &PageQuery, next: Option<&[String]>, view: &View) -> String {
    if is_none(list, page) {
        return format!("No backups of this database yet. Start one: {}", view.shell(next.unwrap_or_default()));
    }
    let rows: Vec<[Cell; 5]> = list
        .backups
        .iter()
        .map(|backup| {
            let size = backup.artifact.as_ref().map(|artifact| text::size(artifact.size_bytes));
            [
                backup.id.to_string().into(),
                Cell::word(&backup.state),
                backup.trigger.word().into(),
                view.time(backup.created_at).into(),
                text::or_dash(size).into(),
            ]
        })
        .collect();
    let table = view.table(["ID", "STATE", "TRIGGER", "CREATED", "SIZE"], &rows);
    let total = Total { nouns: ["backup", "backups"], shown: rows.len(), continued: page.cursor.is_some(), more: next };
    format!("{table}\n{}", total.line(view))
}
