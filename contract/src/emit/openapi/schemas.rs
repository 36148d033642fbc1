//! Component schemas. Requests are described as they are read, responses as they are written.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::operations::SchemaOf;

/// Collects the schemas of everything that operations refer to.
pub(in crate::emit) struct Schemas {
    requests: SchemaGenerator,
    responses: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            requests: settings.clone().for_deserialize().into_generator(),
            responses: settings.for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// The schema of a request body.
    pub(in crate::emit) fn request(&mut self, schema: SchemaOf) -> Ref {
        reference(&schema(&mut self.requests))
    }

    /// The members of an object that travels as query parameters.
    pub(in crate::emit) fn query(&mut self, schema: SchemaOf) -> Vec<Member> {
        // A generator of its own: the object itself is no component, only its members are parameters.
        let mut generator =
            SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
        let object = schema(&mut generator);
        let required = |name: &str| {
            object.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|it| it == name))
        };
        let properties = object.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        properties
            .into_iter()
            .map(|(name, mut schema)| {
                let about = schema.as_object_mut().and_then(|members| members.remove("description"));
                strip_null(&mut schema);
                Member {
                    required: required(&name),
                    about: about.and_then(|about| about.as_str().map(str::to_owned)).unwrap_or_default(),
                    schema: serde_json::from_value(schema).expect("the members of queries have simple schemas"),
                    name,
                }
            })
            .collect()
    }

    /// Whether a request body must have any member.
    pub(super) fn has_required_members(&self, request: &Ref) -> bool {
        self.requests.definitions().get(name(request)).is_some_and(|schema| schema.get("required").is_some())
    }

    /// The schema of a response body.
    pub(in crate::emit) fn response(&mut self, schema: SchemaOf) -> Ref {
        reference(&schema(&mut self.responses))
    }

    /// The schema of a type that responses and parameters share.
    pub(super) fn of<T: JsonSchema>(&mut self) -> Ref {
        reference(&self.responses.subschema_for::<T>())
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

/// A member of an object that travels as query parameters.
pub(in crate::emit) struct Member {
    pub(in crate::emit) name: String,
    pub(in crate::emit) required: bool,
    pub(in crate::emit) about: String,
    pub(in crate::emit) schema: RefOr<Schema>,
}

/// A parameter that is left out is no null.
fn strip_null(schema: &mut Value) {
    let kinds = schema.get_mut("type").and_then(Value::as_array_mut);
    if let Some(kinds) = kinds {
        kinds.retain(|kind| kind != "null");
        if let [kind] = &kinds[..] {
            schema["type"] = kind.clone();
        }
    }
}

fn reference(schema: &schemars::Schema) -> Ref {
    let location = schema.get("$ref").and_then(Value::as_str);
    Ref::new(location.expect("bodies and parameters have named types, to which schemars refers"))
}

/// The name of a schema that is referred to.
pub(in crate::emit) fn name(reference: &Ref) -> &str {
    reference.ref_location.rsplit('/').next().unwrap_or_default()
}
