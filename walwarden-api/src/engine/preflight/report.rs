//! What was observed, put down as it came.

use walwarden_contract::model::{CheckStatus, PreflightCheck, PreflightCheckId, PreflightReport};
use walwarden_contract::{DestinationId, ErrorCode, Timestamp};

use crate::engine::storage::{StorageError, StorageErrorKind};

/// Every check, in the order in which they run.
const ALL: [PreflightCheckId; 6] = [
    PreflightCheckId::PutObject,
    PreflightCheckId::GetObject,
    PreflightCheckId::HeadObject,
    PreflightCheckId::ObjectLock,
    PreflightCheckId::MultipartUpload,
    PreflightCheckId::Cleanup,
];

/// The checks so far.
#[derive(Default)]
pub(super) struct Notes {
    checks: Vec<PreflightCheck>,
    /// The bucket stopped answering: asking on would only take time.
    silent: bool,
}

/// What the destination's access key must be allowed for a check.
const fn permission(id: PreflightCheckId) -> &'static str {
    match id {
        PreflightCheckId::PutObject => "s3:PutObject",
        PreflightCheckId::GetObject | PreflightCheckId::HeadObject => "s3:GetObject",
        PreflightCheckId::ObjectLock => "s3:PutObject, s3:PutObjectRetention and s3:GetObjectRetention",
        PreflightCheckId::MultipartUpload => "s3:PutObject, s3:PutObjectRetention and s3:AbortMultipartUpload",
        PreflightCheckId::Cleanup => "s3:DeleteObject",
    }
}

fn remediation(id: PreflightCheckId, code: ErrorCode) -> String {
    if code == ErrorCode::DestinationAccessDenied {
        return format!(
            "Allow the destination's access key {} on org/* of the bucket, or correct the key.",
            permission(id)
        );
    }
    code.next_action().to_owned()
}

impl Notes {
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
        let code = error.code();
        self.checks.push(PreflightCheck {
            id: id.into(),
            status: CheckStatus::Failed.into(),
            code: Some(code.into()),
            evidence: error.message.clone(),
            remediation: Some(remediation(id, code)),
        });
    }

    /// Notes a check as skipped when the bucket stopped answering.
    pub(super) fn skipped(&mut self, id: PreflightCheckId) -> bool {
        if self.silent {
            self.not_looked_at(id, "the bucket stopped answering");
        }
        self.silent
    }

    pub(super) fn skip_the_rest(&mut self, because: &str) {
        for id in ALL.into_iter().skip(self.checks.len()) {
            self.not_looked_at(id, because);
        }
    }

    pub(super) fn into_report(self, destination_id: DestinationId, checked_at: Timestamp) -> PreflightReport {
        let failed = self.checks.iter().any(|check| check.status == CheckStatus::Failed);
        let result = if failed { CheckStatus::Failed } else { CheckStatus::Passed };
        PreflightReport { destination_id, result: result.into(), checked_at, checks: self.checks }
    }
}
