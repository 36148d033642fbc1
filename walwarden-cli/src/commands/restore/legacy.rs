//! `walwarden restore --manifest …`: runs the restore that a token stands for.

use std::sync::Arc;

use walwarden_contract::ExitStatus;
use walwarden_contract::model::cli::{RestoreCompleted, RestoreFailed, RestoreLinePayload, RestoreLineState};
use walwarden_sdk::restore::RestoreOutcome;

use super::options::restore_options;
use super::{consent, password, session};
use crate::cli::LegacyArgs;
use crate::clock;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::progress::{Progress, Told};

/// Prints its own output. Programs get one line per state and exactly one last line, people get words on stderr; with
/// `--json`, programs alone get anything.
pub(crate) async fn run(context: &Context, arguments: LegacyArgs) -> ExitStatus {
    let printer = context.printer;
    let progress = Arc::new(Progress::new(printer, if printer.writes_lines() { Told::Lines } else { Told::Nothing }));
    let outcome = restore(context, &arguments, &progress).await;
    let warnings = context.take_warnings();
    match outcome {
        Ok(outcome) => {
            let human = session::describe(&outcome, &context.view());
            if printer.writes_lines() {
                printer.note(&human);
                printer.line(RestoreLineState::Completed, clock::now(), completed(outcome, warnings));
            } else {
                printer.human(&human);
            }
            ExitStatus::Ok
        }
        Err(failure) => {
            let status = failure.exit();
            if !printer.is_json() {
                printer.failure(&failure);
            }
            let state = ending(status, progress.state().is_some() || progress.token_in_doubt());
            let payload = RestoreLinePayload::Failed(RestoreFailed { error: *failure.body, warnings });
            printer.line(state, clock::now(), payload);
            status
        }
    }
}

async fn restore(
    context: &Context,
    arguments: &LegacyArgs,
    progress: &Arc<Progress>,
) -> Result<RestoreOutcome, Failure> {
    let mut options = restore_options(context, &arguments.target, Some(&arguments.run))?;
    consent::require(context, &options)?;
    let manifest = arguments.manifest.as_deref().unwrap_or_default();
    let token = context.config.token()?;
    password::ask(context, &mut options).await?;
    consent::ask(context, &mut options).await?;
    let executor = session::executor(context, options, progress);
    session::restore(context, token, manifest, executor, progress).await
}

/// The last line's state: the job's, or `rejected` when the token was surely not used and there is no such job yet.
fn ending(status: ExitStatus, may_be_triggered: bool) -> RestoreLineState {
    match status {
        ExitStatus::Cancelled => RestoreLineState::Cancelled,
        _ if !may_be_triggered => RestoreLineState::Rejected,
        ExitStatus::Retryable => RestoreLineState::FailedRetryable,
        _ => RestoreLineState::FailedTerminal,
    }
}

fn completed(outcome: RestoreOutcome, warnings: Vec<String>) -> RestoreLinePayload {
    RestoreLinePayload::Completed(RestoreCompleted {
        restore_job_id: outcome.restore_job_id,
        database: outcome.database,
        bytes_restored: outcome.size_bytes,
        checksum_sha256: outcome.checksum_sha256,
        ignored_errors: outcome.ignored_errors,
        jobs: outcome.jobs,
        timings: outcome.timings,
        warnings,
    })
}
