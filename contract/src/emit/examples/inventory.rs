//! The inventory.

use super::evidence::manifest_artifact;
use super::facts::{DAY, at, backup, database, destination};
use crate::model::{InventoryFinding, InventoryFindingCode, ReconciliationReport, ReconciliationResult};

pub(super) fn clean() -> ReconciliationReport {
    ReconciliationReport {
        result: ReconciliationResult::Clean.into(),
        started_at: at(DAY),
        finished_at: at(DAY + 4),
        deep: false,
        schedules: 1,
        backups: 1,
        objects: 2,
        finding_count: 0,
        critical_count: 0,
        findings: Vec::new(),
    }
}

pub(super) fn failed() -> ReconciliationReport {
    let code = InventoryFindingCode::MissingArtifact;
    let finding = InventoryFinding {
        code: code.into(),
        severity: code.severity().into(),
        database_id: Some(database()),
        destination_id: Some(destination()),
        backup_job_id: Some(backup()),
        key: Some(manifest_artifact().key),
        evidence: "The bucket has no such object.".to_owned(),
        remedy: code.remedy().to_owned(),
    };
    ReconciliationReport {
        result: ReconciliationResult::Failed.into(),
        objects: 1,
        finding_count: 1,
        critical_count: 1,
        findings: vec![finding],
        ..clean()
    }
}
