//! `audit-events.md`

use schemars::Schema;
use serde_json::{Map, Value};

use crate::audit::{EventKind, StreamKind, written};
use crate::emit::markdown::{codes, head, table};
use crate::schema::definition_name;

const LEAD: &str = "\
Every change that matters is an event of one chain: `kind`, `seq` from 1, `at`, `jobId` (the organization's id in its own chain),
`payload`, `prevHash` and `hash`. The hash is SHA-256 of the previous hash's text followed by the RFC 8785 bytes of
`{\"at\",\"jobId\",\"kind\",\"payload\"}`, in lowercase hex; the first event names 64 zeros before it.

A payload holds the members listed here and no others: no content of a database, no credential, no presigned URL. Members are only ever
added, and no stored event is changed: one that an earlier version wrote may lack those that are not marked \"always\".
";

/// The chains, and what happens in them.
const fn about(stream: StreamKind) -> &'static str {
    match stream {
        StreamKind::Backup => {
            "The chain of a backup job. Attempts that fail, or are handed back, are followed by `backup.queued` again; after \
             `backup.completed` only events of retention follow."
        }
        StreamKind::Restore => {
            "The chain of a restore job, from the issue of its token. A token can be refused at any time, even after the end."
        }
        StreamKind::Organization => {
            "The organization's own chain: who may do what, and what was changed. Their order is free, but for the first."
        }
    }
}

const fn title(stream: StreamKind) -> &'static str {
    match stream {
        StreamKind::Backup => "Backups",
        StreamKind::Restore => "Restores",
        StreamKind::Organization => "Organizations",
    }
}

pub(in crate::emit) fn page() -> String {
    let (schemas, definitions) = written();
    let sections = StreamKind::ALL.map(|stream| {
        let of_stream: Vec<_> = schemas.iter().filter(|(kind, _)| kind.stream() == stream).collect();
        let rows = of_stream.iter().map(|(kind, schema)| {
            let name = definition_name(schema).unwrap_or_default();
            [format!("`{}`", kind.as_str()), kind.meaning().to_owned(), format!("[{name}](#{})", name.to_lowercase())]
        });
        let kinds = table(["kind", "meaning", "payload"], rows);
        format!("\n## {}\n\n{}\n\n{kinds}{}", title(stream), about(stream), payloads(&of_stream, &definitions))
    });
    format!("{}{}", head("Audit events", LEAD), sections.concat())
}

fn payloads(schemas: &[&(EventKind, Schema)], definitions: &Map<String, Value>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in schemas.iter().filter_map(|(_, schema)| definition_name(schema)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.iter().map(|name| payload(name, &definitions[*name])).collect()
}

fn payload(name: &str, schema: &Value) -> String {
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let members = schema["properties"].as_object().into_iter().flatten().map(|(name, member)| {
        let about = member["description"].as_str().unwrap_or_default();
        let always = if required(name) { "always" } else { "" };
        [format!("`{name}`"), kind_of(member), always.to_owned(), about.replace('\n', " ")]
    });
    let about = schema["description"].as_str().unwrap_or_default();
    format!("\n### {name}\n\n{about}\n\n{}", table(["member", "type", "present", "what it holds"], members))
}

/// A member's type in a few words.
fn kind_of(member: &Value) -> String {
    if let Some(name) = member["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(choices) = member["anyOf"].as_array() {
        return choices.iter().filter(|choice| choice["type"] != "null").map(kind_of).collect();
    }
    match &member["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", kind_of(&member["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
            if kinds == ["array"] { format!("list of {}", kind_of(&member["items"])) } else { kinds.join(" or ") }
        }
        _ => codes([]),
    }
}
