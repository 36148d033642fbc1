//! Component schemas. Requests are described as they are read, responses as they are written.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use utoipa::openapi::Ref;

use crate::operations::SchemaOf;
use crate::schema::{definition_name, reading, writing};

/// Collects the schemas of everything that operations refer to.
pub(in crate::emit) struct Schemas {
    requests: SchemaGenerator,
    responses: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let components = |settings: SchemaSettings| {
            settings.with(|settings| settings.definitions_path = "/components/schemas".into()).into_generator()
        };
        Self { requests: components(reading()), responses: components(writing()) }
    }
}

impl Schemas {
    /// The schema of a request body.
    pub(in crate::emit) fn request(&mut self, schema: SchemaOf) -> Ref {
        reference(&schema(&mut self.requests))
    }

    /// Whether a request body must have any member.
    pub(super) fn has_required_members(&self, request: &Ref) -> bool {
        self.requests.definitions().get(name(request)).is_some_and(|schema| schema.get("required").is_some())
    }

    /// The schema of a response body, or of a type that responses and parameters share.
    pub(in crate::emit) fn response(&mut self, schema: SchemaOf) -> Ref {
        reference(&schema(&mut self.responses))
    }

    /// Both kinds together, by name.
    pub(super) fn into_definitions(mut self) -> Value {
        let mut definitions = self.responses.take_definitions(true);
        for (name, schema) in self.requests.take_definitions(true) {
            let other = definitions.insert(name.clone(), schema.clone());
            assert!(other.is_none_or(|other| other == schema), "{name} is read and written in different shapes");
        }
        definitions.into()
    }
}

fn reference(schema: &schemars::Schema) -> Ref {
    let name = definition_name(schema).expect("bodies and parameters have named types, to which schemars refers");
    Ref::from_schema_name(name)
}

/// The name of a schema that is referred to.
pub(in crate::emit) fn name(reference: &Ref) -> &str {
    reference.ref_location.rsplit('/').next().unwrap_or_default()
}
