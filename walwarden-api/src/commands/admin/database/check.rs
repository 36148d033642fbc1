//! `walwarden-api admin database check`, and how a report on a source is shown.

use clap::Args;
use serde_json::{Value, json};
use walwarden_contract::model::{SourceCheckReport, SourceCheckStatus as Status};
use walwarden_contract::{DatabaseId, ErrorCode};

use super::add::SourceArguments;
use crate::commands::admin::context::Context;
use crate::commands::admin::usage;
use crate::commands::output::{Column, CommandResult, Outcome, table};
use crate::registry::source_check::{check, findings};

pub(super) const EXAMPLE: &str = "Examples:
  walwarden-api admin database check db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3
  walwarden-api admin database check --source-file dsn.txt";

const COLUMNS: [Column; 4] = [("CHECK", "id"), ("STATUS", "status"), ("CODE", "code"), ("EVIDENCE", "evidence")];

/// The arguments of `database check`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct CheckArguments {
    /// The database; without one, a source that is not added yet is looked at
    #[arg(value_name = "DATABASE_ID", conflicts_with_all = ["source_file", "source"])]
    id: Option<DatabaseId>,
    #[command(flatten)]
    source: SourceArguments,
}

pub(super) async fn run(arguments: CheckArguments, context: &Context<'_>) -> CommandResult {
    let checker = context.source_checker();
    let report = match arguments.id {
        Some(id) => {
            let (database, _) = context.store.database(context.org_id, id).await?;
            let dsn = context.keyring()?.open_dsn(&database)?;
            check(&context.store, context.system, &checker, context.org_id, &database, &dsn).await?
        }
        None => match arguments.source.read(context)? {
            Some(dsn) => checker.run(context.system, &dsn).await,
            None => return Err(usage("name a database, or a source with --source-file or WALWARDEN_SOURCE_DSN")),
        },
    };
    let failed = report.checks.iter().find(|check| check.status == Status::Failed);
    let code = failed.and_then(|check| check.code.as_ref()?.known());
    let evidence = failed.map(|check| check.evidence.clone()).unwrap_or_default();
    let skipped = report.result == Status::Skipped;
    let outcome = Outcome::new(json!(report), text(&report));
    Ok(match code {
        Some(code) => outcome.finding(code, evidence),
        None if skipped => outcome.finding(ErrorCode::ToolMissing, "Nothing was looked at: there is no psql here."),
        None => outcome,
    })
}

/// The whole report, and then what mends each finding.
pub(super) fn text(report: &SourceCheckReport) -> String {
    let records: Vec<Value> = report.checks.iter().map(|check| json!(check)).collect();
    let mut text = table(&records, &COLUMNS, "Nothing was looked at.");
    for check in findings(report) {
        let remedy = check.remediation.as_deref().unwrap_or_default();
        text = format!("{text}\n\n{}: {remedy}", check.id);
    }
    text
}
