//! Findings as they are gathered, and the error of the first that failed.

use walwarden_contract::model::cli::{EnvironmentCheck, EnvironmentFinding, EnvironmentStatus, FindingCode};
use walwarden_contract::{ErrorBody, ErrorCode};

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) all: Vec<EnvironmentFinding>,
    /// Why the command fails, when it does.
    pub(super) error: Option<Box<ErrorBody>>,
}

impl Findings {
    pub(super) fn passed(&mut self, check: EnvironmentCheck, code: FindingCode, evidence: impl Into<String>) {
        self.add(check, EnvironmentStatus::Passed, code, evidence.into(), None);
    }

    pub(super) fn warning(&mut self, check: EnvironmentCheck, code: FindingCode, evidence: impl Into<String>) {
        self.add(check, EnvironmentStatus::Warning, code, evidence.into(), None);
    }

    /// What could not be looked at, and why.
    pub(super) fn skipped(&mut self, checks: &[EnvironmentCheck], reason: &str) {
        for check in checks {
            self.add(*check, EnvironmentStatus::Skipped, FindingCode::NotChecked, reason.to_owned(), None);
        }
    }

    /// What stops the work.
    pub(super) fn failed(&mut self, check: EnvironmentCheck, code: FindingCode, evidence: impl Into<String>) {
        let evidence = evidence.into();
        let error = ErrorBody::new(code.error().unwrap_or(ErrorCode::ConfigInvalid), evidence.clone());
        self.failed_with(check, code, error);
    }

    /// What stops the work, as an error tells it already.
    pub(super) fn failed_with(&mut self, check: EnvironmentCheck, code: FindingCode, error: ErrorBody) {
        let (evidence, fix) = (error.message.clone(), error.next_action.clone());
        self.add(check, EnvironmentStatus::Failed, code, evidence, Some(fix));
        self.error.get_or_insert_with(|| Box::new(error));
    }

    /// What stops the work when it is asked for, and deserves attention when it is not.
    pub(super) fn failed_if(
        &mut self,
        wanted: bool,
        check: EnvironmentCheck,
        code: FindingCode,
        evidence: impl Into<String>,
    ) {
        if wanted { self.failed(check, code, evidence) } else { self.warning(check, code, evidence) }
    }

    pub(super) fn result(&self) -> EnvironmentStatus {
        let worst = self.all.iter().map(|finding| finding.status).max();
        worst.filter(|status| *status >= EnvironmentStatus::Warning).unwrap_or(EnvironmentStatus::Passed)
    }

    fn add(
        &mut self,
        check: EnvironmentCheck,
        status: EnvironmentStatus,
        code: FindingCode,
        evidence: String,
        fix: Option<String>,
    ) {
        let fix = code.fix().map(str::to_owned).or(fix);
        self.all.push(EnvironmentFinding { check, status, code, evidence, fix });
    }
}
