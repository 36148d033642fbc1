//! `surface.json`: what there is, for programs that decide what they may call.

use serde_json::{Map, Value, json};

use super::json::pretty;
use crate::capabilities::{CAPABILITIES, Capability, MIN_CLIENT_VERSION, SURFACE_VERSION};
use crate::commands::{COMMANDS, Command, ENVIRONMENT, Flag, GLOBAL_FLAGS, Positional, events_of};
use crate::error::{CONFIRMATION_HEADER, ErrorCode};
use crate::exit::ExitStatus;
use crate::operations::{Answer, Auth, BASE_PATH, OPERATIONS, Operation};
use crate::schema::{Definitions, META_SCHEMA};
use crate::scope::Scope;

pub(super) fn document() -> String {
    let mut definitions = Definitions::default();
    let commands: Vec<_> = COMMANDS.iter().map(|it| command(it, &mut definitions)).collect();
    let capabilities: Vec<_> = CAPABILITIES.iter().map(|it| capability(it, &mut definitions)).collect();
    pretty(&json!({
        "schemaVersion": 1,
        "surfaceVersion": SURFACE_VERSION,
        "minClientVersion": MIN_CLIENT_VERSION,
        "name": "walwarden",
        "version": env!("CARGO_PKG_VERSION"),
        "basePath": BASE_PATH,
        "jsonSchema": META_SCHEMA,
        "confirmationHeader": CONFIRMATION_HEADER,
        "operations": OPERATIONS.iter().map(operation).collect::<Vec<_>>(),
        "globalFlags": GLOBAL_FLAGS.iter().map(flag).collect::<Vec<_>>(),
        "environment": ENVIRONMENT
            .iter()
            .map(|(name, meaning)| json!({"name": name, "meaning": meaning}))
            .collect::<Vec<_>>(),
        "commands": commands,
        "capabilities": capabilities,
        "scopes": Scope::ALL
            .iter()
            .map(|scope| json!({"scope": scope, "grants": scope.grants()}))
            .collect::<Vec<_>>(),
        "exitCodes": ExitStatus::ALL
            .iter()
            .map(|exit| json!({"code": exit.code(), "name": exit.name(), "meaning": exit.meaning()}))
            .collect::<Vec<_>>(),
        "errorCodes": ErrorCode::ALL.iter().map(|code| error(*code)).collect::<Vec<_>>(),
        // What the schemas above refer to, as `#/$defs/…` of this document.
        "$defs": definitions.take(),
    }))
}

const fn auth(auth: Auth) -> &'static str {
    match auth {
        Auth::ApiKey(_) => "api_key",
        Auth::RestoreToken => "restore_token",
    }
}

fn answer(operation: &Operation, definitions: &mut Definitions) -> Value {
    match operation.answer {
        Answer::Json(answer) => definitions.written(answer),
        Answer::Empty | Answer::Archive => Value::Null,
    }
}

fn operation(operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "method": operation.method.as_str(),
        "path": format!("{BASE_PATH}{}", operation.path),
        "summary": operation.summary,
        "auth": auth(operation.auth),
        "requiredScope": operation.scope(),
        "humanGate": operation.gate().as_str(),
        "idempotencyKey": operation.needs_idempotency_key(),
        "success": operation.success,
        "errorCodes": operation.all_errors(),
    })
}

fn capability(capability: &Capability, definitions: &mut Definitions) -> Value {
    let called = capability.tool_operation();
    let auths = capability.operations.iter().filter_map(|id| crate::operations::operation(id));
    let mut auths: Vec<_> = auths.map(|operation| auth(operation.auth)).collect();
    auths.dedup();
    json!({
        "id": capability.id,
        "status": capability.status.as_str(),
        "claim": capability.claim,
        "auth": auths,
        "requiredScopes": capability.scopes(),
        "risk": capability.risk.as_str(),
        "humanGate": capability.gate.as_str(),
        "operations": capability.operations,
        "commands": capability.commands,
        "tool": capability.tool.then(|| capability.tool_name()),
        "inputSchema": called.map(|operation| definitions.input(operation)),
        "outputSchema": called.map(|operation| answer(operation, definitions)),
        "errorCodes": capability.errors(),
        "plannedRoute": capability.route.map(|route| json!({
            "method": route.method,
            "path": format!("{BASE_PATH}{}", route.path),
            "requiredScope": route.scope,
        })),
    })
}

fn command(command: &Command, definitions: &mut Definitions) -> Value {
    json!({
        "kind": command.kind,
        "usage": command.usage(),
        "summary": command.summary,
        "note": command.note,
        "requiredScopes": command.scopes,
        "operations": command.operations,
        "arguments": command.positionals.iter().map(positional).collect::<Vec<_>>(),
        "flags": command.flags().map(flag).collect::<Vec<_>>(),
        "inputSchema": arguments(command),
        // Of the envelope's `data`, or of each line of a stream.
        "outputSchema": definitions.written(command.output),
        "streams": command.streams(),
        // Of each line with `--events jsonl`.
        "eventsSchema": command
            .offers_events()
            .then(|| definitions.written(|generator| events_of(command, generator))),
        "example": command.example,
    })
}

fn positional(positional: &Positional) -> Value {
    json!({"name": positional.name, "help": positional.help})
}

fn flag(flag: &Flag) -> Value {
    let mut value = json!({"name": flag.name, "value": flag.value, "required": flag.required, "help": flag.help});
    if !flag.choices.is_empty() {
        value["choices"] = json!(flag.choices);
    }
    value
}

/// A command's own arguments as one object: flags without their dashes, switches as booleans.
fn arguments(command: &Command) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for flag in command.flags() {
        let mut schema = match flag.value {
            None => json!({"type": "boolean"}),
            Some("N" | "MS" | "LIMIT") => json!({"type": "integer", "minimum": 0}),
            Some(_) if flag.choices.is_empty() => json!({"type": "string"}),
            Some(_) => json!({"type": "string", "enum": flag.choices}),
        };
        schema["description"] = flag.help.into();
        let name = flag.name.trim_start_matches('-').to_owned();
        required.extend(flag.required.then(|| name.clone()));
        properties.insert(name, schema);
    }
    for positional in command.positionals {
        required.push(positional.name.to_owned());
        properties.insert(positional.name.to_owned(), json!({"type": "string", "description": positional.help}));
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn error(code: ErrorCode) -> Value {
    json!({
        "code": code,
        "httpStatus": code.http_status(),
        "exitCode": code.exit().code(),
        "retryable": code.retryable(),
        "fixableBy": code.fixable_by(),
        "meaning": code.meaning(),
        "nextAction": code.next_action(),
        "docs": code.docs(),
    })
}
