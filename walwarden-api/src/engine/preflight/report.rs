//! What was observed, put down as it came.

use walwarden_contract::model::{CheckStatus, PreflightCheck, PreflightCheckId, PreflightReport};
use walwarden_contract::{ErrorCode, Timestamp};

use super::remedies;
use super::settings::{Telling, telling};
use super::target::Target;
use crate::engine::storage::{StorageError, StorageErrorKind};

/// Every check, in the order in which they run.
pub(super) const ALL: [PreflightCheckId; 13] = [
    PreflightCheckId::AssumeRole,
    PreflightCheckId::Bucket,
    PreflightCheckId::PutObject,
    PreflightCheckId::GetObject,
    PreflightCheckId::HeadObject,
    PreflightCheckId::ObjectLockConfiguration,
    PreflightCheckId::ObjectLock,
    PreflightCheckId::Versioning,
    PreflightCheckId::PublicAccessBlock,
    PreflightCheckId::TlsOnly,
    PreflightCheckId::DefaultEncryption,
    PreflightCheckId::MultipartUpload,
    PreflightCheckId::Cleanup,
];

/// What a setting that the bucket told of means.
pub(super) enum Verdict {
    /// It is as it should be.
    Good(String),
    /// It is not.
    Bad(StorageError),
    /// It says neither.
    Unclear(String),
}

/// The checks so far.
pub(super) struct Notes {
    target: Target,
    checks: Vec<PreflightCheck>,
    /// The bucket stopped answering: asking on would only take time.
    silent: bool,
}

impl Notes {
    pub(super) fn new(target: Target) -> Self {
        Self { target, checks: Vec::with_capacity(ALL.len()), silent: false }
    }

    fn note(&mut self, id: PreflightCheckId, status: CheckStatus, evidence: String) {
        self.checks.push(PreflightCheck {
            id: id.into(),
            status: status.into(),
            code: None,
            evidence,
            remediation: None,
        });
    }

    pub(super) fn passed(&mut self, id: PreflightCheckId, evidence: String) {
        self.note(id, CheckStatus::Passed, evidence);
    }

    pub(super) fn not_verifiable(&mut self, id: PreflightCheckId, evidence: String) {
        self.note(id, CheckStatus::NotVerifiable, evidence);
    }

    pub(super) fn not_looked_at(&mut self, id: PreflightCheckId, because: &str) {
        self.note(id, CheckStatus::Skipped, format!("not looked at: {because}"));
    }

    pub(super) fn failed(&mut self, id: PreflightCheckId, error: &StorageError) {
        self.silent |= error.kind == StorageErrorKind::Unreachable;
        self.checks.push(PreflightCheck {
            id: id.into(),
            status: CheckStatus::Failed.into(),
            code: Some(code_of(error).into()),
            evidence: error.message.clone(),
            remediation: Some(remedies::remedy(id, error, &self.target)),
        });
    }

    /// Notes what the provider cannot tell, with how to look at it.
    pub(super) fn look_yourself(&mut self, id: PreflightCheckId, because: &str, how: String) {
        self.not_verifiable(id, because.to_owned());
        if let Some(check) = self.checks.last_mut() {
            check.remediation = Some(how);
        }
    }

    /// Notes what was told of a setting. A server that has no answer does not fail for it, unless its provider has to have one.
    pub(super) fn told(&mut self, id: PreflightCheckId, told: Result<Verdict, StorageError>) {
        let must = telling(self.target.provider, id) == Telling::Must;
        match told {
            Ok(Verdict::Good(evidence)) => self.passed(id, evidence),
            Ok(Verdict::Bad(error)) => self.failed(id, &error),
            Ok(Verdict::Unclear(evidence)) => self.not_verifiable(id, evidence),
            Err(error) if must || is_an_answer(error.kind) => self.failed(id, &error),
            Err(error) => self.not_verifiable(id, error.message),
        }
    }

    /// Whether any check failed in this way.
    pub(super) fn has_failed_with(&self, code: ErrorCode) -> bool {
        self.checks.iter().any(|check| check.code == Some(code.into()))
    }

    pub(super) const fn is_silent(&self) -> bool {
        self.silent
    }

    /// Notes a check as skipped when the bucket stopped answering.
    pub(super) fn skipped(&mut self, id: PreflightCheckId) -> bool {
        if self.silent {
            self.not_looked_at(id, "the bucket stopped answering");
        }
        self.silent
    }

    pub(super) fn skip_the_rest(&mut self, because: &str) {
        // Without a role, the first of all checks is not among those that run.
        let first = usize::from(self.target.role.is_none());
        for id in ALL.into_iter().skip(first + self.checks.len()) {
            self.not_looked_at(id, because);
        }
    }

    pub(super) fn into_report(self, checked_at: Timestamp) -> PreflightReport {
        let failed = self.checks.iter().any(|check| check.status == CheckStatus::Failed);
        let result = if failed { CheckStatus::Failed } else { CheckStatus::Passed };
        PreflightReport { destination_id: self.target.id, result: result.into(), checked_at, checks: self.checks }
    }
}

/// A backup tries again what the server refuses for no reason that we know; a destination where it does so is not ready.
const fn code_of(error: &StorageError) -> ErrorCode {
    match error.kind {
        StorageErrorKind::Refused | StorageErrorKind::NotImplemented => ErrorCode::DestinationNotReady,
        _ => error.code(),
    }
}

/// Whether a refusal says something about the setting, and not about the server's way with the question.
const fn is_an_answer(kind: StorageErrorKind) -> bool {
    matches!(
        kind,
        StorageErrorKind::Unreachable
            | StorageErrorKind::BucketMissing
            | StorageErrorKind::LockRefused
            | StorageErrorKind::EncryptionRefused
            | StorageErrorKind::Key(_)
            | StorageErrorKind::Unsupported
    )
}
