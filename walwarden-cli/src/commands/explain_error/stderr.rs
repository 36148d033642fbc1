//! What `pg_restore` wrote to stderr, judged as a restore judges it.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::cli::{ErrorSource, ExplainErrorData, RetryAdvice, StderrEntry};
use walwarden_contract::text::redact;
use walwarden_sdk::restore::judge_stderr;

/// None when there is nothing of `pg_restore` in the text.
pub(super) fn read(text: &str) -> Option<ExplainErrorData> {
    let verdict = judge_stderr(&redact(text))?;
    let known = verdict.error.as_ref().and_then(|error| error.code().known());
    let code = known.unwrap_or(ErrorCode::RestoreFailed);
    let entry = |entry: walwarden_sdk::restore::JudgedEntry| StderrEntry {
        text: entry.text,
        harmless: entry.harmless.map(str::to_owned),
    };
    let mut explained = ExplainErrorData {
        source: ErrorSource::PgRestore,
        explanation: code.into(),
        message: verdict.error.as_ref().map(ToString::to_string),
        safe_next_actions: vec![code.next_action().to_owned()],
        retry: RetryAdvice { retryable: code.retryable(), after_ms: None, how: code.retry_advice().to_owned() },
        do_not_claim: code.do_not_claim().iter().map(|claim| (*claim).to_owned()).collect(),
        entries: verdict.entries.into_iter().map(entry).collect(),
    };
    if verdict.error.is_none() {
        // Only how pg_restore exited could say more, and that is not in the text.
        "Nothing in it is known to harm the data; how pg_restore exited is not told by it."
            .clone_into(&mut explained.explanation.meaning);
        explained.message = Some(format!("{} errors, all known to be harmless.", verdict.ignored));
        let look = "Look at pg_restore's exit status, and compare the restored database with what you expect.";
        explained.safe_next_actions = vec![look.to_owned()];
    }
    Some(explained)
}
