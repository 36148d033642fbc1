//! Objects: written once, and read back.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ObjectLockRetention;
use bytes::{Bytes, BytesMut};
use walwarden_contract::Timestamp;

use super::multipart::lock_to_aws;
use super::{Bucket, FoundEncryption, LockMode, StorageError, StorageErrorKind};

/// What the bucket says about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its length in bytes.
    pub size_bytes: u64,
    /// The bucket's entity tag for its bytes.
    pub etag: Option<String>,
    /// Which version it is, where the bucket has versions.
    pub version_id: Option<String>,
    /// How it is encrypted, where the bucket says so.
    pub encryption: FoundEncryption,
}

/// The lock on an object, as the bucket tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// `none`, `governance` or `compliance`.
    pub mode: LockMode,
    /// Until when.
    pub retain_until: Option<Timestamp>,
}

impl Retention {
    /// Whether this is the lock that was asked for, and holds at least as long. Buckets keep whole seconds.
    #[must_use]
    pub fn covers(&self, mode: LockMode, until: Timestamp) -> bool {
        let holds = self.retain_until.is_some_and(|found| found.as_millis() / 1000 >= until.as_millis() / 1000);
        self.mode == mode && holds
    }
}

impl Bucket {
    /// Looks at an object; `None` when there is none.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StorageError> {
        self.head_version(key, None).await
    }

    /// Looks at one version of an object, whatever stands in front of it; `None` when there is none.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn head_version(&self, key: &str, version: Option<&str>) -> Result<Option<ObjectHead>, StorageError> {
        let request = self.client.head_object().bucket(&self.name).key(key);
        let answer = request.set_version_id(version.map(str::to_owned)).send().await;
        match answer.map_err(StorageError::from) {
            Ok(head) => Ok(Some(ObjectHead {
                size_bytes: size(head.content_length),
                etag: head.e_tag,
                version_id: head.version_id,
                encryption: FoundEncryption::of(head.server_side_encryption, head.ssekms_key_id),
            })),
            Err(error) if error.kind == StorageErrorKind::ObjectMissing => Ok(None),
            // The answer to HEAD has no body: a clock that is wrong and a right that is missing look the same.
            Err(error) if error.kind == StorageErrorKind::AccessDenied => {
                let asked =
                    Box::pin(self.client.get_object().bucket(&self.name).key(key).range("bytes=0-0").send()).await;
                Err(asked.map_err(StorageError::from).err().unwrap_or(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads `length` bytes from `offset`, piece by piece; `piece` sees each as it comes.
    ///
    /// # Errors
    /// When the bucket refuses, or the bytes do not all come.
    pub async fn read_range(
        &self,
        key: &str,
        offset: u64,
        length: u64,
        mut piece: impl FnMut(&Bytes),
    ) -> Result<(), StorageError> {
        let range = format!("bytes={offset}-{}", offset + length - 1);
        let answer = self.client.get_object().bucket(&self.name).key(key).range(range).send().await?;
        let mut body = answer.body;
        let mut read = 0;
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| StorageError {
                kind: StorageErrorKind::Unreachable,
                message: format!("the bucket stopped in the middle of an object: {error}"),
            })?;
            read += bytes.len() as u64;
            piece(&bytes);
        }
        if read == length {
            return Ok(());
        }
        Err(StorageError {
            kind: StorageErrorKind::Other,
            message: format!("the bucket returned {read} bytes of a range of {length}"),
        })
    }

    /// Reads a small object whole; `None` when there is none.
    ///
    /// # Errors
    /// When the bucket refuses, or the object is larger than `limit`.
    pub async fn read_small(&self, key: &str, limit: usize) -> Result<Option<Bytes>, StorageError> {
        let answer = self.client.get_object().bucket(&self.name).key(key).send().await.map_err(StorageError::from);
        let mut body = match answer {
            Ok(answer) => answer.body,
            Err(error) if error.kind == StorageErrorKind::ObjectMissing => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut whole = BytesMut::new();
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| StorageError {
                kind: StorageErrorKind::Unreachable,
                message: format!("the bucket stopped in the middle of an object: {error}"),
            })?;
            if whole.len() + bytes.len() > limit {
                return Err(StorageError {
                    kind: StorageErrorKind::Other,
                    message: format!("the object is larger than {limit} bytes"),
                });
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(Some(whole.freeze()))
    }

    /// Writes an object where none is, and answers its version where the bucket has versions.
    ///
    /// # Errors
    /// [`StorageErrorKind::ObjectExists`] when there is one, or when the bucket refuses.
    pub async fn put_new(
        &self,
        key: &str,
        body: Bytes,
        content_type: &str,
        retain_until: Option<Timestamp>,
    ) -> Result<Option<String>, StorageError> {
        let request = |condition: Option<&str>| {
            self.client
                .put_object()
                .bucket(&self.name)
                .key(key)
                .content_type(content_type)
                .set_if_none_match(condition.map(str::to_owned))
                .set_checksum_algorithm(self.checksum_algorithm())
                .set_content_md5(self.content_md5(&body))
                .set_object_lock_mode(retain_until.and_then(|_| lock_to_aws(self.lock_mode)))
                .set_object_lock_retain_until_date(retain_until.map(|until| DateTime::from_millis(until.as_millis())))
                .set_server_side_encryption(self.encryption.header())
                .set_ssekms_key_id(self.encryption.key_header())
                .set_bucket_key_enabled(self.encryption.bucket_key_header())
                .body(ByteStream::from(body.clone()))
                .send()
        };
        match request(Some("*")).await.map_err(StorageError::from) {
            // The caller has looked: without conditional writes, that is all that can be done.
            Err(error) if error.kind == StorageErrorKind::NotImplemented => Ok(request(None).await?.version_id),
            written => Ok(written?.version_id),
        }
    }

    /// Reads the lock on an object.
    ///
    /// # Errors
    /// When the bucket refuses, or tells of a lock that is not understood.
    pub async fn retention(&self, key: &str) -> Result<Retention, StorageError> {
        if self.lock_mode == LockMode::None {
            return Ok(Retention { mode: LockMode::None, retain_until: None });
        }
        let answer = self.client.get_object_retention().bucket(&self.name).key(key).send().await?;
        let lock = answer.retention.ok_or_else(|| StorageError {
            kind: StorageErrorKind::LockRefused,
            message: "the object was to be locked, and the bucket tells of no lock on it".to_owned(),
        })?;
        read_lock(&lock)
    }

    /// Reads the lock on an object, or on one version of it, whatever the destination asks for. A server without locks has none,
    /// and neither has an object that is not there.
    ///
    /// # Errors
    /// When the bucket refuses, or tells of a lock that is not understood.
    pub async fn lock_on(&self, key: &str, version: Option<&str>) -> Result<Retention, StorageError> {
        const NONE: Retention = Retention { mode: LockMode::None, retain_until: None };
        let request = self.client.get_object_retention().bucket(&self.name).key(key);
        let answer = request.set_version_id(version.map(str::to_owned)).send().await;
        match answer.map_err(StorageError::from) {
            Ok(answer) => answer.retention.as_ref().map_or(Ok(NONE), read_lock),
            Err(error) => match error.kind {
                StorageErrorKind::LockRefused | StorageErrorKind::NotImplemented | StorageErrorKind::ObjectMissing => {
                    Ok(NONE)
                }
                _ => Err(error),
            },
        }
    }
}

fn read_lock(lock: &ObjectLockRetention) -> Result<Retention, StorageError> {
    let mode = match lock.mode.as_ref().map(aws_sdk_s3::types::ObjectLockRetentionMode::as_str) {
        Some("GOVERNANCE") => LockMode::Governance,
        Some("COMPLIANCE") => LockMode::Compliance,
        other => {
            return Err(StorageError {
                kind: StorageErrorKind::LockRefused,
                message: format!("the bucket tells of an unknown lock mode {other:?}"),
            });
        }
    };
    let retain_until = lock.retain_until_date.and_then(|until| until.to_millis().ok()).and_then(Timestamp::from_millis);
    Ok(Retention { mode, retain_until })
}

pub(super) fn size(content_length: Option<i64>) -> u64 {
    content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}
