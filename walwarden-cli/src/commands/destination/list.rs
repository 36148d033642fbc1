//! `walwarden destination list`

use walwarden_contract::page::PageQuery;

use super::super::{interruptible, to_value};
use super::lock;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, page: PageQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_destinations(&page)).await?;
    let rows = list.destinations.iter().map(|destination| {
        let (name, provider) = (destination.name.clone(), destination.provider.word());
        [destination.id.to_string(), name, provider, destination.bucket.clone(), lock(destination)]
    });
    let mut human = text::table(["ID", "NAME", "PROVIDER", "BUCKET", "LOCK"], rows);
    let mut next = Vec::new();
    if let Some(cursor) = &list.next_cursor {
        next.push(command(&["destination", "list", "--cursor", cursor]));
        human.push_str("\nThere are more: continue with --cursor.");
    }
    Ok(Report { data: to_value(&list), human, next })
}
