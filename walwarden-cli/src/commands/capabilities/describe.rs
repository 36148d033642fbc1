//! `walwarden capabilities describe`

use walwarden_contract::ErrorCode;
use walwarden_contract::Scope;
use walwarden_contract::capabilities::{CAPABILITIES, Capability, capability, catalog};
use walwarden_contract::commands;
use walwarden_contract::model::cli::{CapabilitiesDescribeData, CapabilityCommand, CapabilityDescription};

use super::super::to_value;
use crate::context::{Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::View;
use crate::usage::nearest;

pub(crate) fn run(id: &str, view: &View) -> Result<Report, Failure> {
    let capability = capability(id).ok_or_else(|| unknown(id))?;
    let capability = describe(capability);
    let human = for_a_person(&capability, view);
    Ok(Report { data: to_value(&CapabilitiesDescribeData { capability }), human, next: Vec::new() })
}

fn unknown(id: &str) -> Failure {
    let ids: Vec<String> = CAPABILITIES.iter().map(|capability| capability.id.to_owned()).collect();
    let refused = |text: &str| Failure::new(ErrorCode::UsageError, text).untouched("Nothing was done.");
    let failure =
        match nearest(id, &ids) {
            Some(id) => refused(&format!("There is no capability with this name: did you mean `{id}`?"))
                .next(command(&["capabilities", "describe", &id])),
            None => refused("There is no capability with this name."),
        };
    failure.next(command(&["capabilities", "list"]))
}

pub(in crate::commands) fn describe(capability: &Capability) -> CapabilityDescription {
    let commands = capability.commands.iter().filter_map(|kind| commands::command(kind));
    let tool = catalog(Scope::ALL).tools.into_iter().find(|tool| tool.capability_id == capability.id);
    CapabilityDescription {
        id: capability.id.to_owned(),
        status: capability.status,
        claim: capability.claim.to_owned(),
        risk: capability.risk,
        human_gate: capability.gate,
        scopes: capability.scopes(),
        operations: capability.operations.iter().map(|id| (*id).to_owned()).collect(),
        commands: commands
            .map(|command| CapabilityCommand {
                kind: command.kind.to_owned(),
                usage: command.usage(),
                example: command.example.to_owned(),
            })
            .collect(),
        tool,
        errors: capability.errors().into_iter().map(Into::into).collect(),
    }
}

pub(in crate::commands) fn for_a_person(capability: &CapabilityDescription, view: &View) -> String {
    let mut pairs = vec![
        ("capability", capability.id.clone()),
        ("status", capability.status.as_str().to_owned()),
        ("claim", capability.claim.clone()),
        ("risk", capability.risk.as_str().to_owned()),
        ("human gate", capability.human_gate.as_str().to_owned()),
        ("scopes", text::list(capability.scopes.iter().map(|scope| scope.as_str()))),
        ("operations", text::list(&capability.operations)),
        ("tool", text::or_dash(capability.tool.as_ref().map(|tool| tool.name.as_str()))),
        ("errors", text::list(capability.errors.iter().map(|error| &error.code))),
    ];
    pairs.extend(capability.commands.iter().map(|command| ("command", command.usage.clone())));
    format!("{}\nWith --json: the schemas of input and output, and the meaning of each error.", view.texts(pairs))
}
