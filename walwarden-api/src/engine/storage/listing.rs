//! What is in a bucket, page by page, in the order of the keys.

use walwarden_contract::Timestamp;

use super::object::size;
use super::{Bucket, StorageError, StorageErrorKind};

/// A current object, as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// The bucket's entity tag for its bytes.
    pub etag: Option<String>,
    /// When it was last written.
    pub modified_at: Option<Timestamp>,
}

/// An upload that is not completed, as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUpload {
    /// The key that its object would have.
    pub key: String,
    /// The bucket's name for it.
    pub id: String,
    /// When it was begun.
    pub initiated_at: Option<Timestamp>,
}

/// Where a list of uploads goes on: key and upload.
pub type UploadMarker = (String, Option<String>);

impl Bucket {
    /// A page of the objects below a prefix, and where the next page begins.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn list_page(
        &self,
        prefix: &str,
        token: Option<String>,
    ) -> Result<(Vec<Listed>, Option<String>), StorageError> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).set_continuation_token(token);
        let page = request.send().await?;
        let listed = page.contents.unwrap_or_default().into_iter().filter_map(|object| {
            Some(Listed {
                key: object.key?,
                size_bytes: size(object.size),
                etag: object.e_tag,
                modified_at: object.last_modified.and_then(time),
            })
        });
        let next = page.next_continuation_token.filter(|_| page.is_truncated == Some(true));
        Ok((listed.collect(), next))
    }

    /// A page of the unfinished uploads below a prefix, and where the next page begins. A server without such a list has none that
    /// could be found.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn uploads_page(
        &self,
        prefix: &str,
        after: Option<UploadMarker>,
    ) -> Result<(Vec<ListedUpload>, Option<UploadMarker>), StorageError> {
        let (key, id) = after.map_or((None, None), |(key, id)| (Some(key), id));
        let request = self.client.list_multipart_uploads().bucket(&self.name).prefix(prefix);
        let answer = request.set_key_marker(key).set_upload_id_marker(id).send().await.map_err(StorageError::from);
        let page = match answer {
            Ok(page) => page,
            Err(error) if error.kind == StorageErrorKind::NotImplemented => return Ok((Vec::new(), None)),
            Err(error) => return Err(error),
        };
        let listed = page.uploads.unwrap_or_default().into_iter().filter_map(|upload| {
            Some(ListedUpload {
                key: upload.key?,
                id: upload.upload_id?,
                initiated_at: upload.initiated.and_then(time),
            })
        });
        let more = page.is_truncated == Some(true);
        let next = page.next_key_marker.filter(|key| more && !key.is_empty());
        Ok((listed.collect(), next.map(|key| (key, page.next_upload_id_marker))))
    }
}

fn time(at: aws_sdk_s3::primitives::DateTime) -> Option<Timestamp> {
    at.to_millis().ok().and_then(Timestamp::from_millis)
}
