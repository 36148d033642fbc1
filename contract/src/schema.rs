//! JSON Schemas of this crate's types: the settings that all of them share, and small repairs. Draft 2020-12.

use schemars::Schema;
#[cfg(feature = "generate")]
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use serde_json::{Map, Value, json};

use crate::operations::{Operation, SchemaOf};

/// The meta-schema that stand-alone schemas name.
pub(crate) const META_SCHEMA: &str = "https://json-schema.org/draft/2020-12/schema";

fn settings() -> SchemaSettings {
    let settings = SchemaSettings::draft2020_12().with_transform(plain_enums);
    settings.with(|settings| settings.meta_schema = None)
}

/// Describes what is taken: an optional member may be null.
pub(crate) fn reading() -> SchemaSettings {
    settings().for_deserialize()
}

/// Describes what is written: an optional member is left out, and null stands only where a member is always written.
pub(crate) fn writing() -> SchemaSettings {
    settings().for_serialize().with_transform(left_out_is_not_null)
}

/// Marks an object that other versions wrote too: its members are left out, or null, as each version had it.
pub(crate) const NULL_MAY_STAND: &str = "x-null-may-stand";

fn left_out_is_not_null(schema: &mut Schema) {
    if schema.remove(NULL_MAY_STAND).is_some() {
        return;
    }
    transform_subschemas(&mut left_out_is_not_null, schema);
    let required = schema.get("required").cloned().unwrap_or_default();
    let required = required.as_array().map(Vec::as_slice).unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in properties.into_iter().flatten() {
        if !required.iter().any(|it| it == name) {
            strip_null(member);
        }
    }
}

/// Enums as a plain list of values: many readers of schemas do not understand `oneOf` with constants.
fn plain_enums(schema: &mut Schema) {
    transform_subschemas(&mut plain_enums, schema);
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let value = |choice: &Value| choice.get("const").and_then(Value::as_str).map(str::to_owned);
    let Some(values) = choices.iter().map(value).collect::<Option<Vec<_>>>() else { return };
    let meanings = values.iter().zip(choices).filter_map(|(value, choice)| {
        let meaning = choice.get("description").and_then(Value::as_str)?;
        Some(format!("\n- `{value}`: {meaning}"))
    });
    let meanings = meanings.collect::<Vec<_>>().concat();
    let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let about = format!("{about}\n{meanings}");
    schema.remove("oneOf");
    schema.insert("description".to_owned(), about.trim().into());
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), values.into());
}

/// A member that is left out is no null.
fn strip_null(schema: &mut Value) {
    let is_null = |kind: &Value| kind == "null" || kind["type"] == "null";
    for keyword in ["type", "anyOf"] {
        let Some(choices) = schema.get_mut(keyword).and_then(Value::as_array_mut) else { continue };
        choices.retain(|kind| !is_null(kind));
        if let [only] = &mut choices[..] {
            let only = only.take();
            match only {
                Value::Object(members) => {
                    let whole = schema.as_object_mut().expect("it has a member");
                    whole.remove(keyword);
                    whole.extend(members);
                }
                kind => schema[keyword] = kind,
            }
        }
    }
}

/// A member of an object.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

/// The members of an object that travels as query parameters.
pub(crate) fn query_members(query: SchemaOf) -> Vec<Member> {
    let mut members = members(&whole(query, reading()));
    for member in &mut members {
        strip_null(&mut member.schema);
    }
    members
}

fn members(object: &Value) -> Vec<Member> {
    let required: Vec<_> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = object["properties"].as_object().into_iter().flatten();
    let member = |(name, schema): (&String, &Value)| Member {
        required: required.contains(&name.as_str()),
        name: name.clone(),
        schema: schema.clone(),
    };
    properties.map(member).collect()
}

/// The name of the definition that a schema refers to.
#[cfg(feature = "generate")]
pub(crate) fn definition_name(schema: &Schema) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)?.rsplit('/').next()
}

/// A schema with everything in its place, without references: not every reader follows them.
fn whole(schema: SchemaOf, settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let mut generator = settings.into_generator();
    let mut schema = schema(&mut generator);
    generator.transforms_mut().for_each(|transform| transform.transform(&mut schema));
    shorten_enums(&mut schema);
    schema.to_value()
}

/// Leaves out the meaning of each value: a program that chooses by itself wants the document short.
fn shorten_enums(schema: &mut Schema) {
    transform_subschemas(&mut shorten_enums, schema);
    let about = schema.get("description").and_then(Value::as_str).and_then(|about| about.split("\n\n").next());
    let about = about.filter(|_| schema.get("enum").is_some()).map(str::to_owned);
    if let Some(about) = about {
        schema.insert("description".to_owned(), about.into());
    }
}

/// A stand-alone schema of what a type looks like when it is written.
pub(crate) fn output(schema: SchemaOf) -> Map<String, Value> {
    stand_alone(whole(schema, writing()))
}

/// A stand-alone schema of an operation's input: the members of path, query and body as one object.
pub(crate) fn input(operation: &Operation) -> Map<String, Value> {
    stand_alone(merged(operation, |schema| whole(schema, reading())))
}

fn merged(operation: &Operation, mut read: impl FnMut(SchemaOf) -> Value) -> Value {
    let path = operation.path_parameters().map(|parameter| {
        let mut schema = read(parameter.schema);
        schema["description"] = parameter.about.into();
        Member { name: parameter.name.to_owned(), required: true, schema }
    });
    let path: Vec<_> = path.collect();
    let query = operation.query.map(query_members).unwrap_or_default();
    let body = operation.request.map(|body| members(&read(body))).unwrap_or_default();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in path.into_iter().chain(query).chain(body) {
        if member.required {
            required.push(member.name.clone());
        }
        properties.insert(member.name, member.schema);
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn stand_alone(mut schema: Value) -> Map<String, Value> {
    schema["$schema"] = META_SCHEMA.into();
    schema.as_object().cloned().unwrap_or_default()
}

/// The definitions that the schemas of one document share, in its `$defs`.
#[cfg(feature = "generate")]
#[derive(Default)]
pub(crate) struct Definitions(Map<String, Value>);

#[cfg(feature = "generate")]
impl Definitions {
    /// What a type looks like when it is written.
    pub(crate) fn written(&mut self, schema: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
        let mut generator = writing().into_generator();
        let mut schema = schema(&mut generator);
        shorten_enums(&mut schema);
        self.add(&mut generator);
        schema.to_value()
    }

    /// An operation's input: the members of path, query and body as one object.
    pub(crate) fn input(&mut self, operation: &Operation) -> Value {
        let mut generator = reading().into_generator();
        // Its members go into the one object, so it needs no definition of its own.
        let body = operation.request.map(|request| request(&mut generator));
        let body = body.as_ref().and_then(definition_name).unwrap_or_default();
        let whole = generator.definitions_mut().remove(body);
        let input = merged(operation, |schema| {
            let schema = schema(&mut generator);
            if definition_name(&schema) == Some(body) { whole.clone().unwrap_or_default() } else { schema.to_value() }
        });
        generator.definitions_mut().remove(body);
        self.add(&mut generator);
        input
    }

    fn add(&mut self, generator: &mut SchemaGenerator) {
        for (name, schema) in generator.take_definitions(true) {
            let mut schema = Schema::try_from(schema).expect("definitions are schemas");
            shorten_enums(&mut schema);
            let schema = schema.to_value();
            let other = self.0.insert(name.clone(), schema.clone());
            let same = other.is_none_or(|other| other == schema);
            assert!(same, "{name} is read and written in different shapes");
        }
    }

    /// All of them, by name.
    pub(crate) fn take(self) -> Value {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{Answer, OPERATIONS};

    #[test]
    fn inputs_keep_every_member_and_all_schemas_are_draft_2020_12_without_references() {
        for operation in OPERATIONS {
            let body = operation.request.map(|body| members(&whole(body, reading())).len());
            let query = operation.query.map(|query| query_members(query).len());
            let count = operation.path_parameters().count() + query.unwrap_or(0) + body.unwrap_or(0);
            let input = input(operation);
            assert_eq!(input["properties"].as_object().map(Map::len), Some(count), "{}", operation.id);
            let mut schemas = vec![Value::from(input)];
            if let Answer::Json(answer) = operation.answer {
                schemas.push(output(answer).into());
            }
            for schema in schemas {
                assert!(!schema.to_string().contains("\"$ref\""), "{}", operation.id);
                assert!(jsonschema::draft202012::meta::validate(&schema).is_ok(), "{}", operation.id);
            }
        }
    }
}
