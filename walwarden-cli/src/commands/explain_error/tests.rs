//! What is explained, and what is refused and not repeated.

use serde_json::json;
use walwarden_contract::model::cli::ErrorSource;
use walwarden_contract::{Envelope, ErrorBody, Problem};

use super::*;

fn explained(text: &str) -> ExplainErrorData {
    explain(text.as_bytes()).expect("explained")
}

#[test]
fn the_error_is_found_in_every_document_that_holds_one() {
    let body = ErrorBody { retry_after_ms: Some(1500), ..ErrorBody::new(ErrorCode::TokenUsed, "used") };
    let line =
        json!({"state": "rejected", "at": "2026-01-31T02:00:00.000Z", "payload": {"error": body, "warnings": []}});
    let result = json!({"type": "result", "ok": false, "kind": "restore.execute", "error": body});
    let documents = [
        (json!({"code": "token_used"}), ErrorSource::Error),
        (json!(body), ErrorSource::Error),
        (json!(Problem::from(body.clone())), ErrorSource::Error),
        (json!(Envelope::failure("restore.create", body.clone())), ErrorSource::Envelope),
        (
            json!(Envelope::success("restore.status", json!({"state": "failed_terminal", "error": body}))),
            ErrorSource::Job,
        ),
        (json!({"state": "failed_terminal", "error": body}), ErrorSource::Job),
        (line.clone(), ErrorSource::Line),
        (result, ErrorSource::Envelope),
    ];
    for (document, source) in documents {
        let explained = explained(&document.to_string());
        assert_eq!((explained.source, explained.explanation.code), (source, ErrorCode::TokenUsed.into()), "{document}");
        assert!(!explained.do_not_claim.is_empty() && !explained.safe_next_actions.is_empty());
    }
    let stream =
        format!("{}\n{line}\n", json!({"state": "downloading", "at": "2026-01-31T02:00:00.000Z", "payload": {}}));
    let explained = explained(&stream);
    assert_eq!((explained.source, explained.retry.after_ms), (ErrorSource::Line, Some(1500)));
}

#[test]
fn what_a_newer_server_says_is_explained_by_its_own_words() {
    let document = json!({"code": "quota_exhausted", "message": "No room. password=hunter2", "retryable": true, "nextAction": "Ask for more."});
    let explained = explained(&document.to_string());
    assert_eq!((explained.explanation.code.word().as_str(), explained.explanation.exit_code), ("quota_exhausted", 1));
    assert_eq!(explained.message.as_deref(), Some("No room. password=[redacted]"));
    assert_eq!(explained.safe_next_actions, ["Ask for more."]);
}

#[test]
fn what_pg_restore_wrote_is_judged_entry_by_entry() {
    let text = "\
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 5; 2615 2200 SCHEMA public postgres
pg_restore: error: could not execute query: ERROR:  schema \"public\" already exists
Command was: CREATE SCHEMA public;


pg_restore: from TOC entry 215; 1259 16390 TABLE orders app
pg_restore: error: could not execute query: ERROR:  role \"app\" does not exist
Command was: ALTER TABLE public.orders OWNER TO app;


pg_restore: warning: errors ignored on restore: 2
";
    let explained = explained(text);
    assert_eq!(
        (explained.source, explained.explanation.code),
        (ErrorSource::PgRestore, ErrorCode::RestoreFailed.into())
    );
    assert_eq!(explained.entries.len(), 2);
    assert!(explained.entries[0].harmless.is_some() && explained.entries[1].harmless.is_none());
    assert!(explained.message.as_deref().is_some_and(|message| message.contains("--no-owner --no-acl")));
    assert!(explained.do_not_claim.iter().any(|claim| claim.contains("untouched")));
    let harmless = self::explained(text.split("\n\n\n").next().expect("an entry"));
    assert!(harmless.explanation.meaning.contains("how pg_restore exited"), "{harmless:?}");
    let mismatch = self::explained("12:00:01 pg_restore: error: aborting because of server version mismatch");
    assert_eq!(mismatch.explanation.code, ErrorCode::ToolVersionUnsupported);
}

#[test]
fn what_is_no_error_is_refused_and_not_repeated() {
    let cases = [
        ("", "holds no error"),
        ("hunter2", "neither JSON"),
        ("[]", "holds no error"),
        (r#"{"code": 7, "password": "hunter2"}"#, "holds no error"),
        (r#"{"ok": true, "data": {"hunter2": 1}}"#, "holds no error"),
        (r#"{"code": "teapot"}"#, "`teapot` is not in"),
        (r#"{"code": "postgresql://u:hunter2@h/d"}"#, "The code in that document is not in"),
    ];
    for (text, message) in cases {
        let failure = explain(text.as_bytes()).expect_err(text);
        assert_eq!(failure.body.code, ErrorCode::UsageError);
        assert!(failure.body.message.contains(message), "{}", failure.body.message);
        assert!(!failure.body.message.contains("hunter2"), "{}", failure.body.message);
    }
}
