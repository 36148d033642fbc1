//! `walwarden-api admin reconcile`.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use walwarden_contract::model::{InventorySeverity, ReconciliationReport};
use walwarden_contract::{DatabaseId, DestinationId, ErrorCode};

use super::context::Context;
use crate::commands::output::{Column, CommandResult, Outcome, table};
use crate::jobs::inventory::{self, Scope};
use crate::jobs::retention::{Keeper, Refusal};

pub(super) const EXAMPLE: &str = "Examples:
  walwarden-api admin reconcile --json
  walwarden-api admin reconcile --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --deep";

const COLUMNS: [Column; 4] =
    [("FINDING", "code"), ("SEVERITY", "severity"), ("BACKUP", "backupJobId"), ("EVIDENCE", "evidence")];

/// The arguments of `reconcile`.
#[derive(Debug, Args)]
pub(super) struct ReconcileArguments {
    /// Only backups of this database
    #[arg(long, value_name = "DATABASE_ID")]
    database: Option<DatabaseId>,
    /// Only backups in this destination
    #[arg(long, value_name = "DESTINATION_ID")]
    destination: Option<DestinationId>,
    /// Read and hash every artifact, and not only those that look changed
    #[arg(long)]
    deep: bool,
}

pub(super) async fn run(arguments: ReconcileArguments, context: &Context<'_>) -> CommandResult {
    let ReconcileArguments { database, destination, deep } = arguments;
    if let Some(id) = destination {
        context.store.destination(context.org_id, id).await?;
    }
    if let Some(id) = database {
        context.store.database(context.org_id, id).await?;
    }
    let scope = Scope { database, destination, deep };
    let keeper =
        Keeper { store: context.store.clone(), system: context.system.clone(), keyring: Arc::new(context.keyring()?) };
    let compared = inventory::compare(&keeper, context.org_id, scope).await?;
    if scope.is_whole() {
        let every = i64::from(context.inventory_check_seconds()) * 1000;
        inventory::keep(&keeper, context.org_id, &compared, every).await?;
    }
    Ok(shown(&compared.report, compared.unreadable))
}

fn shown(report: &ReconciliationReport, unreadable: Option<Refusal>) -> Outcome {
    let records: Vec<Value> = report.findings.iter().map(|finding| json!(finding)).collect();
    let mut text = format!(
        "Compared {} backups, {} objects and {} schedules.\n\n{}",
        report.backups,
        report.objects,
        report.schedules,
        table(&records, &COLUMNS, "Everything agrees.")
    );
    let mut remedies: Vec<_> = report.findings.iter().map(|finding| finding.remedy.as_str()).collect();
    remedies.dedup();
    for remedy in remedies {
        text = format!("{text}\n\n{remedy}");
    }
    let mut outcome = Outcome::new(json!(report), text);
    let listed = report.findings.len() as u64;
    if listed < report.finding_count {
        outcome = outcome.warn(&format!("{listed} of {} findings are listed", report.finding_count));
    }
    let critical = report.findings.iter().find(|finding| finding.severity == InventorySeverity::Critical);
    if let Some(first) = critical {
        let message = format!(
            "{} findings mean that data or proof is lost or was tampered with; the first is {}: {}",
            report.critical_count, first.code, first.evidence
        );
        return outcome.finding(ErrorCode::InventoryMismatch, message);
    }
    if let Some(Refusal { code, message }) = unreadable {
        return outcome.finding(code, message);
    }
    match report.finding_count {
        0 => outcome,
        warnings => outcome.warn(&format!("{warnings} findings deserve attention; no completed backup is affected")),
    }
}
