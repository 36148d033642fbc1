//! One test's bucket: looking at what the product stored there, and tampering with it.

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectLockRetentionMode;

use crate::runtime::block_on;

/// A bucket, with the rights of the server's administrator.
#[derive(Debug, Clone)]
pub struct Bucket {
    name: String,
    client: Client,
}

/// A current object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// An unfinished multipart upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key it would complete to.
    pub key: String,
    /// Its upload id.
    pub id: String,
}

/// What keeps an object version from being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Until when, as seconds since 1970.
    pub until: i64,
}

impl Bucket {
    pub(super) fn new(name: String, client: Client) -> Self {
        Self { name, client }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client it is reached with.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// All current objects below a prefix, by key.
    pub fn list_objects(&self, prefix: &str) -> Result<Vec<StoredObject>> {
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).set_continuation_token(token);
            let page = block_on(request.send()).context("cannot list objects")?;
            for object in page.contents() {
                let key = object.key().context("a listed object has a key")?.to_owned();
                objects.push(StoredObject { key, size: u64::try_from(object.size().unwrap_or(0))? });
            }
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    /// All unfinished multipart uploads.
    pub fn list_multipart_uploads(&self) -> Result<Vec<Upload>> {
        let page =
            block_on(self.client.list_multipart_uploads().bucket(&self.name).send()).context("cannot list uploads")?;
        ensure!(page.is_truncated() != Some(true), "more uploads than one page: a test leaves a few at most");
        page.uploads()
            .iter()
            .map(|upload| {
                let key = upload.key().context("a listed upload has a key")?.to_owned();
                Ok(Upload { key, id: upload.upload_id().context("a listed upload has an id")?.to_owned() })
            })
            .collect()
    }

    /// An object's content, of the given version or the current one.
    pub fn get(&self, key: &str, version: Option<&str>) -> Result<Vec<u8>> {
        let request = self.client.get_object().bucket(&self.name).key(key).set_version_id(version.map(str::to_owned));
        let body = block_on(async {
            request.send().await.context("cannot get the object")?.body.collect().await.context("cannot read it")
        })?;
        Ok(body.to_vec())
    }

    /// Stores an object; returns its version where the bucket has versions. On an existing key this is tampering: a bucket without
    /// versions loses the old content, one with Object Lock shows the new version in front of the retained one.
    pub fn put(&self, key: &str, content: impl Into<Vec<u8>>) -> Result<Option<String>> {
        let body = ByteStream::from(content.into());
        let stored = block_on(self.client.put_object().bucket(&self.name).key(key).body(body).send())
            .context("cannot put the object")?;
        Ok(stored.version_id().map(str::to_owned))
    }

    /// Stores an object under retention in the given mode for so many seconds; returns its version.
    pub fn put_retained(
        &self,
        key: &str,
        content: impl Into<Vec<u8>>,
        mode: ObjectLockRetentionMode,
        seconds: u32,
    ) -> Result<String> {
        let version = self.put(key, content)?.context("the bucket has no versions: create it with Object Lock")?;
        let until = now() + i64::from(seconds);
        let retention = aws_sdk_s3::types::ObjectLockRetention::builder()
            .mode(mode)
            .retain_until_date(aws_sdk_s3::primitives::DateTime::from_secs(until))
            .build();
        let request =
            self.client.put_object_retention().bucket(&self.name).key(key).version_id(&version).retention(retention);
        block_on(request.send()).context("cannot set retention")?;
        Ok(version)
    }

    /// Flips one bit of a stored object, at `byte` from its start or, when negative, from its end.
    pub fn flip_bit(&self, key: &str, byte: i64) -> Result<()> {
        let mut content = self.get(key, None)?;
        let length = i64::try_from(content.len())?;
        let at = if byte < 0 { length + byte } else { byte };
        ensure!((0..length).contains(&at), "{key} has {length} bytes, none at {byte}");
        content[usize::try_from(at)?] ^= 1;
        self.put(key, content)?;
        Ok(())
    }

    /// Deletes the current object (in a bucket with versions: hides it behind a delete marker).
    pub fn delete(&self, key: &str) -> Result<()> {
        block_on(self.client.delete_object().bucket(&self.name).key(key).send()).context("cannot delete the object")?;
        Ok(())
    }

    /// Deletes one version for good. A retained one is refused, unless it is under GOVERNANCE and `bypass` is set.
    pub fn delete_version(&self, key: &str, version: &str, bypass: bool) -> Result<()> {
        let request = self.client.delete_object().bucket(&self.name).key(key).version_id(version);
        let request = if bypass { request.bypass_governance_retention(true) } else { request };
        block_on(request.send()).context("cannot delete the version")?;
        Ok(())
    }

    /// Deletes the bucket with all that is in it, as its owner can.
    pub fn delete_bucket(&self) -> Result<()> {
        block_on(self.client.delete_bucket().bucket(&self.name).send()).context("cannot delete the bucket")?;
        Ok(())
    }

    /// Creates a bucket that was deleted again, empty and without versions. The server may have done so by itself.
    pub fn create_again(&self) -> Result<()> {
        let created = block_on(self.client.create_bucket().bucket(&self.name).send());
        match created.map_err(aws_sdk_s3::error::SdkError::into_service_error) {
            Err(error) if !error.is_bucket_already_owned_by_you() => Err(error).context("cannot create the bucket"),
            _ => Ok(()),
        }
    }

    /// The versions of a key, newest first.
    pub fn versions(&self, key: &str) -> Result<Vec<String>> {
        let page = block_on(self.client.list_object_versions().bucket(&self.name).prefix(key).send())
            .context("cannot list versions")?;
        let versions = page.versions().iter().filter(|version| version.key() == Some(key));
        Ok(versions.filter_map(|version| version.version_id().map(str::to_owned)).collect())
    }

    /// The retention of an object's current version; none where it has none.
    pub fn object_retention(&self, key: &str) -> Result<Option<Retention>> {
        let head =
            block_on(self.client.head_object().bucket(&self.name).key(key).send()).context("cannot head the object")?;
        let (Some(mode), Some(until)) = (head.object_lock_mode(), head.object_lock_retain_until_date()) else {
            return Ok(None);
        };
        Ok(Some(Retention { mode: mode.as_str().to_owned(), until: until.secs() }))
    }
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the S3 server compares retention with the real clock")]
    jiff::Timestamp::now().as_second()
}
