//! What was observed, put down in the order in which it is told.

use std::collections::BTreeMap;

use walwarden_contract::model::{
    SourceCheck, SourceCheckId as Check, SourceCheckReport, SourceCheckStatus as Status, SourceProvider,
};
use walwarden_contract::{ErrorCode, Timestamp};

/// Every check, in the order of the report.
const ALL: [Check; 19] = [
    Check::Provider,
    Check::Pooler,
    Check::ClientTools,
    Check::Reachability,
    Check::Tls,
    Check::Authentication,
    Check::Database,
    Check::ServerVersion,
    Check::Schemas,
    Check::Tables,
    Check::Sequences,
    Check::RowLevelSecurity,
    Check::LargeObjects,
    Check::UnloggedTables,
    Check::Extensions,
    Check::Size,
    Check::Roles,
    Check::Tablespaces,
    Check::IdleSessionTimeout,
];
/// How long a piece of evidence may be, in characters.
const EVIDENCE: usize = 1200;

/// The checks so far. What is noted first stays: an earlier finding says more than a later one.
pub(super) struct Notes {
    provider: SourceProvider,
    checks: BTreeMap<Check, SourceCheck>,
    /// Nothing was there to look with.
    without_tools: bool,
}

impl Notes {
    pub(super) const fn new(provider: SourceProvider) -> Self {
        Self { provider, checks: BTreeMap::new(), without_tools: false }
    }

    fn note(&mut self, id: Check, status: Status, code: Option<ErrorCode>, evidence: &str, remedy: Option<String>) {
        let check = SourceCheck {
            id: id.into(),
            status: status.into(),
            code: code.map(Into::into),
            evidence: plain(evidence),
            remediation: remedy,
        };
        self.checks.entry(id).or_insert(check);
    }

    pub(super) fn passed(&mut self, id: Check, evidence: impl AsRef<str>) {
        self.note(id, Status::Passed, None, evidence.as_ref(), None);
    }

    /// Passed, with something to know before a restore.
    pub(super) fn told(&mut self, id: Check, evidence: impl AsRef<str>, remedy: String) {
        self.note(id, Status::Passed, None, evidence.as_ref(), Some(remedy));
    }

    pub(super) fn warning(&mut self, id: Check, evidence: impl AsRef<str>, remedy: String) {
        self.note(id, Status::Warning, None, evidence.as_ref(), Some(remedy));
    }

    pub(super) fn failed(&mut self, id: Check, code: ErrorCode, evidence: impl AsRef<str>, remedy: String) {
        self.note(id, Status::Failed, Some(code), evidence.as_ref(), Some(remedy));
    }

    pub(super) fn skipped(&mut self, id: Check, because: impl AsRef<str>) {
        self.note(id, Status::Skipped, None, because.as_ref(), None);
    }

    pub(super) const fn without_tools(&mut self) {
        self.without_tools = true;
    }

    pub(super) const fn provider(&self) -> SourceProvider {
        self.provider
    }

    /// What the server says of itself counts where its name said nothing.
    pub(super) fn provided_by(&mut self, told: SourceProvider) {
        if self.provider == SourceProvider::Postgres {
            self.provider = told;
        }
    }

    pub(super) fn into_report(mut self, checked_at: Timestamp) -> SourceCheckReport {
        let because =
            if self.without_tools { "there is no psql to look with" } else { "there is no session to look in" };
        for id in ALL {
            self.skipped(id, format!("not looked at: {because}"));
        }
        let has = |status: Status| self.checks.values().any(|check| check.status == status);
        let result = if has(Status::Failed) {
            Status::Failed
        } else if self.without_tools {
            Status::Skipped
        } else if has(Status::Warning) {
            Status::Warning
        } else {
            Status::Passed
        };
        SourceCheckReport {
            database_id: None,
            provider: self.provider.into(),
            result: result.into(),
            checked_at,
            checks: self.checks.into_values().collect(),
        }
    }
}

/// What a server says may hold anything: no control characters, and not too much of it.
fn plain(text: &str) -> String {
    let characters = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    characters.take(EVIDENCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_report_is_that_of_its_kinds() {
        assert!(ALL.is_sorted());
    }

    #[test]
    fn what_a_server_says_cannot_write_to_a_terminal_or_fill_a_report() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a [2Jb c");
        assert_eq!(plain(&"x".repeat(5000)).len(), EVIDENCE);
    }
}
