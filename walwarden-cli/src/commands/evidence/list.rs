//! `walwarden evidence list`

use walwarden_contract::model::{EvidenceList, EvidenceQuery};

use super::super::{interruptible, page_flags, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::{Cell, Total, View};

pub(crate) async fn run(context: &Context, query: EvidenceQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_evidence(&query)).await?;
    let more = more(&list, &query);
    let human = human(&list, &query, more.as_deref(), &context.view());
    Ok(Report { data: to_value(&list), human, next: more.into_iter().collect() })
}

fn more(list: &EvidenceList, query: &EvidenceQuery) -> Option<Vec<String>> {
    let cursor = list.next_cursor.as_deref()?;
    let mut words = command(&["evidence", "list"]);
    words.extend(query.database_id.iter().flat_map(|id| ["--database".to_owned(), id.to_string()]));
    words.extend(page_flags(query.limit, cursor));
    Some(words)
}

pub(in crate::commands) fn human(
    list: &EvidenceList,
    query: &EvidenceQuery,
    more: Option<&[String]>,
    view: &View,
) -> String {
    if list.evidence.is_empty() && query.cursor.is_none() {
        return match query.database_id {
            Some(id) => {
                let trigger = command(&["backup", "trigger", "--database", &id.to_string(), "--wait"]);
                format!("No evidence: no backup of this database is completed yet. Start one: {}", view.shell(&trigger))
            }
            None => "No evidence: no backup is completed yet.".to_owned(),
        };
    }
    let rows: Vec<[Cell; 7]> = list
        .evidence
        .iter()
        .map(|evidence| {
            [
                evidence.backup_job_id.to_string().into(),
                evidence.database_id.to_string().into(),
                view.time(evidence.completed_at).into(),
                text::size(evidence.artifact.size_bytes).into(),
                Cell::word(&evidence.integrity_verification.result),
                Cell::word(&evidence.lock.status),
                Cell::word(&evidence.drill.status),
            ]
        })
        .collect();
    let table = view.table(["BACKUP", "DATABASE", "COMPLETED", "SIZE", "INTEGRITY", "LOCK", "DRILL"], &rows);
    let nouns = ["completed backup", "completed backups"];
    let total = Total { nouns, shown: rows.len(), continued: query.cursor.is_some(), more };
    format!("{table}\n{}", total.line(view))
}
