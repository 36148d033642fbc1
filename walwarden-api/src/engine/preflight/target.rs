//! The bucket that is looked at or written policies for, as those need to name it.

use walwarden_contract::model::{Encryption, LockMode, Provider};
use walwarden_contract::{DestinationId, OrgId};

use crate::store::destinations::{Destination, Role};

/// A destination's names.
#[derive(Debug, Clone)]
pub struct Target {
    /// The destination.
    pub id: DestinationId,
    /// Whose it is: every key begins with it.
    pub org_id: OrgId,
    /// What serves the bucket.
    pub provider: Provider,
    /// Its endpoint, where the region does not say it.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// The role that is assumed, where there is one.
    pub role: Option<Role>,
    /// How artifacts are locked.
    pub lock_mode: LockMode,
    /// For how many days.
    pub retention_days: u32,
    /// What the bucket is asked to encrypt objects with.
    pub encryption: Encryption,
    /// The key of that, as the owner named it.
    pub kms_key_id: Option<String>,
    /// Whether a database is to have its old backups deleted from it.
    pub expires: bool,
}

impl Target {
    /// A destination's names. One of a provider that is not known is spoken to as what it can be at least.
    #[must_use]
    pub fn of(destination: &Destination) -> Self {
        Self {
            id: destination.id,
            org_id: destination.org_id,
            provider: destination.provider.parse().unwrap_or(Provider::S3Compatible),
            endpoint: destination.endpoint.clone(),
            region: destination.region.clone(),
            bucket: destination.bucket.clone(),
            role: destination.role.clone(),
            lock_mode: destination.lock_mode.parse().unwrap_or(LockMode::None),
            retention_days: destination.retention_days,
            encryption: destination.encryption.parse().unwrap_or(Encryption::None),
            kms_key_id: destination.kms_key_id.clone(),
            expires: false,
        }
    }

    /// The same for a destination from which old backups are to be deleted, or none.
    #[must_use]
    pub fn expiring(self, expires: bool) -> Self {
        Self { expires, ..self }
    }

    /// Whether artifacts are locked one by one.
    #[must_use]
    pub fn locks(&self) -> bool {
        self.lock_mode != LockMode::None
    }

    /// Amazon's Resource Name of the bucket; other providers that have such names use `aws` too.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition(), self.bucket)
    }

    /// The partition of Amazon's cloud that the bucket is in.
    pub(super) fn partition(&self) -> &'static str {
        let amazon = self.provider == Provider::Aws;
        if amazon && self.region.starts_with("cn-") {
            "aws-cn"
        } else if amazon && self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }

    /// How `aws` is told where the bucket is.
    pub(super) fn aws_options(&self) -> String {
        let endpoint = self.endpoint.as_ref().map(|endpoint| format!(" --endpoint-url {endpoint}")).unwrap_or_default();
        format!("--bucket {} --region {}{endpoint}", self.bucket, self.region)
    }
}
