//! Errors as JSON: an answer of the API, an envelope, a job, or the last line of a stream.

use serde_json::{Deserializer, Value};
use walwarden_contract::model::cli::{ErrorExplanation, ErrorSource, ExplainErrorData, RetryAdvice};
use walwarden_contract::text::redact;
use walwarden_contract::{ErrorCode, ExitStatus, Fixer, Open};

use super::refused;
use crate::failure::Failure;

/// Where an error may stand, and what the document is then. The first that fits counts.
const PLACES: [(&str, ErrorSource); 5] = [
    ("/payload/error", ErrorSource::Line),
    ("/error", ErrorSource::Envelope),
    ("/data/error", ErrorSource::Job),
    ("/data/completed/error", ErrorSource::Job),
    ("", ErrorSource::Error),
];

/// The error in the last document that holds one.
pub(super) fn read(bytes: &[u8]) -> Result<ExplainErrorData, Failure> {
    let mut found = None;
    for document in Deserializer::from_slice(bytes).into_iter::<Value>() {
        let document = document.map_err(|error| {
            refused(format!(
                "That is neither JSON (error at line {} column {}) nor what pg_restore writes to stderr.",
                error.line(),
                error.column()
            ))
        })?;
        found = find(&document).or(found);
    }
    let (source, error) = found.ok_or_else(|| {
        refused(
            "That holds no error: give an envelope whose `ok` is false, an answer of the API, the last line of a restore, \
             what pg_restore wrote to stderr, or {\"code\": …}.",
        )
    })?;
    explain(source, &error)
}

fn find(document: &Value) -> Option<(ErrorSource, Value)> {
    let holds = |place: &str| document.pointer(place).filter(|error| error["code"].is_string()).cloned();
    let (source, error) = PLACES.iter().find_map(|(place, source)| Some((*source, holds(place)?)))?;
    // A job holds its last error in the same place as an envelope.
    let is_job = source == ErrorSource::Envelope && document.get("ok").is_none() && document.get("state").is_some();
    Some((if is_job { ErrorSource::Job } else { source }, error))
}

fn explain(source: ErrorSource, error: &Value) -> Result<ExplainErrorData, Failure> {
    let text = |member: &str| error[member].as_str().map(redact).filter(|text| !text.is_empty());
    let word = error["code"].as_str().unwrap_or_default();
    let message = text("message");
    let after_ms = error["retryAfterMs"].as_u64();
    let Ok(code) = word.parse::<ErrorCode>() else {
        let retryable = error["retryable"].as_bool();
        let (Some(message), Some(retryable), true) = (message, retryable, looks_like_a_code(word)) else {
            return Err(unknown(word));
        };
        return Ok(explain_unknown(source, word, message, retryable, after_ms, text("nextAction")));
    };
    let mut actions: Vec<String> = text("nextAction").into_iter().collect();
    actions.push(code.next_action().to_owned());
    actions.dedup();
    Ok(ExplainErrorData {
        source,
        explanation: code.into(),
        message,
        safe_next_actions: actions,
        retry: RetryAdvice { retryable: code.retryable(), after_ms, how: code.retry_advice().to_owned() },
        do_not_claim: code.do_not_claim().iter().map(|claim| (*claim).to_owned()).collect(),
        entries: Vec::new(),
    })
}

/// An error of a newer server: what it says about itself is all there is to say.
fn explain_unknown(
    source: ErrorSource,
    word: &str,
    message: String,
    retryable: bool,
    after_ms: Option<u64>,
    next_action: Option<String>,
) -> ExplainErrorData {
    let exit = if retryable { ExitStatus::Retryable } else { ExitStatus::Terminal };
    let next_action = next_action.unwrap_or_else(|| "Install the command line of the server's version.".to_owned());
    let how = if retryable { "Wait, then run the same command again." } else { "Do not try again unchanged." };
    ExplainErrorData {
        source,
        explanation: ErrorExplanation {
            code: Open::Unknown(word.to_owned()),
            meaning: "This version does not know that code; the server that sent it is newer.".to_owned(),
            http_status: 500,
            exit_code: exit.code(),
            retryable,
            fixable_by: Fixer::Caller,
            next_action: next_action.clone(),
            docs: "docs/reference/errors.md".to_owned(),
        },
        message: Some(message),
        safe_next_actions: vec![next_action],
        retry: RetryAdvice { retryable, after_ms, how: how.to_owned() },
        do_not_claim: vec!["Do not claim that nothing happened, nor that what was asked was done.".to_owned()],
        entries: Vec::new(),
    }
}

fn looks_like_a_code(word: &str) -> bool {
    (1..=64).contains(&word.len()) && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn unknown(word: &str) -> Failure {
    let name = if looks_like_a_code(word) { format!("`{word}`") } else { "The code in that document".to_owned() };
    refused(format!("{name} is not in this version's catalog of error codes, and says nothing about itself."))
}
