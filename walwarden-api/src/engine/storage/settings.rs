//! What a bucket tells of its own settings.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::ObjectLockEnabled;

use super::{Bucket, LockMode, StorageError, StorageErrorKind, Upload};

/// The header in which a bucket names its region, also where it refuses because of it.
const REGION: &str = "x-amz-bucket-region";

/// How a bucket locks what is written without a lock of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRetention {
    /// The mode; `None` for one that is not understood.
    pub mode: Option<LockMode>,
    /// For how long, in words.
    pub period: String,
}

/// Which kinds of public access a bucket blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAccessBlock {
    /// Each of the four, by the name that the provider gives it.
    pub settings: [(&'static str, bool); 4],
}

/// A setting that is not there is an answer.
fn found<T>(answer: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == StorageErrorKind::ObjectMissing => Ok(None),
        Err(error) => Err(error),
    }
}

impl Bucket {
    /// Looks whether the bucket is there, and answers the region that it names; some servers name none.
    ///
    /// # Errors
    /// When the bucket refuses, is in another region, or is not there.
    pub async fn look(&self) -> Result<Option<String>, StorageError> {
        let error = match self.client.head_bucket().bucket(&self.name).send().await {
            Ok(answer) => return Ok(answer.bucket_region),
            Err(error) => error,
        };
        let elsewhere = match &error {
            SdkError::ServiceError(service) => service.raw().headers().get(REGION).map(str::to_owned),
            _ => None,
        };
        let error = StorageError::from(error);
        Err(match elsewhere {
            Some(region) if region != self.region => StorageError {
                kind: StorageErrorKind::Unsupported,
                message: format!("the bucket is in the region {region}, and the destination names {}", self.region),
            },
            _ if error.kind == StorageErrorKind::ObjectMissing => StorageError {
                kind: StorageErrorKind::BucketMissing,
                message: format!("there is no such bucket; {}", error.message),
            },
            _ => error,
        })
    }

    /// Whether the bucket can lock objects, and how it locks those that are written without a lock.
    ///
    /// # Errors
    /// [`StorageErrorKind::LockRefused`] where the bucket has no Object Lock, or when it refuses to tell.
    pub async fn default_retention(&self) -> Result<Option<DefaultRetention>, StorageError> {
        let none = || StorageError {
            kind: StorageErrorKind::LockRefused,
            message: "the bucket has no Object Lock".to_owned(),
        };
        let asked = self.client.get_object_lock_configuration().bucket(&self.name).send().await;
        let answer = found(asked.map_err(StorageError::from))?.ok_or_else(none)?;
        let lock = answer.object_lock_configuration.ok_or_else(none)?;
        if lock.object_lock_enabled != Some(ObjectLockEnabled::Enabled) {
            return Err(none());
        }
        Ok(lock.rule.and_then(|rule| rule.default_retention).map(|retention| {
            let mode = match retention.mode.as_ref().map(aws_sdk_s3::types::ObjectLockRetentionMode::as_str) {
                Some("GOVERNANCE") => Some(LockMode::Governance),
                Some("COMPLIANCE") => Some(LockMode::Compliance),
                _ => None,
            };
            let period = match (retention.days, retention.years) {
                (Some(days), _) => format!("{days} days"),
                (None, Some(years)) => format!("{years} years"),
                (None, None) => "no time".to_owned(),
            };
            DefaultRetention { mode, period }
        }))
    }

    /// Whether the bucket keeps versions, in its own word; `None` where it never did.
    ///
    /// # Errors
    /// When the bucket refuses to tell.
    pub async fn versioning(&self) -> Result<Option<String>, StorageError> {
        let answer = self.client.get_bucket_versioning().bucket(&self.name).send().await?;
        Ok(answer.status.map(|status| status.as_str().to_owned()))
    }

    /// Which public access the bucket blocks; `None` where it blocks none.
    ///
    /// # Errors
    /// When the bucket refuses to tell.
    pub async fn public_access_block(&self) -> Result<Option<PublicAccessBlock>, StorageError> {
        let asked = self.client.get_public_access_block().bucket(&self.name).send().await;
        let block = found(asked.map_err(StorageError::from))?.and_then(|it| it.public_access_block_configuration);
        Ok(block.map(|block| PublicAccessBlock {
            settings: [
                ("BlockPublicAcls", block.block_public_acls == Some(true)),
                ("IgnorePublicAcls", block.ignore_public_acls == Some(true)),
                ("BlockPublicPolicy", block.block_public_policy == Some(true)),
                ("RestrictPublicBuckets", block.restrict_public_buckets == Some(true)),
            ],
        }))
    }

    /// The bucket's policy, as JSON; `None` where it has none.
    ///
    /// # Errors
    /// When the bucket refuses to tell.
    pub async fn policy(&self) -> Result<Option<String>, StorageError> {
        let asked = self.client.get_bucket_policy().bucket(&self.name).send().await;
        Ok(found(asked.map_err(StorageError::from))?.and_then(|answer| answer.policy))
    }

    /// How the bucket encrypts what is written without a word about it; `None` where it does not.
    ///
    /// # Errors
    /// When the bucket refuses to tell.
    pub async fn default_encryption(&self) -> Result<Option<String>, StorageError> {
        let asked = self.client.get_bucket_encryption().bucket(&self.name).send().await;
        let answer = found(asked.map_err(StorageError::from))?;
        let rules = answer.and_then(|it| it.server_side_encryption_configuration).map(|it| it.rules);
        let by_default = rules.into_iter().flatten().find_map(|rule| rule.apply_server_side_encryption_by_default);
        Ok(by_default.map(|by_default| by_default.sse_algorithm.as_str().to_owned()))
    }

    /// Whether somebody without any credentials can read an object.
    ///
    /// # Errors
    /// When the bucket did not answer, or something else than yes or no.
    pub async fn is_public(&self, key: &str) -> Result<bool, StorageError> {
        let nobody = aws_sdk_s3::Client::from_conf(self.unsigned.clone().allow_no_auth().build());
        match nobody.get_object().bucket(&self.name).key(key).send().await.map_err(StorageError::from) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == StorageErrorKind::AccessDenied => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the bucket lists an upload as under way.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn lists(&self, upload: &Upload) -> Result<bool, StorageError> {
        let listed = self.client.list_multipart_uploads().bucket(&self.name).prefix(&upload.key).send().await?;
        Ok(listed.uploads().iter().any(|listed| listed.upload_id() == Some(&upload.id)))
    }
}
