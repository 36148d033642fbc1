//! Trying a bucket out: a small object written and deleted again.

use bytes::Bytes;
use walwarden_contract::Timestamp;

use super::{Bucket, StorageError};

impl Bucket {
    /// Writes a probe, locked until `retain_until`, and answers its version where the bucket has versions. A refusal says as
    /// much as can be found out about it.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn put_probe(
        &self,
        key: &str,
        body: Bytes,
        retain_until: Option<Timestamp>,
    ) -> Result<Option<String>, StorageError> {
        match self.put_new(key, body, "application/octet-stream", retain_until).await {
            Err(error) => {
                let error = self.explain_encryption(key, error).await;
                Err(self.explain(error, retain_until.is_some()).await)
            }
            written => written,
        }
    }

    /// Deletes a probe for good: without its version, a bucket with versions would only hide it.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn delete_probe(&self, key: &str, version: Option<String>) -> Result<(), StorageError> {
        self.client.delete_object().bucket(&self.name).key(key).set_version_id(version).send().await?;
        Ok(())
    }
}
