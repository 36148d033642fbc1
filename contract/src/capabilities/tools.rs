//! The live tool catalog: what a key with these scopes may call.

use std::sync::LazyLock;

use super::{CAPABILITIES, Capability, HumanGate, MIN_CLIENT_VERSION, SURFACE_VERSION, Status};
use crate::error::{CONFIRMATION_HEADER, ErrorCode};
use crate::model::{Tool, ToolCatalog, ToolConfirmation, ToolOperation};
use crate::open::Open;
use crate::operations::{Answer, BASE_PATH};
use crate::schema;
use crate::scope::Scope;

/// Every tool, by name; their schemas are made once.
static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let mut tools: Vec<_> = CAPABILITIES.iter().filter_map(tool).collect();
    tools.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    tools
});

/// The tools that a key with these scopes may call.
#[must_use]
pub fn catalog(scopes: &[Scope]) -> ToolCatalog {
    let granted = |tool: &&Tool| tool.required_scopes.iter().all(|scope| scope.is(|scope| scopes.contains(&scope)));
    ToolCatalog {
        surface_version: SURFACE_VERSION.to_owned(),
        min_client_version: MIN_CLIENT_VERSION.to_owned(),
        tools: TOOLS.iter().filter(granted).cloned().collect(),
    }
}

fn tool(capability: &Capability) -> Option<Tool> {
    let operation = capability.tool_operation().filter(|_| capability.status == Status::Available)?;
    let confirmation = (capability.gate == HumanGate::ConfirmationRequired).then(|| ToolConfirmation {
        code: ErrorCode::HumanConfirmationRequired.into(),
        header: CONFIRMATION_HEADER.to_owned(),
        instructions: ErrorCode::HumanConfirmationRequired.next_action().to_owned(),
    });
    Some(Tool {
        name: capability.tool_name(),
        capability_id: capability.id.to_owned(),
        description: format!("{} {}", capability.claim, operation.note).trim_end().to_owned(),
        risk: capability.risk.into(),
        human_gate: capability.gate.into(),
        confirmation,
        required_scopes: operation.scope().into_iter().map(Open::Known).collect(),
        operation: ToolOperation {
            operation_id: operation.id.to_owned(),
            method: operation.method.into(),
            path: format!("{BASE_PATH}{}", operation.path),
            idempotency_key: operation.needs_idempotency_key(),
        },
        input_schema: schema::input(operation),
        output_schema: match operation.answer {
            Answer::Json(answer) => Some(schema::output(answer)),
            Answer::Empty | Answer::Archive => None,
        },
        error_codes: operation.all_errors().into_iter().map(Open::Known).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_sees_what_its_scopes_open_and_nothing_else() {
        let names = |scopes: &[Scope]| catalog(scopes).tools.into_iter().map(|tool| tool.name).collect::<Vec<_>>();
        let bare = names(&[]);
        assert!(!bare.is_empty());
        assert!(names(Scope::ALL).is_sorted());
        for capability in CAPABILITIES {
            let expected = capability.status == Status::Available && capability.tool;
            assert_eq!(names(Scope::ALL).contains(&capability.tool_name()), expected, "{}", capability.id);
        }
        for scope in Scope::ALL {
            let opened = catalog(&[*scope]).tools;
            assert!(opened.iter().all(|tool| tool.required_scopes.iter().all(|needed| needed == scope)));
            assert!(opened.len() > bare.len(), "{scope} opens no tool");
        }
    }

    #[test]
    fn a_gated_tool_says_how_a_person_consents() {
        for tool in &*TOOLS {
            assert_eq!(
                tool.confirmation.is_some(),
                tool.human_gate == HumanGate::ConfirmationRequired,
                "{}",
                tool.name
            );
            let refused = tool.error_codes.contains(&ErrorCode::HumanConfirmationRequired.into());
            assert_eq!(refused, tool.confirmation.is_some(), "{}", tool.name);
        }
    }

    #[test]
    fn the_input_is_one_closed_object_of_path_query_and_body() {
        let tool = |name: &str| TOOLS.iter().find(|tool| tool.name == name).expect("a tool");
        let trigger = &tool("walwarden.backup.trigger").input_schema;
        assert_eq!(trigger["properties"]["databaseId"]["pattern"], "^db_[0-9a-f]{32}$");
        assert_eq!(trigger["required"], json!(["databaseId"]));
        assert_eq!(trigger["additionalProperties"], json!(false));
        assert!(trigger["properties"]["trigger"].is_object());
        let backups = &tool("walwarden.backup.list").input_schema;
        assert_eq!(backups["properties"]["limit"]["type"], "integer");
        assert_eq!(tool("walwarden.backup.status").output_schema.as_ref().expect("JSON")["type"], "object");
        assert_eq!(tool("walwarden.databases.delete").output_schema, None);
    }
}
