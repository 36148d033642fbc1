//! Compiled JSON Schemas, and their violations as text.

use anyhow::{Context, Result};
use jsonschema::Validator;
use serde_json::Value;

/// How many violations of one document are shown.
const SHOWN: usize = 5;

/// Compiles a schema: draft 2020-12, with formats, and with nothing fetched from anywhere.
pub(super) fn compile(schema: &Value) -> Result<Validator> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(schema)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("a published schema does not compile")
}

/// Checks a document. What it says about a violation names the place, and never the value, which may be a secret.
pub(super) fn check(validator: &Validator, document: &Value) -> Result<(), String> {
    let violations: Vec<_> = validator.iter_errors(document).take(SHOWN).map(|error| describe(&error)).collect();
    if violations.is_empty() { Ok(()) } else { Err(violations.join("; ")) }
}

fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let (instance, schema) = (error.instance_path().to_string(), error.schema_path().to_string());
    format!("{} at {instance:?} against {schema:?}", error.masked_with("the value"))
}

/// Members that a published object does not name are drift, although its readers have to tolerate them: closes every plain object of
/// a schema. One that is composed of others, or takes members of any name, stays as it is.
pub(super) fn close(schema: &mut Value) {
    const COMPOSED: [&str; 5] = ["allOf", "anyOf", "oneOf", "$ref", "additionalProperties"];
    let Some(members) = schema.as_object_mut() else {
        schema.as_array_mut().into_iter().flatten().for_each(close);
        return;
    };
    let composed = COMPOSED.iter().any(|keyword| members.contains_key(*keyword));
    let named = members.get("properties").and_then(Value::as_object).is_some_and(|named| !named.is_empty());
    for (keyword, value) in members.iter_mut() {
        match keyword.as_str() {
            // The members of these are schemas, whatever they are called.
            "properties" | "$defs" | "schemas" => {
                value.as_object_mut().into_iter().flatten().for_each(|(_, schema)| close(schema));
            }
            // A part sees the members that other parts name.
            "anyOf" | "oneOf" if named => {}
            // So it does here; the others are documents and no schemas.
            "allOf" | "examples" | "enum" | "const" | "default" => {}
            _ => close(value),
        }
    }
    if named && !composed {
        members.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn violations_name_the_place_and_not_the_value() {
        let schema = compile(&json!({"properties": {"a": {"type": "integer"}}})).expect("it compiles");
        let violation = check(&schema, &json!({"a": "secret"})).expect_err("a text is no integer");
        assert!(violation.contains("/a") && !violation.contains("secret"), "{violation}");
        check(&schema, &json!({"a": 1})).expect("it is one");
    }

    #[test]
    fn formats_are_checked() {
        let schema = compile(&json!({"format": "date-time"})).expect("it compiles");
        check(&schema, &json!("2026-01-31T10:00:00.000Z")).expect("it is one");
        assert!(check(&schema, &json!("yesterday")).is_err());
    }

    #[test]
    fn only_plain_objects_are_closed() {
        let plain = json!({"type": "object", "properties": {"properties": {"properties": {"b": {}}}}});
        let any = json!({"type": "object", "additionalProperties": true, "properties": {"a": {}}});
        let composed = json!({"properties": {"a": {}}, "oneOf": [{"properties": {"b": {}}}]});
        let one = json!({"oneOf": [{"properties": {"b": {}}}]});
        let closed = |mut schema: Value| {
            close(&mut schema);
            schema
        };
        let members = json!({"properties": {"b": {}}, "additionalProperties": false});
        let nested = json!({"type": "object", "properties": {"properties": members}, "additionalProperties": false});
        assert_eq!(closed(plain), nested);
        assert_eq!(closed(any.clone()), any);
        assert_eq!(closed(composed.clone()), composed);
        assert_eq!(closed(one), json!({"oneOf": [members]}));
    }
}
