//! `errors.md`: one heading per code, because `ErrorCode::docs` points at them.

use crate::emit::markdown::{codes, head, table};
use crate::error::{ErrorCode, Fixer};
use crate::operations::OPERATIONS;

const LEAD: &str = r#"Every failure carries a `code` from this closed list: in HTTP answers, in a job's `error`, and in the command line's
output. Decide on `code` and `retryable`, never on the text of `message`.

```json
{
  "code": "backup_in_progress",
  "message": "A backup of this database is already queued or running.",
  "retryable": true,
  "nextAction": "Wait for the running backup to end, then trigger again.",
  "docs": "docs/reference/errors.md#backup_in_progress",
  "requestId": "019a9c3e-5f7a-7c3e-8d2b-4a6f90c1e2d3"
}
```

`retryAfterMs` says how long to wait, `requiredScope` which scope is missing; both are absent where they do not apply. An HTTP
answer is `application/problem+json` and adds `type` (`urn:walwarden:error:<code>`), `title` and `status`. "Retryable" means
that the same request or command may succeed later, unchanged; see [exit codes](exit-codes.md). "Who can fix it" names the one
who has to do something before that.
"#;

/// Codes that HTTP answers carry for requests that reach no operation, or that are reserved for any of them.
const ANY_REQUEST: &[ErrorCode] =
    &[ErrorCode::MethodNotAllowed, ErrorCode::RateLimited, ErrorCode::CapabilityNotAvailable];

pub(in crate::emit) fn page() -> String {
    let rows = ErrorCode::ALL.iter().map(|code| {
        [
            format!("[`{code}`](#{code})"),
            code.http_status().to_string(),
            code.exit().code().to_string(),
            if code.retryable() { "yes" } else { "no" }.to_owned(),
            who(code.fixable_by()).to_owned(),
        ]
    });
    let sections: String = ErrorCode::ALL.iter().map(|code| section(*code)).collect();
    let table = table(["code", "HTTP status", "exit code", "retryable", "who can fix it"], rows);
    format!("{}\n{table}{sections}", head("Error codes", LEAD))
}

const fn who(fixer: Fixer) -> &'static str {
    match fixer {
        Fixer::Caller => "the caller",
        Fixer::Human => "a person who may consent",
        Fixer::KeyIssuer => "whoever issues API keys",
        Fixer::Operator => "the operator of `walwarden-api`",
        Fixer::DatabaseOwner => "the administrator of the Postgres server",
        Fixer::BucketOwner => "the owner of the bucket",
        Fixer::Walwarden => "the maintainers of Walwarden: it is a defect",
        Fixer::Nobody => "nobody needs to: it passes",
    }
}

fn section(code: ErrorCode) -> String {
    let operations: Vec<_> = OPERATIONS.iter().filter(|operation| operation.all_errors().contains(&code)).collect();
    let seen = if operations.len() == OPERATIONS.len() {
        format!("HTTP {} from every operation.", code.http_status())
    } else if !operations.is_empty() {
        format!("HTTP {} from {}.", code.http_status(), codes(operations.iter().map(|operation| operation.id)))
    } else if ANY_REQUEST.contains(&code) {
        format!("HTTP {}.", code.http_status())
    } else {
        "In a job's `error`, or from the command line.".to_owned()
    };
    format!(
        "\n### {code}\n\n{}\n\n- Next: {}\n- Exit code {} (`{}`), {}retryable\n- Who can fix it: {}\n- {seen}\n",
        code.meaning(),
        code.next_action(),
        code.exit().code(),
        code.exit().name(),
        if code.retryable() { "" } else { "not " },
        who(code.fixable_by()),
    )
}
