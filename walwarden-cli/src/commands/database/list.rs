//! `walwarden database list`

use walwarden_contract::model::DatabaseList;
use walwarden_contract::page::PageQuery;

use super::super::{interruptible, page_flags, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::view::{Total, View};
use crate::output::{text, when};

pub(crate) async fn run(context: &Context, page: PageQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_databases(&page)).await?;
    let more = more(&list, &page);
    let human = human(&list, &page, more.as_deref(), &context.view());
    Ok(Report { data: to_value(&list), human, next: more.into_iter().collect() })
}

pub(in crate::commands) fn more(list: &DatabaseList, page: &PageQuery) -> Option<Vec<String>> {
    let mut words = command(&["database", "list"]);
    words.extend(page_flags(page.limit, list.next_cursor.as_deref()?));
    Some(words)
}

pub(in crate::commands) fn human(
    list: &DatabaseList,
    page: &PageQuery,
    more: Option<&[String]>,
    view: &View,
) -> String {
    if list.databases.is_empty() && page.cursor.is_none() {
        return "No databases that this API key can see. On the server, add one: walwarden-api admin database add --help"
            .to_owned();
    }
    let rows: Vec<_> = list
        .databases
        .iter()
        .map(|database| {
            let age = text::or_dash(database.rpo_minutes.map(when::minutes));
            let schedule = text::or_dash(database.schedule.as_ref());
            let cells = [database.id.to_string(), database.name.clone(), database.database_name.clone(), schedule, age];
            cells.map(Into::into)
        })
        .collect();
    let table = view.table(["ID", "NAME", "DATABASE", "SCHEDULE", "AGE OF DATA"], &rows);
    let total = Total { nouns: ["database", "databases"], shown: rows.len(), continued: page.cursor.is_some(), more };
    format!("{table}\n{}", total.line(view))
}
