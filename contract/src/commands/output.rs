//! JSON Schemas of what the commands write with `--json`.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{COMMANDS, Command, command};
use crate::envelope::{Envelope, SCHEMA_VERSION};
use crate::model::cli;
use crate::operations::SchemaOf;
use crate::schema::{META_SCHEMA, writing};

/// The kind of the document that `--help` and `--version` write, of whichever command.
pub const HELP_KIND: &str = "help";
/// The kind of the document about a command line that names no command.
pub const NO_COMMAND_KIND: &str = "walwarden";

/// A stand-alone JSON Schema, draft 2020-12, of every document that the command of this kind writes: its success and its
/// failure. For a command that [streams](Command::streams) it is the schema of one line.
///
/// Kinds are those of [`COMMANDS`], [`HELP_KIND`], [`NO_COMMAND_KIND`], and the first words of commands, as in `backup`:
/// a command line that goes no further is refused.
#[must_use]
pub fn output_schema(kind: &str) -> Option<Value> {
    if let Some(command) = command(kind).filter(|command| command.streams()) {
        return Some(line(command));
    }
    let (success, fails) = kind_output(kind)?;
    let mut generator = writing().into_generator();
    let documents = documents(kind, success, fails, &mut generator);
    Some(stand_alone(kind, &documents, &generator.take_definitions(true)))
}

/// The shape of the `data` of this kind, where there can be any, and how it fails.
pub(super) fn kind_output(kind: &str) -> Option<(Option<SchemaOf>, Fails)> {
    match command(kind) {
        Some(command) => Some((Some(command.output), Fails::of(command.finds()))),
        None if kind == HELP_KIND => Some((Some(super::of::<cli::HelpData>), Fails::Never)),
        None if kind == NO_COMMAND_KIND || is_group(kind) => Some((None, Fails::Alone)),
        None => None,
    }
}

fn is_group(kind: &str) -> bool {
    COMMANDS.iter().any(|command| command.kind.split_once('.').is_some_and(|(group, _)| group == kind))
}

fn line(command: &Command) -> Value {
    let mut generator = writing().into_generator();
    let line = (command.output)(&mut generator).to_value();
    stand_alone(command.kind, &[line], &generator.take_definitions(true))
}

/// How a document fails.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fails {
    Never,
    /// With an error in place of data.
    Alone,
    /// With data beside the error, when there is any.
    WithData,
}

impl Fails {
    const fn of(finds: bool) -> Self {
        if finds { Self::WithData } else { Self::Alone }
    }
}

/// The envelopes of this kind.
pub(super) fn documents(
    kind: &str,
    success: Option<SchemaOf>,
    fails: Fails,
    generator: &mut SchemaGenerator,
) -> Vec<Value> {
    let written = Envelope::json_schema(generator).to_value();
    let document = |ok: bool, present: &str, absent: &str, schema: Option<Value>| {
        let mut document = written.clone();
        let members = &mut document["properties"];
        members["schemaVersion"] = json!({"const": SCHEMA_VERSION});
        members["ok"] = json!({"const": ok});
        members["kind"] = json!({"const": kind});
        // An error keeps its own schema, less the null that stands for its absence.
        members[present] = schema.unwrap_or_else(|| json!({"$ref": "#/$defs/ErrorBody"}));
        members[absent] = json!(false);
        document["required"] = json!(["schemaVersion", "ok", "kind", present, "warnings", "next"]);
        document
    };
    let mut documents = Vec::new();
    let data = success.map(|data| data(generator).to_value());
    if let Some(data) = &data {
        documents.push(document(true, "data", "error", Some(data.clone())));
    }
    if fails != Fails::Never {
        let mut failure = document(false, "error", "data", None);
        if let (Fails::WithData, Some(data)) = (fails, data) {
            failure["properties"]["data"] = data;
        }
        documents.push(failure);
    }
    documents
}

pub(super) fn stand_alone(kind: &str, documents: &[Value], definitions: &Map<String, Value>) -> Value {
    json!({"$schema": META_SCHEMA, "title": kind, "oneOf": documents, "$defs": definitions})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorBody, ErrorCode};

    fn fits(kind: &str, document: &Value) -> bool {
        jsonschema::draft202012::is_valid(&output_schema(kind).expect("a kind"), document)
    }

    #[test]
    fn every_kind_has_a_schema_that_refers_to_nothing_outside() {
        for kind in COMMANDS.iter().map(|command| command.kind).chain([HELP_KIND, NO_COMMAND_KIND, "backup"]) {
            let schema = output_schema(kind).expect("a schema");
            assert!(jsonschema::draft202012::meta::is_valid(&schema), "{kind}");
            let defined = schema["$defs"].as_object().expect("definitions");
            for reference in schema.to_string().split(r##""$ref":"#/$defs/"##).skip(1) {
                let name = reference.split('"').next().expect("a name");
                assert!(defined.contains_key(name), "{kind}: {name}");
            }
        }
        assert_eq!(output_schema("nonsense"), None);
    }

    #[test]
    fn a_document_is_either_data_of_its_kind_or_an_error() {
        let data = json!({"text": "Usage", "version": "0.1.0"});
        let success = |kind: &str| json!(Envelope::success(kind, data.clone()));
        let failure = |kind: &str| json!(Envelope::failure(kind, ErrorBody::new(ErrorCode::Timeout, "late")));
        assert!(fits(HELP_KIND, &success(HELP_KIND)) && !fits(HELP_KIND, &failure(HELP_KIND)));
        assert!(fits("backup", &failure("backup")) && !fits("backup", &success("backup")));
        assert!(fits("database.get", &failure("database.get")));
        assert!(!fits("database.get", &success("database.get")), "data of another kind");
        assert!(!fits("database.get", &failure("database.list")), "another kind");
        let mut both = failure("database.get");
        both["data"] = data.clone();
        assert!(!fits("database.get", &both));
        let mut unknown = failure("database.get");
        unknown["error"]["code"] = json!("teapot");
        assert!(!fits("database.get", &unknown));
    }

    #[test]
    fn a_stream_is_lines_and_no_envelope() {
        let error = ErrorBody::new(ErrorCode::TokenUsed, "used");
        let line =
            json!({"state": "rejected", "at": "2026-01-31T02:00:00.000Z", "payload": {"error": error, "warnings": []}});
        assert!(fits("restore", &line));
        assert!(!fits("restore", &json!(Envelope::failure("restore", error))));
    }
}
