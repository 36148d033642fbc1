//! Deleting what was written once, for good. Never past a lock: no request asks the bucket to bypass one.

use super::{Bucket, StorageError};

impl Bucket {
    /// Deletes one version of an object; without a version, a bucket that has versions would only hide the object.
    ///
    /// # Errors
    /// When the bucket refuses: because of a lock, or of its policy.
    pub async fn delete_version(&self, key: &str, version_id: Option<&str>) -> Result<(), StorageError> {
        let request = self.client.delete_object().bucket(&self.name).key(key);
        request.set_version_id(version_id.map(str::to_owned)).send().await?;
        Ok(())
    }
}
