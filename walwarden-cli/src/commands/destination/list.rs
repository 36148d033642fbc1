//! `walwarden destination list`

use walwarden_contract::model::DestinationList;
use walwarden_contract::page::PageQuery;

use super::super::{interruptible, page_flags, to_value};
use super::lock;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::view::{Total, View};

pub(crate) async fn run(context: &Context, page: PageQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_destinations(&page)).await?;
    let more = more(&list, &page);
    let human = human(&list, &page, more.as_deref(), &context.view());
    Ok(Report { data: to_value(&list), human, next: more.into_iter().collect() })
}

fn more(list: &DestinationList, page: &PageQuery) -> Option<Vec<String>> {
    let mut words = command(&["destination", "list"]);
    words.extend(page_flags(page.limit, list.next_cursor.as_deref()?));
    Some(words)
}

pub(in crate::commands) fn human(
    list: &DestinationList,
    page: &PageQuery,
    more: Option<&[String]>,
    view: &View,
) -> String {
    if list.destinations.is_empty() && page.cursor.is_none() {
        return "No destinations that this API key can see. On the server, add one: walwarden-api admin destination add \
                --help"
            .to_owned();
    }
    let rows: Vec<_> = list
        .destinations
        .iter()
        .map(|destination| {
            let (name, provider) = (destination.name.clone(), destination.provider.word());
            let (bucket, state) = (destination.bucket.clone(), destination.state.word());
            let cells = [destination.id.to_string(), name, provider, bucket, lock(destination), state];
            cells.map(Into::into)
        })
        .collect();
    let table = view.table(["ID", "NAME", "PROVIDER", "BUCKET", "LOCK", "STATE"], &rows);
    let total =
        Total { nouns: ["destination", "destinations"], shown: rows.len(), continued: page.cursor.is_some(), more };
    format!("{table}\n{}", total.line(view))
}
