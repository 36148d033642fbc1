//! The headers that requests and responses share.

use utoipa::openapi::Ref;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Required, Schema};

use crate::capabilities::HumanGate;
use crate::error::CONFIRMATION_HEADER;
use crate::operations::Operation;

const REQUEST_ID: &str = "019a9c3e-5f7a-7c3e-8d2b-4a6f90c1e2d3";

/// What every answer may carry.
pub(super) const ON_EVERY_ANSWER: [&str; 3] = ["X-Request-Id", "RateLimit", "RateLimit-Policy"];

/// The headers that no answer which names them goes without.
pub(super) const ALWAYS_SENT: [&str; 3] = ["X-Request-Id", "WWW-Authenticate", "Content-Disposition"];

/// A reference to a header that responses share.
pub(super) fn header_ref(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn request_id() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(128)).pattern(Some("^[A-Za-z0-9._:-]+$"))
}

/// The headers that responses share, by name.
pub(super) fn headers() -> [(&'static str, Header); 7] {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_usize));
    [
        (
            "X-Request-Id",
            header(
                "Names this request in the server's log: the caller's own name for it, if it sent one.",
                request_id(),
                REQUEST_ID,
            ),
        ),
        (
            "RateLimit",
            header(
                "How many requests are left (`r`), and in how many seconds all of them are again (`t`). Absent where the \
                 caller is not known, and where the operator set no limit.",
                text().pattern(Some("^\"default\";r=[0-9]+;t=[0-9]+$")),
                "\"default\";r=99;t=2",
            ),
        ),
        (
            "RateLimit-Policy",
            header(
                "How many requests a key may send (`q`) within how many seconds (`w`). Absent where `RateLimit` is.",
                text().pattern(Some("^\"default\";q=[0-9]+;w=[0-9]+$")),
                "\"default\";q=200;w=2",
            ),
        ),
        (
            "Idempotency-Replayed",
            header(
                "`true` when this repeats the answer to an earlier request with the same key and body.",
                text().enum_values(Some(["true"])),
                "true",
            ),
        ),
        (
            "Content-Disposition",
            header(
                "The name to save the file under.",
                text().pattern(Some("^attachment; filename=\"[A-Za-z0-9_.-]+\"$")),
                "attachment; filename=\"walwarden-evidence-bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3.tgz\"",
            ),
        ),
        ("WWW-Authenticate", header("Always `Bearer`.", text().enum_values(Some(["Bearer"])), "Bearer")),
        ("Retry-After", header("Seconds to wait before the request is sent again.", seconds, 2)),
    ]
}

fn header(about: &str, schema: ObjectBuilder, example: impl Into<serde_json::Value>) -> Header {
    HeaderBuilder::new().description(Some(about)).schema(Some(schema)).example(Some(example.into())).build()
}

/// The names under which the parameters of [`parameters`] are components.
pub(super) fn parameter_refs(operation: &Operation) -> impl Iterator<Item = Ref> {
    let names = [
        ("IdempotencyKey", operation.needs_idempotency_key()),
        ("Confirmation", operation.gate() == HumanGate::ConfirmationRequired),
        ("RequestId", true),
    ];
    let sent = names.into_iter().filter(|(_, sent)| *sent);
    sent.map(|(name, _)| Ref::new(format!("#/components/parameters/{name}")))
}

/// The headers that requests share, by the name of their component.
pub(super) fn parameters() -> [(&'static str, Parameter); 3] {
    let key = text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]{1,255}$"));
    [
        (
            "IdempotencyKey",
            parameter(
                "Idempotency-Key",
                Required::True,
                "Chosen by the caller, a new one for each new request. A repeated request with the same key and body \
                 changes nothing twice; only preflight is tried anew.",
                key.examples(["8f14e45f-ceea-4e7a-9b1c-0c3a5d1f2b6e"]),
            ),
        ),
        (
            "Confirmation",
            parameter(
                CONFIRMATION_HEADER,
                Required::False,
                "The challenge that this request was answered with (`human_confirmation_required`), once a person has \
                 consented to it. Only keys of agents are challenged; for others it does nothing.",
                text(),
            ),
        ),
        (
            "RequestId",
            parameter(
                "X-Request-Id",
                Required::False,
                "The caller's own name for the request; the answer and the server's log repeat it. Read are 1 to 128 of \
                 `A-Z a-z 0-9 . _ : -`; in the place of anything else the server chooses one.",
                text().examples([REQUEST_ID]),
            ),
        ),
    ]
}

fn parameter(name: &str, required: Required, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(about))
        .schema(Some(Schema::from(schema)))
        .build()
}
