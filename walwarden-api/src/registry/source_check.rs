//! Whether a source is taken: looked at before it is stored, and refused when a backup of it cannot work.

use walwarden_contract::model::{
    SourceCheck, SourceCheckMode, SourceCheckReport, SourceCheckStatus as Status, SourceCheckSummary,
};
use walwarden_contract::{ErrorBody, ErrorCode, OrgId};
use walwarden_sdk::postgres::Dsn;

use super::{Field, RegistryError};
use crate::engine::source_check::{SourceChecker, direct_hosts};
use crate::store::databases::Database;
use crate::store::{Result, Store};
use crate::system::System;

/// Looks at a source, or does not. A report that is `skipped` says that there was no tool to look with.
///
/// # Errors
/// [`RegistryError::Refused`] when a check failed. Without a look, [`RegistryError::Invalid`] for what is a transaction
/// pooler by its name.
pub async fn vet(
    checker: &SourceChecker,
    system: &System,
    dsn: &Dsn,
    mode: SourceCheckMode,
) -> Result<Option<SourceCheckReport>, RegistryError> {
    if mode == SourceCheckMode::Skip {
        return match direct_hosts(dsn).first() {
            Some((_, direct)) => Err(RegistryError::invalid(
                Field::Source,
                format!("goes through a transaction pooler, through which pg_dump cannot work: name {direct}"),
            )),
            None => Ok(None),
        };
    }
    let report = checker.run(system, dsn).await;
    if report.result == Status::Failed {
        return Err(RegistryError::Refused(Box::new(report)));
    }
    if report.result == Status::Skipped {
        tracing::warn!("a source is taken without a look at it: this process has no psql");
    }
    Ok(Some(report))
}

/// What is kept of a report; nothing when nothing was looked at.
#[must_use]
pub fn kept(report: Option<&SourceCheckReport>) -> Option<SourceCheckSummary> {
    report.filter(|report| report.result != Status::Skipped).map(SourceCheckReport::summary)
}

/// The checks that failed, then the warnings.
pub fn findings(report: &SourceCheckReport) -> impl Iterator<Item = &SourceCheck> {
    let with = |status: Status| report.checks.iter().filter(move |check| check.status == status);
    with(Status::Failed).chain(with(Status::Warning))
}

/// The refusal, with every finding.
#[must_use]
pub fn refusal(report: &SourceCheckReport) -> ErrorBody {
    let failed = report.checks.iter().filter(|check| check.status == Status::Failed);
    let told: Vec<String> = failed.map(|check| format!("{}: {}", check.id, check.evidence)).collect();
    let message = format!("The source cannot be backed up as it is. {}", told.join("; "));
    let mut error = ErrorBody::new(ErrorCode::SourceCheckFailed, message);
    error.findings = findings(report).cloned().collect();
    error
}

/// Looks at the source of a database that is registered, and keeps what was found.
///
/// # Errors
/// When the store fails. A source that was changed meanwhile keeps what was found of the new one.
pub async fn check(
    store: &Store,
    system: &System,
    checker: &SourceChecker,
    org_id: OrgId,
    database: &Database,
    dsn: &Dsn,
) -> Result<SourceCheckReport> {
    let mut report = checker.run(system, dsn).await;
    report.database_id = Some(database.id);
    if let Some(summary) = kept(Some(&report)) {
        store.record_source_check(org_id, database.id, &database.sealed_dsn, &summary).await?;
    }
    Ok(report)
}
