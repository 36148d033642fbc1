//! `walwarden restore --manifest …`: runs the restore that a token stands for.

use serde_json::{Value, json};
use walwarden_contract::ExitStatus;
use walwarden_sdk::restore::RestoreOutcome;

use super::options::restore_options;
use super::session;
use crate::cli::LegacyArgs;
use crate::clock;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::progress::Progress;

/// Prints its own output: with `--json`, one line per state and exactly one last line.
pub(crate) async fn run(context: &Context, arguments: LegacyArgs) -> ExitStatus {
    let printer = context.printer;
    let progress = Progress::new(printer, printer.is_json());
    let outcome = restore(context, &arguments, &progress).await;
    let warnings = context.take_warnings();
    match outcome {
        Ok(outcome) => {
            if printer.is_json() {
                printer.line("completed", clock::now(), &completed(&outcome, &warnings));
            } else {
                printer.human(&session::describe(&outcome));
            }
            ExitStatus::Ok
        }
        Err(failure) => {
            let status = failure.exit();
            if printer.is_json() {
                let state = ending(status, progress.state().is_some());
                printer.line(state, clock::now(), &json!({"error": failure.body, "warnings": warnings}));
            } else {
                printer.failure(&failure);
            }
            status
        }
    }
}

async fn restore(context: &Context, arguments: &LegacyArgs, progress: &Progress) -> Result<RestoreOutcome, Failure> {
    let options = restore_options(context, &arguments.target, Some(&arguments.run))?;
    let manifest = arguments.manifest.as_deref().unwrap_or_default();
    let token = context.config.token()?;
    session::restore(context, token, manifest, &options, progress).await
}

/// The last line's state: the job's, or `rejected` when the token was not used and there is no such job yet.
fn ending(status: ExitStatus, triggered: bool) -> &'static str {
    match status {
        ExitStatus::Cancelled => "cancelled",
        _ if !triggered => "rejected",
        ExitStatus::Retryable => "failed_retryable",
        _ => "failed_terminal",
    }
}

fn completed(outcome: &RestoreOutcome, warnings: &[String]) -> Value {
    json!({
        "restoreJobId": outcome.restore_job_id,
        "database": outcome.database,
        "bytesRestored": outcome.size_bytes,
        "checksumSha256": outcome.checksum_sha256,
        "ignoredErrors": outcome.ignored_errors,
        "jobs": outcome.jobs,
        "timings": outcome.timings,
        "warnings": warnings,
    })
}
