//! `walwarden explain-error`: what an error means. Calls nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::cli::{ErrorExplanation, ExplainErrorData};

use super::to_value;
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::text;

/// No document that holds an error is larger.
const MAX_BYTES: u64 = 64 << 10;
/// Where the code stands: in an error, in an envelope or a job, in a line of the token's command.
const PLACES: [&str; 3] = ["/code", "/error/code", "/payload/error/code"];

pub(crate) async fn run(context: &Context, path: PathBuf) -> Result<Report, Failure> {
    let reading = tokio::task::spawn_blocking(move || read(&path));
    let text = tokio::select! {
        biased;
        () = context.cancel.cancelled() => return Err(Failure::cancelled()),
        text = reading => text.map_err(|_| Failure::new(ErrorCode::InternalError, "The file could not be read."))??,
    };
    let explanation = ErrorExplanation::from(find_code(&text)?);
    let human = human(&explanation);
    Ok(Report { data: to_value(&ExplainErrorData { explanation }), human, next: Vec::new() })
}

pub(super) fn human(explanation: &ErrorExplanation) -> String {
    text::fields(&[
        ("code", explanation.code.to_string()),
        ("meaning", explanation.meaning.clone()),
        ("HTTP status", explanation.http_status.to_string()),
        ("exit code", format!("{} ({})", explanation.exit_code, explanation.code.exit().name())),
        ("retryable", if explanation.retryable { "yes" } else { "no" }.to_owned()),
        ("fixable by", explanation.fixable_by.as_str().to_owned()),
        ("next", explanation.next_action.clone()),
        ("docs", explanation.docs.clone()),
    ])
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

/// The code of the error in a document. The document itself is not repeated: it may hold anything.
fn find_code(text: &[u8]) -> Result<ErrorCode, Failure> {
    let document: Value = serde_json::from_slice(text).map_err(|error| {
        refused(format!("That is no JSON document: error at line {} column {}.", error.line(), error.column()))
    })?;
    let code = PLACES.iter().find_map(|place| document.pointer(place)?.as_str());
    let code = code.ok_or_else(|| {
        refused("That document holds no error: give an envelope whose `ok` is false, an answer of the API, or {\"code\": …}.")
    })?;
    code.parse().map_err(|_| {
        let looks_like_one =
            code.len() <= 64 && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let name = if looks_like_one { format!("`{code}`") } else { "The code in that document".to_owned() };
        refused(format!("{name} is not in this version's catalog of error codes."))
    })
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UsageError, message).untouched("Nothing was done.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use walwarden_contract::{Envelope, ErrorBody, Problem};

    use super::*;

    #[test]
    fn the_code_is_found_in_every_document_that_holds_an_error() {
        let body = ErrorBody::new(ErrorCode::TokenUsed, "used");
        let documents = [
            json!({"code": "token_used"}),
            json!(body),
            json!(Problem::from(body.clone())),
            json!(Envelope::failure("restore.create", body.clone())),
            json!({"state": "rejected", "at": "2026-01-31T02:00:00.000Z", "payload": {"error": body, "warnings": []}}),
        ];
        for document in documents {
            assert_eq!(find_code(document.to_string().as_bytes()).ok(), Some(ErrorCode::TokenUsed), "{document}");
        }
    }

    #[test]
    fn what_is_no_error_is_refused_and_not_repeated() {
        let cases = [
            ("", "no JSON"),
            ("hunter2", "no JSON"),
            ("[]", "holds no error"),
            (r#"{"code": 7, "password": "hunter2"}"#, "holds no error"),
            (r#"{"ok": true, "data": {"hunter2": 1}}"#, "holds no error"),
            (r#"{"code": "teapot"}"#, "`teapot` is not in"),
            (r#"{"code": "postgresql://u:hunter2@h/d"}"#, "The code in that document is not in"),
        ];
        for (text, message) in cases {
            let failure = find_code(text.as_bytes()).expect_err(text);
            assert_eq!(failure.body.code, ErrorCode::UsageError);
            assert!(failure.body.message.contains(message), "{}", failure.body.message);
            assert!(!failure.body.message.contains("hunter2"), "{}", failure.body.message);
        }
    }
}
