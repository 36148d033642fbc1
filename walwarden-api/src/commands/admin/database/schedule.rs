//! `walwarden-api admin database schedule`.

use clap::Args;
use serde_json::json;
use walwarden_contract::{DatabaseId, ErrorCode};

use super::add::set_schedule;
use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::output::{CommandResult, Failure};
use crate::jobs::schedule::next_runs;

pub(super) const EXAMPLE: &str = "Examples:
  walwarden-api admin database schedule db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \"0 2 * * *\"
  walwarden-api admin database schedule db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --none";

/// The arguments of `database schedule`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct ScheduleArguments {
    /// The database
    #[arg(value_name = "DATABASE_ID")]
    id: DatabaseId,
    /// Five-field cron expression in UTC: minute, hour, day of month, month, day of week
    #[arg(value_name = "CRON", required_unless_present = "none", conflicts_with = "none")]
    cron: Option<String>,
    /// Back up on demand only
    #[arg(long)]
    none: bool,
}

pub(super) async fn run(arguments: ScheduleArguments, context: &Context<'_>) -> CommandResult {
    let ScheduleArguments { id, cron, none: _ } = arguments;
    let now = context.system.now();
    let (mut database, last) = context.store.database(context.org_id, id).await?;
    set_schedule(&mut database, cron.as_deref(), now)?;
    let runs = match &database.schedule {
        Some(cron) => {
            next_runs(cron, now, 3).map_err(|error| Failure::new(ErrorCode::UsageError, error.to_string()))?
        }
        None => Vec::new(),
    };
    database.updated_at = now;
    context.store.update_database(&database).await?;
    let mut outcome = shown(context, &database, last);
    outcome.data["nextRuns"] = json!(runs);
    if !runs.is_empty() {
        let lines: Vec<String> = runs.iter().map(|run| format!("  {run}")).collect();
        outcome.text = format!("{}\n\nNext runs:\n{}", outcome.text, lines.join("\n"));
    }
    Ok(outcome)
}
