//! Error responses, grouped by status, and the headers that responses carry.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref};

use super::schemas::Schemas;
use crate::error::{ErrorBody, ErrorCode, Problem};
use crate::operations::Operation;
use crate::scope::Scope;

/// The codes that an operation may answer with under one status.
pub(in crate::emit) struct ErrorResponse {
    pub(in crate::emit) status: u16,
    pub(in crate::emit) codes: Vec<ErrorCode>,
}

/// Groups codes by their status.
pub(in crate::emit) fn by_status(codes: impl IntoIterator<Item = ErrorCode>) -> Vec<ErrorResponse> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.http_status()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| ErrorResponse { status, codes }).collect()
}

/// The error responses of an operation, by status.
pub(super) fn errors(operation: &Operation) -> Vec<ErrorResponse> {
    by_status(operation.all_errors())
}

impl ErrorResponse {
    /// The component's name: operations that fail alike share it.
    pub(super) fn name(&self) -> String {
        let codes: Vec<_> = self.codes.iter().map(|code| code.as_str()).collect();
        format!("{}.{}", self.status, codes.join("."))
    }

    pub(super) fn response(&self, schemas: &mut Schemas) -> Response {
        let about: Vec<_> = self.codes.iter().map(|code| format!("`{code}`: {}", code.meaning())).collect();
        let examples = self.codes.iter().map(|code| {
            let example = ExampleBuilder::new().summary(code.meaning()).value(Some(json!(example(*code))));
            (code.as_str(), example.build())
        });
        let content = ContentBuilder::new().schema(Some(schemas.of::<Problem>())).examples_from_iter(examples).build();
        let response = ResponseBuilder::new()
            .description(about.join("\n\n"))
            .header_ref("X-Request-Id", header_ref("X-Request-Id"))
            .content("application/problem+json", content)
            .extensions(Some(ExtensionsBuilder::new().add("x-error-codes", json!(self.codes)).build()));
        match self.status {
            401 => response.header_ref("WWW-Authenticate", header_ref("WWW-Authenticate")).build(),
            503 => response.header_ref("Retry-After", header_ref("Retry-After")).build(),
            _ => response.build(),
        }
    }
}

fn example(code: ErrorCode) -> Problem {
    let mut error = ErrorBody::new(code, code.meaning());
    error.request_id = Some("019a9c3e-5f7a-7c3e-8d2b-4a6f90c1e2d3".to_owned());
    error.required_scope = (code == ErrorCode::Forbidden).then_some(Scope::DatabasesRead);
    error.retry_after_ms = (code == ErrorCode::ServiceUnavailable).then_some(2000);
    error.into()
}

/// A reference to a header that responses share.
pub(super) fn header_ref(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// The headers that responses share, by name.
pub(super) fn headers() -> [(&'static str, Header); 4] {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_usize));
    [
        ("X-Request-Id", header("Names this request in the server's log.", text())),
        (
            "Idempotency-Replayed",
            header(
                "`true` when this repeats the answer to an earlier request with the same key and body.",
                text().enum_values(Some(["true"])),
            ),
        ),
        ("WWW-Authenticate", header("Always `Bearer`.", text().enum_values(Some(["Bearer"])))),
        ("Retry-After", header("Seconds to wait before the request is sent again.", seconds)),
    ]
}

fn header(about: &str, schema: ObjectBuilder) -> Header {
    HeaderBuilder::new().description(Some(about)).schema(Some(schema)).build()
}
