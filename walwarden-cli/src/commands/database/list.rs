//! `walwarden database list`

use walwarden_contract::page::PageQuery;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, page: PageQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_databases(&page)).await?;
    let rows = list.databases.iter().map(|database| {
        let age = database.rpo_minutes.map(|minutes| format!("{minutes} min"));
        let schedule = text::or_dash(database.schedule.as_ref());
        [database.id.to_string(), database.name.clone(), database.database_name.clone(), schedule, text::or_dash(age)]
    });
    let mut human = text::table(["ID", "NAME", "DATABASE", "SCHEDULE", "AGE OF DATA"], rows);
    let mut next = Vec::new();
    if let Some(cursor) = &list.next_cursor {
        next.push(command(&["database", "list", "--cursor", cursor]));
        human.push_str("\nThere are more: continue with --cursor.");
    }
    Ok(Report { data: to_value(&list), human, next })
}
