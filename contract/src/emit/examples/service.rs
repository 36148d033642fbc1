//! Keys, readiness and tools.

use super::facts::{DAY, KEY_NAME, SERVER_VERSION, at, key, org};
use crate::capabilities::{MIN_CLIENT_VERSION, SURFACE_VERSION, catalog};
use crate::model::{
    ApiKeyDescription, CheckStatus, ClientKind, Component, Profile, QueueDepth, Readiness, ReadinessCheck, ToolCatalog,
};
use crate::open::Open;
use crate::operations::OPERATIONS;
use crate::scope::Scope;

const SCOPES: [Scope; 4] = [Scope::DatabasesRead, Scope::DestinationsRead, Scope::BackupsTrigger, Scope::EvidenceRead];

pub(super) fn profile() -> Profile {
    Profile {
        org_id: org(),
        org_name: "Shop".to_owned(),
        api_key_id: key(),
        api_key_name: KEY_NAME.to_owned(),
        client_kind: ClientKind::Service.into(),
        scopes: SCOPES.map(Open::Known).into(),
        expires_at: Some(at(90 * DAY)),
        server_version: SERVER_VERSION.to_owned(),
        surface_version: Some(SURFACE_VERSION.to_owned()),
        min_client_version: Some(MIN_CLIENT_VERSION.to_owned()),
    }
}

pub(super) fn api_key() -> ApiKeyDescription {
    let open = OPERATIONS.iter().filter(|operation| operation.open_to(&SCOPES));
    ApiKeyDescription {
        id: key(),
        org_id: org(),
        name: KEY_NAME.to_owned(),
        client_kind: ClientKind::Service.into(),
        scopes: SCOPES.map(Open::Known).into(),
        created_at: at(0),
        expires_at: Some(at(90 * DAY)),
        operations: open.map(|operation| operation.id.to_owned()).collect(),
    }
}

pub(super) fn readiness() -> Readiness {
    let check = |component, evidence: &str| ReadinessCheck {
        component,
        status: CheckStatus::Passed.into(),
        evidence: evidence.to_owned(),
    };
    Readiness {
        result: CheckStatus::Passed.into(),
        checked_at: at(0),
        server_version: SERVER_VERSION.to_owned(),
        checks: vec![
            check(Component::Store.into(), "It answered."),
            check(Component::Server.into(), "It takes requests."),
            check(Component::Worker.into(), "One was seen 3 seconds ago."),
            check(Component::Scheduler.into(), "It looked at the schedules 8 seconds ago."),
            check(Component::Audit.into(), "All 42 chains held on 2026-01-31T00:00:00.000Z."),
            check(
                Component::Checkpoints.into(),
                "The newest checkpoint has 210 leaves, and was signed at 2026-01-31T02:00:02.000Z.",
            ),
        ],
        queue: QueueDepth { queued: 1, running: 2, oldest_queued_at: Some(at(-5)) },
        overdue_databases: 0,
    }
}

pub(super) fn tools() -> ToolCatalog {
    let mut catalog = catalog(&[Scope::BackupsTrigger]);
    // One is enough to show the shape.
    catalog.tools.retain(|tool| tool.operation.operation_id == "triggerBackup");
    catalog
}
