//! The schemas of audit events: what an event says depends on its kind.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::kind::EventKind;

/// Carries the schemas of the payloads from the member to the object, which is where a schema can choose by kind.
const BY_KIND: &str = "x-by-kind";

/// An object; where schemas can refer to each other, with what it holds for each kind.
pub(super) fn payload(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({ "type": "object", "additionalProperties": true });
    // Written out for each kind it would be most of every document that shows an event.
    if generator.settings().inline_subschemas {
        return schema;
    }
    let mut choices: Vec<(Schema, Vec<&str>)> = Vec::new();
    for kind in EventKind::ALL {
        let of_kind = kind.payload_schema(generator);
        match choices.iter_mut().find(|(other, _)| *other == of_kind) {
            Some((_, kinds)) => kinds.push(kind.as_str()),
            None => choices.push((of_kind, vec![kind.as_str()])),
        }
    }
    let rules = choices.into_iter().map(|(payload, kinds)| {
        json!({
            "if": { "properties": { "kind": { "enum": kinds } }, "required": ["kind"] },
            "then": { "properties": { "payload": payload } },
        })
    });
    schema.insert(BY_KIND.to_owned(), rules.collect());
    schema
}

/// Moves the choice from the member to the object.
pub(super) fn by_kind(schema: &mut Schema) {
    let rules = schema.pointer_mut("/properties/payload").and_then(Value::as_object_mut);
    if let Some(rules) = rules.and_then(|payload| payload.remove(BY_KIND)) {
        schema.insert("allOf".to_owned(), rules);
    }
}

/// Describes a payload as it is found in chains: what an earlier version did not say yet is left out or null, and there is nothing
/// else in it.
pub(crate) fn as_stored(schema: &mut Schema) {
    let nullable = |schema: &Value| {
        let is_null = |kind: &Value| kind == "null" || kind["type"] == "null";
        let choices = ["type", "anyOf"].map(|keyword| schema[keyword].as_array());
        choices.into_iter().flatten().flatten().any(is_null)
    };
    let always = |(name, schema): (&String, &Value)| (!nullable(schema)).then(|| Value::from(name.as_str()));
    let properties = schema.get("properties").and_then(Value::as_object);
    let required: Vec<Value> = properties.into_iter().flatten().filter_map(always).collect();
    schema.remove("required");
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema.insert(crate::schema::NULL_MAY_STAND.to_owned(), true.into());
}

/// The schema of each kind's payload, and the definitions that these refer to.
#[cfg(feature = "generate")]
pub(crate) fn written() -> (Vec<(EventKind, Schema)>, serde_json::Map<String, Value>) {
    let mut generator = crate::schema::writing().into_generator();
    let schemas = EventKind::ALL.iter().map(|kind| (*kind, kind.payload_schema(&mut generator))).collect();
    (schemas, generator.take_definitions(true))
}
