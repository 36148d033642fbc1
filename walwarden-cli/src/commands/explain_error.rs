//! `walwarden explain-error`: what an error means, what is safe to do next, and what not to claim. Calls nothing.

mod document;
mod stderr;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use walwarden_contract::model::cli::ExplainErrorData;
use walwarden_contract::{ErrorCode, ExitStatus};

use super::to_value;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::View;

/// No document that holds an error is larger.
const MAX_BYTES: u64 = 64 << 10;

pub(crate) async fn run(context: &Context, path: PathBuf) -> Result<Report, Failure> {
    let reading = tokio::task::spawn_blocking(move || read(&path));
    let bytes = tokio::select! {
        biased;
        () = context.cancel.cancelled() => return Err(Failure::cancelled()),
        bytes = reading => bytes.map_err(|_| Failure::new(ErrorCode::InternalError, "The file could not be read."))??,
    };
    let explained = explain(&bytes)?;
    let safe = explained.explanation.code.known().map(ErrorCode::safe_commands).unwrap_or_default();
    let next = safe.iter().map(|words| command(words)).collect();
    Ok(Report { human: human(&explained, &context.view()), data: to_value(&explained), next })
}

/// What was given is JSON, or what `pg_restore` wrote. It is not repeated but for the error's own message.
pub(super) fn explain(bytes: &[u8]) -> Result<ExplainErrorData, Failure> {
    match document::read(bytes) {
        Err(failure) => stderr::read(&String::from_utf8_lossy(bytes)).ok_or(failure),
        Ok(explained) => Ok(explained),
    }
}

pub(super) fn human(explained: &ExplainErrorData, view: &View) -> String {
    let explanation = &explained.explanation;
    let exit = ExitStatus::ALL.iter().find(|exit| exit.code() == explanation.exit_code);
    let after = explained.retry.after_ms.map(|after| format!(" Not before {after} ms have passed."));
    let mut pairs = vec![
        ("code", explanation.code.word()),
        ("meaning", explanation.meaning.clone()),
        ("message", text::or_dash(explained.message.as_ref())),
        ("HTTP status", explanation.http_status.to_string()),
        ("exit code", format!("{} ({})", explanation.exit_code, exit.map_or("?", |exit| exit.name()))),
        ("retryable", if explanation.retryable { "yes" } else { "no" }.to_owned()),
        ("retry", format!("{}{}", explained.retry.how, after.unwrap_or_default())),
        ("fixable by", explanation.fixable_by.as_str().to_owned()),
    ];
    pairs.extend(explained.safe_next_actions.iter().map(|action| ("next", action.clone())));
    pairs.extend(explained.do_not_claim.iter().map(|claim| ("beware", claim.clone())));
    pairs.extend(explained.entries.iter().map(|entry| {
        let judged =
            entry.harmless.as_ref().map_or("NOT known to be harmless".to_owned(), |why| format!("harmless: {why}"));
        ("entry", format!("{} ({judged})", entry.text))
    }));
    pairs.push(("docs", explanation.docs.clone()));
    view.texts(pairs)
}

/// Reads a file, or stdin for `-`.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let outcome = if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    outcome.map_err(|error| refused(format!("{} cannot be read: {error}.", path.display())))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused("That is more than 64 KiB, and no error of Walwarden."));
    }
    Ok(bytes)
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UsageError, message).untouched("Nothing was done.")
}

#[cfg(test)]
mod tests;
