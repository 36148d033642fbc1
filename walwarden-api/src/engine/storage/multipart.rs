//! Multipart uploads: begun, filled part by part, and completed or aborted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ObjectLockMode};
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use bytes::Bytes;
use walwarden_contract::Timestamp;

use super::{Bucket, CONNECT_TIMEOUT, FoundEncryption, LockMode, StorageError, StorageErrorKind};

/// How long one attempt to send a part may take: 16 MiB at 19 KB/s. One that stands still ends sooner.
const PART_TIMEOUT: Duration = Duration::from_mins(15);
/// How long a bucket may take to put a whole object together.
const COMPLETE_TIMEOUT: Duration = Duration::from_mins(10);

/// A longer time than other requests have. Somebody who waits still waits no longer than the operation's own time.
fn patience(attempt: Duration) -> Builder {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(attempt);
    Builder::default().timeout_config(timeouts.build())
}

/// A multipart upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key that the object will have.
    pub key: String,
    /// The bucket's name for the upload.
    pub id: String,
}

/// Counts how often a request is sent.
#[derive(Debug, Clone, Default)]
pub struct Sends(Arc<AtomicU32>);

impl Sends {
    /// How often it was sent again.
    #[must_use]
    pub fn again(&self) -> u32 {
        self.0.load(Ordering::Relaxed).saturating_sub(1)
    }
}

impl Intercept for Sends {
    fn name(&self) -> &'static str {
        "Sends"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A part that the bucket has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPart {
    /// From 1.
    pub number: i32,
    /// The bucket's entity tag for it.
    pub etag: String,
    /// Its CRC-32 in Base64, as the bucket acknowledged it; none where the destination has no such checksums.
    pub crc32: Option<String>,
}

pub(super) const fn lock_to_aws(mode: LockMode) -> Option<ObjectLockMode> {
    match mode {
        LockMode::None => None,
        LockMode::Governance => Some(ObjectLockMode::Governance),
        LockMode::Compliance => Some(ObjectLockMode::Compliance),
    }
}

impl Bucket {
    /// Begins an upload whose object will be locked until `retain_until`.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn begin_upload(&self, key: &str, retain_until: Option<Timestamp>) -> Result<Upload, StorageError> {
        let answer = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .content_type("application/vnd.postgresql.dump")
            // Without it, Amazon takes parts with checksums and then does not find them when they are put together.
            .set_checksum_algorithm(self.checksum_algorithm())
            .set_object_lock_mode(retain_until.and_then(|_| lock_to_aws(self.lock_mode)))
            .set_object_lock_retain_until_date(retain_until.map(|until| DateTime::from_millis(until.as_millis())))
            .set_server_side_encryption(self.encryption.header())
            .set_ssekms_key_id(self.encryption.key_header())
            .set_bucket_key_enabled(self.encryption.bucket_key_header())
            .send()
            .await;
        let answer = match answer.map_err(StorageError::from) {
            Ok(answer) => answer,
            // What is unheard of stays so; any other failure may pass, and is tried again.
            Err(error) if error.kind == StorageErrorKind::NotImplemented => {
                return Err(self.explain_encryption(key, error).await);
            }
            Err(error) => return Err(self.explain(error, retain_until.is_some()).await),
        };
        let id = answer.upload_id.ok_or_else(|| StorageError {
            kind: StorageErrorKind::Other,
            message: "the bucket began an upload without naming it".to_owned(),
        })?;
        let upload = Upload { key: key.to_owned(), id };
        let found = FoundEncryption::of(answer.server_side_encryption, answer.ssekms_key_id);
        if let Err(error) = self.encryption.not_contradicted_by(&found) {
            if let Err(left) = self.abort_upload(&upload).await {
                tracing::warn!(error = %left, "cannot abort an upload that is encrypted otherwise; the sweep will");
            }
            return Err(error);
        }
        Ok(upload)
    }

    /// Says more about a refusal that could mean anything: some servers answer a bare 400 or 403 where the bucket is missing, and
    /// a bare 400 where it cannot lock objects.
    pub(super) async fn explain(&self, error: StorageError, to_be_locked: bool) -> StorageError {
        let refused = matches!(error.kind, StorageErrorKind::Refused | StorageErrorKind::Other);
        if !refused && error.kind != StorageErrorKind::AccessDenied {
            return error;
        }
        let because = |kind, reason: &str| StorageError { kind, message: format!("{reason}; {}", error.message) };
        let looked = self.client.head_bucket().bucket(&self.name).send().await.map_err(StorageError::from);
        if looked.is_err_and(|refusal| refusal.kind.is_missing()) {
            return because(StorageErrorKind::BucketMissing, "there is no such bucket");
        }
        if !refused || !to_be_locked {
            return error;
        }
        let looked = self.client.get_object_lock_configuration().bucket(&self.name).send().await;
        let locks = match looked.map_err(StorageError::from) {
            Ok(answer) => answer.object_lock_configuration.is_some_and(|lock| lock.object_lock_enabled.is_some()),
            Err(refusal) => refusal.kind != StorageErrorKind::LockRefused && !refusal.kind.is_missing(),
        };
        if locks { error } else { because(StorageErrorKind::LockRefused, "the bucket has no Object Lock") }
    }

    /// Sends one part, and counts how often.
    ///
    /// # Errors
    /// When the bucket refuses, after the client's own retries.
    pub async fn upload_part(
        &self,
        upload: &Upload,
        number: i32,
        body: Bytes,
        sends: &Sends,
    ) -> Result<UploadedPart, StorageError> {
        let answer = self
            .client
            .upload_part()
            .bucket(&self.name)
            .key(&upload.key)
            .upload_id(&upload.id)
            .part_number(number)
            .set_checksum_algorithm(self.checksum_algorithm())
            .set_content_md5(self.content_md5(&body))
            .body(ByteStream::from(body))
            .customize()
            .config_override(patience(PART_TIMEOUT))
            .interceptor(sends.clone())
            .send()
            .await?;
        let etag = answer.e_tag.ok_or_else(|| StorageError {
            kind: StorageErrorKind::Other,
            message: format!("the bucket took part {number} without an entity tag"),
        })?;
        Ok(UploadedPart { number, etag, crc32: answer.checksum_crc32 })
    }

    /// Makes the object appear under its key, unless one is there. An answer can be lost: look before deciding.
    ///
    /// # Errors
    /// When the bucket refuses, or did not answer.
    pub async fn complete_upload(&self, upload: &Upload, parts: Vec<UploadedPart>) -> Result<(), StorageError> {
        let parts = parts.into_iter().map(|UploadedPart { number, etag, crc32 }| {
            CompletedPart::builder().part_number(number).e_tag(etag).set_checksum_crc32(crc32).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(&upload.key).upload_id(&upload.id);
        let request = request.multipart_upload(parts);
        let patient = patience(COMPLETE_TIMEOUT);
        let conditional = request.clone().if_none_match("*").customize().config_override(patient.clone());
        match conditional.send().await.map_err(StorageError::from) {
            // The caller has looked: without conditional writes, that is all that can be done.
            Err(error) if error.kind == StorageErrorKind::NotImplemented => {
                request.customize().config_override(patient).send().await?;
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// Gives an upload up; the bucket forgets its parts. Answers whether it was there: one that is gone is no failure.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn abort_upload(&self, upload: &Upload) -> Result<bool, StorageError> {
        let answer = self
            .client
            .abort_multipart_upload()
            .bucket(&self.name)
            .key(&upload.key)
            .upload_id(&upload.id)
            .send()
            .await
            .map_err(StorageError::from);
        match answer {
            Err(error)
                if error.kind != StorageErrorKind::UploadMissing && error.kind != StorageErrorKind::ObjectMissing =>
            {
                Err(error)
            }
            Err(_) => Ok(false),
            Ok(_) => {
                crate::telemetry::upload_aborted();
                Ok(true)
            }
        }
    }

    /// Gives up every upload to this key that an earlier attempt may have left, and answers how many there were.
    ///
    /// # Errors
    /// When the bucket refuses. A bucket that cannot list uploads has none that could be found.
    pub async fn abort_uploads_to(&self, key: &str) -> Result<usize, StorageError> {
        let listed = self.client.list_multipart_uploads().bucket(&self.name).prefix(key).send().await;
        let uploads = match listed.map_err(StorageError::from) {
            Ok(answer) => answer.uploads.unwrap_or_default(),
            Err(error) if error.kind == StorageErrorKind::NotImplemented => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut aborted = 0;
        for upload in uploads.into_iter().filter(|upload| upload.key.as_deref() == Some(key)) {
            if let Some(id) = upload.upload_id {
                aborted += usize::from(self.abort_upload(&Upload { key: key.to_owned(), id }).await?);
            }
        }
        Ok(aborted)
    }
}
