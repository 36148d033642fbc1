//! `api.md`

use crate::capabilities::HumanGate;
use crate::emit::markdown::{head, table};
use crate::emit::openapi::{Schemas, by_status, name, notes, who_may_call};
use crate::error::{CONFIRMATION_HEADER, ErrorCode};
use crate::operations::{Answer, Auth, BASE_PATH, Method, OPERATIONS, Operation, TAGS};
use crate::page::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::schema::query_members;

const LEAD: &str = "\
JSON over HTTP. Schemas, headers and examples are in the OpenAPI document, `openapi/walwarden.v1.json`; this page is its summary.
";

fn basics() -> String {
    format!(
        "\
- **Base path**: `{BASE_PATH}`.
- **Authentication**: `Authorization: Bearer <API key>`. Calls about a running restore carry the restore token in the same
  place. A missing, unknown, expired or revoked key is 401; a key without the [scope](scopes.md) is 403; a record of another
  organization is 404.
- **Formats**: members are camelCase, times RFC 3339 in UTC with milliseconds, states snake_case. Identifiers are a prefix
  (`db_`, `dst_`, `bkp_`, `rst_`, `key_`, `org_`, `win_`) and 32 lowercase hex digits. Objects may gain members, and lists of values may gain values: be ready for those you do not know.
- **Idempotency**: every POST requires `Idempotency-Key`, 1 to 255 visible ASCII characters. Where the table below
  says \"replays\", the same key and body return the stored answer with `Idempotency-Replayed: true`, and the same key with
  another body is 409.
- **Lists**: `limit` (1 to {MAX_LIMIT}, {DEFAULT_LIMIT} by default) and `cursor`; `nextCursor` in the answer is the next `cursor`, null on the last page.
- **Errors**: `application/problem+json` with a `code`: see [errors](errors.md).
- **Request ids**: `X-Request-Id` on every answer names the request in the server's log. A caller may send its own: 1 to 128 of
  `A-Z a-z 0-9 . _ : -`.
- **Rate limits**: answers to a caller who is known carry, unless the operator set no limit, `RateLimit-Policy` (`\"default\";q=200;w=2`: 200 requests within 2 seconds) and `RateLimit`
  (`\"default\";r=99;t=2`: 99 are left, and all of them are again in 2 seconds). Too many are answered with 429 and `Retry-After`.
- **Consent**: an agent's key is challenged by some operations, and repeats the request with `{CONFIRMATION_HEADER}` once a person has
  consented: see [capabilities](capabilities.md#human-confirmation).
"
    )
}

pub(in crate::emit) fn page() -> String {
    let mut schemas = Schemas::default();
    let rows = OPERATIONS.iter().map(|operation| {
        let scope = operation.scope().map_or_else(|| "–".to_owned(), |scope| format!("`{scope}`"));
        [
            format!("[`{}`](#{})", operation.id, operation.id.to_lowercase()),
            format!("`{} {}`", operation.method.as_str(), operation.path),
            scope,
            if operation.replays() { "replays".to_owned() } else { String::new() },
        ]
    });
    let sections = TAGS.iter().map(|tag| {
        let operations = OPERATIONS.iter().filter(|operation| operation.tag == *tag);
        let sections: String = operations.map(|operation| section(operation, &mut schemas)).collect();
        format!("\n## {}\n\n{}\n{sections}", tag.name, tag.about)
    });
    let sections = sections.collect::<Vec<_>>().concat();
    format!(
        "{}\n{}\n## Shared errors\n\n{}\n## Operations\n\n{}{sections}",
        head("API", LEAD),
        basics(),
        shared_errors(),
        table(["operation", "request", "scope", "idempotency"], rows),
    )
}

/// Picks operations that are alike.
type Shape = fn(&Operation) -> bool;

/// The codes that follow from an operation's shape, so that each operation need only name its own.
fn shared_errors() -> String {
    let everywhere = |code: &ErrorCode| OPERATIONS.iter().all(|operation| operation.all_errors().contains(code));
    let mut told: Vec<ErrorCode> = ErrorCode::ALL.iter().copied().filter(everywhere).collect();
    let mut rows = vec![["every operation".to_owned(), failures(&told)]];
    let shapes: [(&str, Shape); 6] = [
        ("operations that take an API key", |operation| matches!(operation.auth, Auth::ApiKey(_))),
        ("operations with a scope", |operation| operation.scope().is_some()),
        ("every POST and PATCH", |operation| matches!(operation.method, Method::Post | Method::Patch)),
        ("every POST", Operation::needs_idempotency_key),
        ("every POST that replays", Operation::replays),
        ("operations that ask agents for a person's consent", |operation| operation.gate() != HumanGate::None),
    ];
    for (name, shape) in shapes {
        let alike = || OPERATIONS.iter().filter(|operation| shape(operation));
        let shared = |code: &ErrorCode| {
            alike().all(|operation| operation.all_errors().contains(code) && !operation.errors.contains(code))
        };
        let codes: Vec<_> =
            ErrorCode::ALL.iter().copied().filter(|code| !told.contains(code) && shared(code)).collect();
        rows.push([name.to_owned(), failures(&codes)]);
        told.extend(codes);
    }
    table(["from", "errors"], rows)
}

fn section(operation: &Operation, schemas: &mut Schemas) -> String {
    let request =
        operation.request.map(|request| format!("- Body: `{}`\n", name(&schemas.request(request)))).unwrap_or_default();
    let query = operation.query.map_or_else(String::new, |query| {
        let names: Vec<_> = query_members(query).iter().map(|member| format!("`{}`", member.name)).collect();
        format!("- Query: {}\n", names.join(", "))
    });
    let note = notes(operation);
    let note = if note.is_empty() { note } else { format!("{note}\n\n") };
    let answer = match operation.answer {
        Answer::Empty => String::new(),
        Answer::Json(schema) => format!(", `{}`", name(&schemas.response(schema))),
        Answer::Archive => ", `application/gzip`".to_owned(),
    };
    let own = if operation.errors.is_empty() {
        String::new()
    } else {
        format!("- Errors of its own: {}\n", failures(operation.errors))
    };
    format!(
        "\n### {}\n\n{}. {}\n\n```\n{} {BASE_PATH}{}\n```\n\n{note}{request}{query}- Success: {}{answer}\n{own}",
        operation.id,
        operation.summary,
        who_may_call(operation),
        operation.method.as_str(),
        operation.path,
        operation.success,
    )
}

/// Codes by status, each linked to its explanation.
fn failures(codes: &[ErrorCode]) -> String {
    let groups = by_status(codes.iter().copied()).into_iter().map(|error| {
        let links: Vec<_> = error.codes.iter().map(|code| format!("[`{code}`](errors.md#{code})")).collect();
        format!("{} {}", error.status, links.join(", "))
    });
    groups.collect::<Vec<_>>().join("; ")
}
