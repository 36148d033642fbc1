//! Error responses, grouped by status.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use serde_json::{Value, json};
use utoipa::openapi::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};

use super::headers::{ON_EVERY_ANSWER, header_ref};
use super::schemas::Schemas;
use crate::emit::examples;
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
        let examples = self.codes.iter().map(|code| (code.as_str(), example(code.meaning(), json!(problem(*code)))));
        let schema = schemas.response(SchemaGenerator::subschema_for::<Problem>);
        let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
        let mut response = ResponseBuilder::new()
            .description(about.join("\n\n"))
            .content("application/problem+json", content)
            .extensions(Some(ExtensionsBuilder::new().add("x-error-codes", json!(self.codes)).build()));
        let own = match self.status {
            401 => Some("WWW-Authenticate"),
            429 | 503 => Some("Retry-After"),
            _ => None,
        };
        for header in ON_EVERY_ANSWER.into_iter().chain(own) {
            response = response.header_ref(header, header_ref(header));
        }
        response.build()
    }
}

/// An example with its caption.
pub(super) fn example(summary: &str, value: Value) -> Example {
    ExampleBuilder::new().summary(summary).value(Some(value)).build()
}

fn problem(code: ErrorCode) -> Problem {
    let mut error = ErrorBody::new(code, code.meaning());
    error.request_id = Some("019a9c3e-5f7a-7c3e-8d2b-4a6f90c1e2d3".to_owned());
    match code {
        ErrorCode::Forbidden => error.required_scope = Some(Scope::DatabasesRead.into()),
        ErrorCode::RateLimited | ErrorCode::ServiceUnavailable => error.retry_after_ms = Some(2000),
        ErrorCode::HumanConfirmationRequired => error.confirmation = Some(examples::challenge()),
        _ => {}
    }
    error.into()
}
