//! What was found, bounded: every finding is counted, and the first few of each code are kept.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use walwarden_contract::model::{
    InventoryFinding, InventoryFindingCode, InventorySeverity, ReconciliationReport, ReconciliationResult,
};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, Timestamp};

/// How many findings a report lists.
const LISTED: usize = 200;
/// How many of one code are listed, whatever else there is: a bucket that was emptied must not hide what else is wrong.
const RESERVED: usize = 10;
/// What every code may use beyond that.
const SHARED: usize = LISTED - RESERVED * InventoryFindingCode::ALL.len();

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
    shared: usize,
    /// What tells these findings from others, those that are not listed included.
    identity: Sha256,
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
        self.identity.update(format!(
            "{}\0{:?}\0{:?}\0{:?}\0{:?}\n",
            code.as_str(),
            about.database_id,
            about.destination_id,
            about.backup_job_id,
            about.key
        ));
        if *of_code > RESERVED {
            if self.shared == SHARED {
                return;
            }
            self.shared += 1;
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

    /// The same for the same findings, in whatever state they are listed.
    pub(super) fn identity(&self) -> String {
        hex::encode(self.identity.clone().finalize())
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
        // A bucket that was emptied, and then everything else that there is.
        let mut codes = [InventoryFindingCode::MissingArtifact, InventoryFindingCode::MissingManifest].repeat(2500);
        codes.extend(InventoryFindingCode::ALL.repeat(20));
        let report = report(&codes, false);
        assert_eq!((report.finding_count, report.findings.len()), (5260, LISTED));
        for code in InventoryFindingCode::ALL {
            let listed = report.findings.iter().filter(|finding| finding.code == code).count();
            assert!(listed >= RESERVED, "{}: {listed}", code.as_str());
        }
        assert_eq!(report.result, ReconciliationResult::Failed);
    }

    #[test]
    fn what_is_not_listed_tells_reports_apart_too() {
        let identity = |last: &str| {
            let mut findings = Findings::default();
            for index in 0..300 {
                let key = if index == 299 { last.to_owned() } else { index.to_string() };
                let about = About { key: Some(key), ..About::default() };
                findings.add(InventoryFindingCode::StrangerObject, about, String::new());
            }
            findings.identity()
        };
        assert_eq!(identity("a"), identity("a"));
        assert_ne!(identity("a"), identity("b"));
    }

    #[test]
    fn only_what_was_read_whole_and_agrees_is_clean() {
        assert_eq!(report(&[], false).result, ReconciliationResult::Clean);
        assert_eq!(report(&[], true).result, ReconciliationResult::Incomplete);
        assert_eq!(report(&[InventoryFindingCode::LeftoverUpload], false).result, ReconciliationResult::Attention);
        assert_eq!(report(&[InventoryFindingCode::LockMissing], true).result, ReconciliationResult::Failed);
    }
}
