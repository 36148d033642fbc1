//! What was found, bounded: every finding is counted, and the first few of each code are kept.

use std::collections::HashMap;

use walwarden_contract::model::{
    InventoryFinding, InventoryFindingCode, InventorySeverity, ReconciliationReport, ReconciliationResult,
};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, Timestamp};

/// How many findings a report lists.
const LISTED: usize = 200;
/// How many of one code: a bucket that was emptied must not hide what else is wrong.
const LISTED_OF_A_CODE: usize = 100;

/// What a finding is about.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) database_id: Option<DatabaseId>,
    pub(super) destination_id: Option<DestinationId>,
    pub(super) backup_job_id: Option<BackupJobId>,
    pub(super) key: Option<String>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<InventoryFinding>,
    of_code: HashMap<InventoryFindingCode, usize>,
    count: u64,
    critical: u64,
    pub(super) schedules: u64,
    pub(super) backups: u64,
    pub(super) objects: u64,
}

impl Findings {
    pub(super) fn add(&mut self, code: InventoryFindingCode, about: About, evidence: String) {
        self.count += 1;
        self.critical += u64::from(code.severity() == InventorySeverity::Critical);
        let of_code = self.of_code.entry(code).or_default();
        *of_code += 1;
        if *of_code > LISTED_OF_A_CODE || self.listed.len() >= LISTED {
            return;
        }
        self.listed.push(InventoryFinding {
            code: code.into(),
            severity: code.severity().into(),
            database_id: about.database_id,
            destination_id: about.destination_id,
            backup_job_id: about.backup_job_id,
            key: about.key,
            evidence,
            remedy: code.remedy().to_owned(),
        });
    }

    pub(super) fn report(
        self,
        started_at: Timestamp,
        finished_at: Timestamp,
        deep: bool,
        incomplete: bool,
    ) -> ReconciliationReport {
        let result = match (self.critical, incomplete, self.count) {
            (1.., _, _) => ReconciliationResult::Failed,
            (0, true, _) => ReconciliationResult::Incomplete,
            (0, false, 1..) => ReconciliationResult::Attention,
            (0, false, 0) => ReconciliationResult::Clean,
        };
        ReconciliationReport {
            result: result.into(),
            started_at,
            finished_at,
            deep,
            schedules: self.schedules,
            backups: self.backups,
            objects: self.objects,
            finding_count: self.count,
            critical_count: self.critical,
            findings: self.listed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(codes: &[InventoryFindingCode], incomplete: bool) -> ReconciliationReport {
        let mut findings = Findings::default();
        for code in codes {
            findings.add(*code, About::default(), String::new());
        }
        let at = Timestamp::from_millis(0).expect("in range");
        findings.report(at, at, false, incomplete)
    }

    #[test]
    fn every_finding_is_counted_and_no_code_hides_another() {
        let mut codes = vec![InventoryFindingCode::StrangerObject; 5000];
        codes.push(InventoryFindingCode::MissingArtifact);
        let report = report(&codes, false);
        assert_eq!((report.finding_count, report.critical_count, report.findings.len()), (5001, 1, 101));
        assert_eq!(report.result, ReconciliationResult::Failed);
    }

    #[test]
    fn only_what_was_read_whole_and_agrees_is_clean() {
        assert_eq!(report(&[], false).result, ReconciliationResult::Clean);
        assert_eq!(report(&[], true).result, ReconciliationResult::Incomplete);
        assert_eq!(report(&[InventoryFindingCode::LeftoverUpload], false).result, ReconciliationResult::Attention);
        assert_eq!(report(&[InventoryFindingCode::LockMissing], true).result, ReconciliationResult::Failed);
    }
}
