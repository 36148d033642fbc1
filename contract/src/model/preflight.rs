//! Preflight: what was tried out on a destination, and how it ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::id::DestinationId;
use crate::open::Open;
use crate::time::Timestamp;

/// What preflight looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreflightCheckId {
    /// The destination's role can be assumed under its external id, and not without it. Only where there is a role.
    AssumeRole,
    /// The bucket is there, in the destination's region.
    Bucket,
    /// A probe object can be written.
    PutObject,
    /// It can be read back and holds what was written.
    GetObject,
    /// Its length and metadata can be read.
    HeadObject,
    /// The bucket locks objects, and by default in no other mode than the destination's.
    ObjectLockConfiguration,
    /// It carries the lock that the destination asks for, as read back.
    ObjectLock,
    /// The bucket keeps versions, which its locks need.
    Versioning,
    /// The bucket is not open to the public: Amazon blocks all four kinds of access, elsewhere a stranger cannot read the probe.
    PublicAccessBlock,
    /// The bucket's policy refuses plain HTTP.
    TlsOnly,
    /// The probe is encrypted as the destination asks; where it asks for nothing, the bucket encrypts by default.
    DefaultEncryption,
    /// A multipart upload can be begun, listed and aborted.
    MultipartUpload,
    /// The probe object can be deleted, or is reported when its lock holds it.
    Cleanup,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It holds, as observed.
    Passed,
    /// It does not hold.
    Failed,
    /// This provider does not let it be observed.
    NotVerifiable,
    /// It was not looked at, because it does not apply or an earlier check failed.
    Skipped,
}

/// One thing that preflight looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreflightCheck {
    /// What was looked at.
    pub id: Open<PreflightCheckId>,
    /// How it ended.
    pub status: Open<CheckStatus>,
    /// Why it failed.
    pub code: Option<Open<ErrorCode>>,
    /// What was observed.
    pub evidence: String,
    /// What to do about a failure.
    pub remediation: Option<String>,
}

/// What preflight found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreflightReport {
    /// The destination.
    pub destination_id: DestinationId,
    /// `failed` when any check failed, otherwise `passed`.
    pub result: Open<CheckStatus>,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// Every check, in the order in which it ran.
    pub checks: Vec<PreflightCheck>,
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedCheck {
    /// What was looked at.
    pub id: Open<PreflightCheckId>,
    /// Why it failed.
    pub code: Open<ErrorCode>,
}

/// A preflight in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreflightSummary {
    /// When the destination was looked at.
    pub checked_at: Timestamp,
    /// The checks that failed, in the order in which they ran.
    pub failed: Vec<FailedCheck>,
}

impl PreflightReport {
    /// The report in short.
    #[must_use]
    pub fn summary(&self) -> PreflightSummary {
        let failed = self.checks.iter().filter(|check| check.status == CheckStatus::Failed);
        let failed = failed.filter_map(|check| Some(FailedCheck { id: check.id.clone(), code: check.code.clone()? }));
        PreflightSummary { checked_at: self.checked_at, failed: failed.collect() }
    }
}
