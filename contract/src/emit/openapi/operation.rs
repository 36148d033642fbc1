//! One operation: parameters, body, responses.

use serde_json::Value;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Required, Schema, SchemaFormat};

use super::headers::{ON_EVERY_ANSWER, header_ref, parameter_refs};
use super::responses::{errors, example};
use super::schemas::Schemas;
use super::scheme;
use crate::capabilities::{CAPABILITIES, Capability, HumanGate};
use crate::emit::examples::{self, Example};
use crate::operations::{Answer, Auth, Operation};
use crate::schema::query_members;

pub(super) fn document(operation: &Operation, schemas: &mut Schemas) -> utoipa::openapi::path::Operation {
    let mut document = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .description(Some(description(operation)))
        .tag(operation.tag.name)
        .security(SecurityRequirement::new(scheme(operation.auth), [] as [&str; 0]))
        .extensions(Some(extensions(operation)))
        .response(operation.success.to_string(), success(operation, schemas));
    for error in errors(operation) {
        document = document.response(error.status.to_string(), Ref::from_response_name(error.name()));
    }
    let mut document = document.request_body(request_body(operation, schemas)).build();
    let own = parameters(operation, schemas).into_iter().map(RefOr::T);
    document.parameters = Some(own.chain(parameter_refs(operation).map(RefOr::Ref)).collect());
    document
}

/// What the caller must present, in a sentence.
pub(in crate::emit) fn who_may_call(operation: &Operation) -> String {
    match operation.auth {
        Auth::ApiKey(Some(scope)) => format!("Requires an API key with the scope `{scope}`."),
        Auth::ApiKey(None) => "Requires an API key, with whatever scopes.".to_owned(),
        Auth::RestoreToken => "Requires the restore token of this job.".to_owned(),
    }
}

/// What else there is to say about it; may be empty.
pub(in crate::emit) fn notes(operation: &Operation) -> String {
    let gated = operation.gate() == HumanGate::ConfirmationRequired;
    let gate = "An agent's key is answered with a challenge first: a person has to consent.";
    [operation.note, if gated { gate } else { "" }].join(" ").trim().to_owned()
}

fn description(operation: &Operation) -> String {
    format!("{} {}", who_may_call(operation), notes(operation)).trim_end().to_owned()
}

/// The capability whose tool calls the operation.
fn capability(operation: &Operation) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|capability| capability.tool_operation().is_some_and(|it| it.id == operation.id))
}

fn extensions(operation: &Operation) -> Extensions {
    let mut extensions = ExtensionsBuilder::new();
    if let Some(scope) = operation.scope() {
        extensions = extensions.add("x-required-scope", scope.as_str());
    }
    if let Some(capability) = capability(operation) {
        extensions = extensions
            .add("x-capability", capability.id)
            .add("x-human-gate", capability.gate.as_str())
            .add("x-risk", capability.risk.as_str());
    }
    extensions.build()
}

fn json_content(schema: Ref, examples: Vec<Example>) -> Content {
    let examples = examples.into_iter().map(|it| (it.name, example(it.summary, it.value)));
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build()
}

fn request_body(operation: &Operation, schemas: &mut Schemas) -> Option<RequestBody> {
    let reference = schemas.request(operation.request?);
    // An absent body counts as an empty object, which is enough where every member has a default.
    let required = if schemas.has_required_members(&reference) { Required::True } else { Required::False };
    let content = json_content(reference, examples::requests(operation.id));
    Some(RequestBodyBuilder::new().required(Some(required)).content("application/json", content).build())
}

fn success(operation: &Operation, schemas: &mut Schemas) -> ResponseBuilder {
    let about = match operation.success {
        201 => "Created.",
        202 => "Accepted: the job exists and goes on by itself.",
        204 => "Gone.",
        _ => "Done.",
    };
    let mut response = ResponseBuilder::new().description(about);
    let replayed = operation.replays().then_some("Idempotency-Replayed");
    let named = matches!(operation.answer, Answer::Archive).then_some("Content-Disposition");
    for header in ON_EVERY_ANSWER.into_iter().chain(replayed).chain(named) {
        response = response.header_ref(header, header_ref(header));
    }
    match operation.answer {
        Answer::Empty => response,
        Answer::Json(schema) => {
            let content = json_content(schemas.response(schema), examples::responses(operation.id));
            response.content("application/json", content)
        }
        Answer::Archive => {
            let bytes = ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::Custom("binary".to_owned())))
                .description(Some("A gzip-compressed tar archive."));
            response.content("application/gzip", Content::new(Some(bytes)))
        }
    }
}

fn parameters(operation: &Operation, schemas: &mut Schemas) -> Vec<Parameter> {
    let path = operation.path_parameters().map(|it| {
        let schema = RefOr::Ref(schemas.response(it.schema));
        parameter(it.name, ParameterIn::Path, true, it.about, schema)
    });
    let path: Vec<_> = path.collect();
    let query = operation.query.map(query_members).into_iter().flatten().map(|mut member| {
        let about = member.schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let about = about.as_ref().and_then(Value::as_str).unwrap_or_default();
        let schema = serde_json::from_value(member.schema).expect("the members of queries have simple schemas");
        parameter(&member.name, ParameterIn::Query, member.required, about, schema)
    });
    path.into_iter().chain(query).collect()
}

fn parameter(name: &str, place: ParameterIn, required: bool, about: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if required { Required::True } else { Required::False })
        .description(Some(about))
        .schema(Some(schema))
        .build()
}
