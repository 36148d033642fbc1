//! `walwarden capabilities list`

use walwarden_contract::capabilities::{
    CAPABILITIES, Capability, HumanGate, MIN_CLIENT_VERSION, SURFACE_VERSION, Status,
};
use walwarden_contract::model::cli::{CapabilitiesListData, CapabilityEntry};

use super::super::to_value;
use crate::context::Report;
use crate::output::view::{Cell, View};

pub(crate) fn run(compact: bool, view: &View) -> Report {
    let data = CapabilitiesListData {
        surface_version: SURFACE_VERSION.to_owned(),
        min_client_version: MIN_CLIENT_VERSION.to_owned(),
        capabilities: CAPABILITIES.iter().map(|capability| entry(capability, compact)).collect(),
    };
    Report { data: to_value(&data), human: human(view), next: Vec::new() }
}

pub(in crate::commands) fn human(view: &View) -> String {
    let row = |capability: &Capability| {
        let gate = if capability.gate == HumanGate::None { "-" } else { capability.gate.as_str() };
        let status = Cell::state(capability.status.as_str());
        [capability.id.into(), status, capability.risk.as_str().into(), gate.into()]
    };
    let rows: Vec<[Cell; 4]> = CAPABILITIES.iter().map(row).collect();
    let count = |status| CAPABILITIES.iter().filter(|capability| capability.status == status).count();
    let [available, planned, advisory] = [Status::Available, Status::Planned, Status::Advisory].map(count);
    let table = view.table(["ID", "STATUS", "RISK", "HUMAN GATE"], &rows);
    format!("{table}\n{} capabilities: {available} available, {planned} planned, {advisory} advisory", rows.len())
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
