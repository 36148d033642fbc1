//! `walwarden-api admin destination preflight`.

use serde_json::{Value, json};
use walwarden_contract::DestinationId;
use walwarden_contract::model::CheckStatus;

use crate::commands::admin::context::Context;
use crate::commands::output::{Column, CommandResult, Failure, Outcome, table};
use crate::engine::preflight;
use crate::engine::storage::Bucket;

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin destination preflight dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";

const COLUMNS: [Column; 4] = [("CHECK", "id"), ("STATUS", "status"), ("CODE", "code"), ("EVIDENCE", "evidence")];

pub(super) async fn run(id: DestinationId, context: &Context<'_>) -> CommandResult {
    let destination = context.store.destination(context.org_id, id).await?;
    let credentials = context.keyring()?.open_credentials(&destination)?;
    let bucket = Bucket::connect_impatiently(&destination, &credentials)
        .map_err(|error| Failure::new(error.code(), error.message))?;
    let report = preflight::run(&bucket, context.system, &destination).await;
    let records: Vec<Value> = report.checks.iter().map(|check| json!(check)).collect();
    let mut text = table(&records, &COLUMNS, "Nothing was looked at.");
    for remedy in report.checks.iter().filter_map(|check| check.remediation.as_deref()) {
        text = format!("{text}\n\n{remedy}");
    }
    let failed = report.checks.iter().find(|check| check.status == CheckStatus::Failed);
    let outcome = Outcome::new(json!(report), text);
    Ok(match failed.and_then(|check| check.code.as_ref()?.known().map(|code| (code, check))) {
        Some((code, check)) => outcome.finding(code, check.evidence.clone()),
        None => outcome,
    })
}
