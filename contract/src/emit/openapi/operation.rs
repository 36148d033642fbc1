//! One operation: parameters, body, responses.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, Required, Schema};

use super::responses::{errors, header_ref};
use super::schemas::Schemas;
use super::scheme;
use crate::id::{BackupJobId, DatabaseId, DestinationId, RestoreJobId, StreamId, WindowId};
use crate::operations::{Answer, Auth, Operation};

pub(super) fn document(operation: &Operation, schemas: &mut Schemas) -> utoipa::openapi::path::Operation {
    let mut document = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .description(Some(who_may_call(operation)))
        .tag(operation.tag.name)
        .security(SecurityRequirement::new(scheme(operation.auth), [] as [&str; 0]))
        .response(operation.success.to_string(), success(operation, schemas));
    for parameter in parameters(operation, schemas) {
        document = document.parameter(parameter);
    }
    if let Some(request) = operation.request {
        let reference = schemas.request(request);
        // An absent body counts as an empty object, which is enough where every member has a default.
        let required = if schemas.has_required_members(&reference) { Required::True } else { Required::False };
        let body = RequestBodyBuilder::new()
            .required(Some(required))
            .content("application/json", Content::new(Some(reference)));
        document = document.request_body(Some(body.build()));
    }
    for error in errors(operation) {
        document = document.response(error.status.to_string(), Ref::from_response_name(error.name()));
    }
    if let Some(scope) = operation.scope() {
        document = document.extensions(Some(ExtensionsBuilder::new().add("x-required-scope", scope.as_str()).build()));
    }
    document.build()
}

/// What the caller must present, in a sentence.
pub(in crate::emit) fn who_may_call(operation: &Operation) -> String {
    match operation.auth {
        Auth::ApiKey(Some(scope)) => format!("Requires an API key with the scope `{scope}`."),
        Auth::ApiKey(None) => "Requires an API key, with whatever scopes.".to_owned(),
        Auth::RestoreToken => "Requires the restore token of this job.".to_owned(),
    }
}

fn success(operation: &Operation, schemas: &mut Schemas) -> ResponseBuilder {
    let about = match operation.success {
        201 => "Created.",
        202 => "Accepted: the job exists and goes on by itself.",
        204 => "Gone.",
        _ => "Done.",
    };
    let response = ResponseBuilder::new().description(about).header_ref("X-Request-Id", header_ref("X-Request-Id"));
    let response = match operation.answer {
        Answer::Empty => response,
        Answer::Json(schema) => response.content("application/json", Content::new(Some(schemas.response(schema)))),
        Answer::Archive => {
            response.content("application/gzip", Content::new(Some(ObjectBuilder::new().schema_type(Type::String))))
        }
    };
    if operation.replays() {
        response.header_ref("Idempotency-Replayed", header_ref("Idempotency-Replayed"))
    } else {
        response
    }
}

/// The names in braces, in order.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn parameters(operation: &Operation, schemas: &mut Schemas) -> Vec<Parameter> {
    let mut parameters: Vec<_> = path_parameters(operation.path)
        .map(|name| {
            let (id, about) = match name {
                "databaseId" => (schemas.of::<DatabaseId>(), "The protected database."),
                "backupJobId" => (schemas.of::<BackupJobId>(), "The backup job."),
                "restoreJobId" => (schemas.of::<RestoreJobId>(), "The restore job."),
                "destinationId" => (schemas.of::<DestinationId>(), "The destination."),
                "windowId" => (schemas.of::<WindowId>(), "The recovery window."),
                "streamId" => (schemas.of::<StreamId>(), "The audit stream."),
                _ => unreachable!("{name} is not the name of an identifier"),
            };
            parameter(name, ParameterIn::Path, Required::True, about, id)
        })
        .collect();
    if let Some(query) = operation.query {
        parameters.extend(schemas.query(query).into_iter().map(|member| {
            let required = if member.required { Required::True } else { Required::False };
            let about = member.about.clone();
            parameter(&member.name, ParameterIn::Query, required, &about, member.schema)
        }));
    }
    if operation.needs_idempotency_key() {
        let about = "Chosen by the caller, a new one for each new request. A repeated request with the same key and \
                     body changes nothing twice.";
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[ -~]+$"));
        parameters.push(parameter("Idempotency-Key", ParameterIn::Header, Required::True, about, key));
    }
    parameters
}

fn parameter(
    name: &str,
    place: ParameterIn,
    required: Required,
    about: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}
