//! `walwarden evidence list`

use walwarden_contract::model::EvidenceQuery;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, query: EvidenceQuery) -> Result<Report, Failure> {
    let client = context.client()?;
    let list = interruptible(context, client.list_evidence(&query)).await?;
    let rows = list.evidence.iter().map(|evidence| {
        [
            evidence.backup_job_id.to_string(),
            evidence.database_id.to_string(),
            evidence.completed_at.to_string(),
            text::size(evidence.artifact.size_bytes),
            evidence.integrity_verification.result.word(),
            evidence.lock.status.word(),
            evidence.drill.status.word(),
        ]
    });
    let mut human = text::table(["BACKUP", "DATABASE", "COMPLETED", "SIZE", "INTEGRITY", "LOCK", "DRILL"], rows);
    let mut next = Vec::new();
    if let Some(cursor) = &list.next_cursor {
        let mut words = command(&["evidence", "list"]);
        words.extend(query.database_id.iter().flat_map(|id| ["--database".to_owned(), id.to_string()]));
        words.extend(["--cursor".to_owned(), cursor.clone()]);
        next.push(words);
        human.push_str("\nThere are more: continue with --cursor.");
    }
    Ok(Report { data: to_value(&list), human, next })
}
