//! Running one restore session on this machine, for whichever command opened it.

use std::sync::Arc;

use secrecy::SecretString;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreState;
use walwarden_sdk::restore::{Executor, RestoreOptions, RestoreOutcome};

use crate::clock;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::neutral::line;
use crate::output::progress::Progress;
use crate::output::view::{Cell, View};
use crate::output::{text, when};

/// A restore that `progress` follows and a signal ends.
pub(super) fn executor(context: &Context, options: RestoreOptions, progress: &Arc<Progress>) -> Executor {
    let observer = Arc::clone(progress);
    let executor = Executor::new(options).clock(clock::now).cancel(context.cancel.clone());
    executor.on_event(move |event| observer.see(event))
}

/// Restores, and explains a failure by how far the restore had come. Cleans up before it returns, signal or not.
pub(super) async fn restore(
    context: &Context,
    token: SecretString,
    manifest_hash: &str,
    executor: Executor,
    progress: &Progress,
) -> Result<RestoreOutcome, Failure> {
    let session = context.client_builder()?.restore_session(token)?;
    let outcome = executor.run(&session, manifest_hash).await;
    progress.finish();
    let outcome = outcome.map_err(|error| {
        let untouched = match error.code().known() {
            Some(ErrorCode::RestoreUnreported) => "The data is restored. The source and the backup were not touched.",
            _ if progress.token_in_doubt() => "The token may be used up; the target was not touched.",
            _ => untouched(progress.state()),
        };
        Failure::from(error).untouched(untouched)
    })?;
    for warning in &outcome.warnings {
        context.warn(warning.clone());
    }
    Ok(outcome)
}

fn untouched(state: Option<RestoreState>) -> &'static str {
    match state {
        None => "The token was not used and the target was not touched.",
        Some(
            RestoreState::Triggered
            | RestoreState::Claimed
            | RestoreState::Downloading
            | RestoreState::Verifying
            | RestoreState::ManifestVerified,
        ) => "The target was not touched. The token is used up: open a new session.",
        Some(_) => "The source and the backup were not touched. The target may hold part of the data, or all of it.",
    }
}

/// What a restore did, for a person.
pub(in crate::commands) fn describe(outcome: &RestoreOutcome, view: &View) -> String {
    let timings = &outcome.timings;
    let steps = [
        ("download", timings.download_ms),
        ("verify", timings.verify_ms),
        ("pg_restore", timings.restore_ms),
        ("analyze", timings.analyze_ms),
    ];
    let steps: Vec<String> = steps.iter().map(|(step, millis)| format!("{step} {}", when::millis(*millis))).collect();
    let mut pairs: Vec<(&str, Cell)> = vec![
        ("restore", outcome.restore_job_id.to_string().into()),
        ("mode", outcome.mode.as_str().into()),
        ("sha256", outcome.checksum_sha256.as_str().into()),
        ("took", steps.join(", ").into()),
        ("jobs", outcome.jobs.to_string().into()),
    ];
    if outcome.ignored_errors > 0 {
        pairs.push(("ignored", format!("{} errors that leave the data whole", outcome.ignored_errors).into()));
    }
    let size = text::exact_size(outcome.size_bytes);
    format!("{}\n{}", line(&format!("Restored {size} into database {:?}.", outcome.database)), view.fields(&pairs))
}
