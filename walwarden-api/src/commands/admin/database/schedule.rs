//! `walwarden-api admin database schedule`.

use clap::Args;
use serde_json::json;
use walwarden_contract::DatabaseId;

use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::admin::usage;
use crate::commands::output::CommandResult;
use crate::jobs::schedule::next_runs;
use crate::registry::database::{self, DatabaseChange};

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
    if cron.as_ref().is_some_and(|cron| cron.trim().is_empty()) {
        return Err(usage("the schedule is empty: give --none to back up on demand only"));
    }
    let now = context.system.now();
    let (_, last) = context.store.database(context.org_id, id).await?;
    let change = DatabaseChange { schedule: Some(cron.unwrap_or_default()), ..DatabaseChange::default() };
    let database = database::update(&context.store, context.system, context.org_id, id, change, None).await?;
    let runs = match &database.schedule {
        Some(cron) => next_runs(cron, now, 3).map_err(|error| usage(error.to_string()))?,
        None => Vec::new(),
    };
    let mut outcome = shown(context, &database, last);
    outcome.data["nextRuns"] = json!(runs);
    if !runs.is_empty() {
        let lines: Vec<String> = runs.iter().map(|run| format!("  {run}")).collect();
        outcome.text = format!("{}\n\nNext runs:\n{}", outcome.text, lines.join("\n"));
    }
    Ok(outcome)
}
