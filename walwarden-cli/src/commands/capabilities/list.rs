//! `walwarden capabilities list`

use walwarden_contract::capabilities::{CAPABILITIES, Capability, HumanGate, MIN_CLIENT_VERSION, SURFACE_VERSION};
use walwarden_contract::model::cli::{CapabilitiesListData, CapabilityEntry};

use super::super::to_value;
use crate::context::Report;
use crate::output::text;

pub(crate) fn run(compact: bool) -> Report {
    let rows = CAPABILITIES.iter().map(|capability| {
        let gate = if capability.gate == HumanGate::None { "-" } else { capability.gate.as_str() };
        let words = [capability.id, capability.status.as_str(), capability.risk.as_str(), gate];
        words.map(str::to_owned)
    });
    let human = text::table(["ID", "STATUS", "RISK", "HUMAN GATE"], rows);
    let data = CapabilitiesListData {
        surface_version: SURFACE_VERSION.to_owned(),
        min_client_version: MIN_CLIENT_VERSION.to_owned(),
        capabilities: CAPABILITIES.iter().map(|capability| entry(capability, compact)).collect(),
    };
    Report { data: to_value(&data), human, next: Vec::new() }
}

fn entry(capability: &Capability, compact: bool) -> CapabilityEntry {
    let gate = Some(capability.gate);
    CapabilityEntry {
        id: capability.id.to_owned(),
        status: capability.status,
        risk: capability.risk,
        human_gate: if compact { gate.filter(|gate| *gate != HumanGate::None) } else { gate },
        scopes: (!compact).then(|| capability.scopes()),
        commands: (!compact).then(|| capability.commands.iter().map(|kind| (*kind).to_owned()).collect()),
        tool: (!compact && capability.tool).then(|| capability.tool_name()),
    }
}
