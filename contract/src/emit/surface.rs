//! `surface.json`: what there is, for programs that decide what they may call.

use serde_json::{Value, json};

use super::json::pretty;
use crate::capabilities::CAPABILITIES;
use crate::commands::{COMMANDS, Command, ENVIRONMENT, Flag, GLOBAL_FLAGS};
use crate::error::ErrorCode;
use crate::exit::ExitStatus;
use crate::operations::{Auth, BASE_PATH, OPERATIONS, Operation};
use crate::scope::Scope;

pub(super) fn document() -> String {
    pretty(&json!({
        "schemaVersion": 1,
        "name": "walwarden",
        "version": env!("CARGO_PKG_VERSION"),
        "basePath": BASE_PATH,
        "operations": OPERATIONS.iter().map(operation).collect::<Vec<_>>(),
        "globalFlags": GLOBAL_FLAGS.iter().map(flag).collect::<Vec<_>>(),
        "environment": ENVIRONMENT.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "commands": COMMANDS.iter().map(command).collect::<Vec<_>>(),
        "capabilities": CAPABILITIES
            .iter()
            .map(|capability| json!({"id": capability.id, "status": capability.status.as_str()}))
            .collect::<Vec<_>>(),
        "scopes": Scope::ALL
            .iter()
            .map(|scope| json!({"scope": scope, "grants": scope.grants()}))
            .collect::<Vec<_>>(),
        "exitCodes": ExitStatus::ALL
            .iter()
            .map(|exit| json!({"code": exit.code(), "name": exit.name(), "meaning": exit.meaning()}))
            .collect::<Vec<_>>(),
        "errorCodes": ErrorCode::ALL.iter().map(|code| error(*code)).collect::<Vec<_>>(),
    }))
}

fn operation(operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "method": operation.method.as_str(),
        "path": format!("{BASE_PATH}{}", operation.path),
        "summary": operation.summary,
        "auth": match operation.auth {
            Auth::ApiKey(_) => "api_key",
            Auth::RestoreToken => "restore_token",
        },
        "requiredScope": operation.scope(),
        "idempotencyKey": operation.needs_idempotency_key(),
        "success": operation.success,
        "errorCodes": operation.all_errors(),
    })
}

fn command(command: &Command) -> Value {
    json!({
        "kind": command.kind,
        "usage": command.usage(),
        "summary": command.summary,
        "requiredScopes": command.scopes,
        "operations": command.operations,
        "arguments": command.positionals.iter().map(|positional| positional.name).collect::<Vec<_>>(),
        "flags": command.flags().map(flag).collect::<Vec<_>>(),
        "example": command.example,
    })
}

fn flag(flag: &Flag) -> Value {
    let mut value = json!({"name": flag.name, "value": flag.value, "required": flag.required, "help": flag.help});
    if !flag.choices.is_empty() {
        value["choices"] = json!(flag.choices);
    }
    value
}

fn error(code: ErrorCode) -> Value {
    json!({
        "code": code,
        "httpStatus": code.http_status(),
        "exitCode": code.exit().code(),
        "retryable": code.retryable(),
        "meaning": code.meaning(),
        "nextAction": code.next_action(),
        "docs": code.docs(),
    })
}
