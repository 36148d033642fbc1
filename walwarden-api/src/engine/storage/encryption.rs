//! What a bucket is asked to encrypt objects with, and what it says that it did.

use aws_sdk_s3::types::ServerSideEncryption;
use walwarden_contract::manifest::ManifestEncryption;
use walwarden_contract::model::Encryption;

use super::{Bucket, StorageError, StorageErrorKind};

/// What a bucket is asked to encrypt objects with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedEncryption {
    /// The method.
    pub method: Encryption,
    /// The key of `sse_kms`, as the owner named it.
    pub kms_key_id: Option<String>,
}

/// How an object is encrypted, as the bucket tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`; `None` where the bucket says nothing.
    pub algorithm: Option<String>,
    /// The key, where the bucket names one.
    pub kms_key_id: Option<String>,
}

impl FoundEncryption {
    pub(super) fn of(algorithm: Option<ServerSideEncryption>, kms_key_id: Option<String>) -> Self {
        Self { algorithm: algorithm.map(|algorithm| algorithm.as_str().to_owned()), kms_key_id }
    }

    /// In words.
    #[must_use]
    pub fn told(&self) -> String {
        match (&self.algorithm, &self.kms_key_id) {
            (None, _) => "no encryption".to_owned(),
            (Some(algorithm), None) => algorithm.clone(),
            (Some(algorithm), Some(key)) => format!("{algorithm} with the key {key}"),
        }
    }
}

impl AskedEncryption {
    /// The value of `x-amz-server-side-encryption`; without one, no header of encryption is sent.
    pub(super) fn header(&self) -> Option<ServerSideEncryption> {
        match self.method {
            Encryption::None => None,
            Encryption::SseS3 => Some(ServerSideEncryption::Aes256),
            Encryption::SseKms => Some(ServerSideEncryption::AwsKms),
        }
    }

    pub(super) fn key_header(&self) -> Option<String> {
        self.kms_key_id.clone().filter(|_| self.method == Encryption::SseKms)
    }

    /// One request to the key for many objects, in place of one for each.
    pub(super) fn bucket_key_header(&self) -> Option<bool> {
        (self.method == Encryption::SseKms).then_some(true)
    }

    /// Whether anything is asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.method != Encryption::None
    }

    /// What was asked for, in words.
    fn asked(&self) -> String {
        let key = self.kms_key_id.as_ref().map(|key| format!(" with the key {key}")).unwrap_or_default();
        format!("{}{key}", self.method.as_str())
    }

    /// Whether the key is an alias, which no answer repeats: the bucket names the key behind it.
    fn is_alias(&self) -> bool {
        self.kms_key_id.as_deref().is_some_and(|key| key.starts_with("alias/") || key.contains(":alias/"))
    }

    /// Holds what the bucket tells of an object against what was asked for, and answers it for the record; `None` where nothing was
    /// asked for.
    ///
    /// # Errors
    /// [`StorageErrorKind::EncryptionRefused`] when the object is not encrypted as asked, or nothing says so.
    pub fn proven_by(&self, found: &FoundEncryption) -> Result<Option<ManifestEncryption>, StorageError> {
        let algorithm = found.algorithm.as_deref().unwrap_or_default();
        let key = found.kms_key_id.as_deref();
        let (fits, key) = match self.method {
            Encryption::None => return Ok(None),
            Encryption::SseS3 => (algorithm == "AES256", None),
            Encryption::SseKms => {
                let named = match (self.kms_key_id.as_deref(), key) {
                    (Some(asked), Some(found)) => self.is_alias() || same_key(asked, found),
                    _ => false,
                };
                (named && matches!(algorithm, "aws:kms" | "aws:kms:dsse"), key.map(str::to_owned))
            }
        };
        if fits {
            let (method, algorithm) = (self.method.as_str().to_owned(), algorithm.to_owned());
            return Ok(Some(ManifestEncryption { method, algorithm, kms_key_id: key }));
        }
        let message = format!("asked for {}, and the bucket tells of {}", self.asked(), found.told());
        Err(StorageError { kind: StorageErrorKind::EncryptionRefused, message })
    }

    /// Refuses an upload that the bucket begins to encrypt in another way. Not every server says at this point how it will.
    pub(super) fn not_contradicted_by(&self, found: &FoundEncryption) -> Result<(), StorageError> {
        let unsaid = match found.algorithm.as_deref() {
            None => true,
            Some("aws:kms" | "aws:kms:dsse") => self.method == Encryption::SseKms && found.kms_key_id.is_none(),
            Some(_) => false,
        };
        if unsaid { Ok(()) } else { self.proven_by(found).map(drop) }
    }
}

/// Whether two names can be of one key: an ARN ends in the key's id, and servers beside Amazon's write names of their own in front of
/// one.
fn same_key(one: &str, other: &str) -> bool {
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|start| !short.is_empty() && start.ends_with([':', '/']))
    };
    one == other || ends(one, other) || ends(other, one)
}

impl Bucket {
    /// What this bucket is asked to encrypt objects with.
    #[must_use]
    pub const fn encryption(&self) -> &AskedEncryption {
        &self.encryption
    }

    /// Says more about a refused write that asked for encryption: whether the server would have taken it without. Asked by beginning an
    /// upload that does not ask for it and giving that up, which leaves nothing.
    pub(super) async fn explain_encryption(&self, key: &str, error: StorageError) -> StorageError {
        use StorageErrorKind as Kind;
        let may_be_the_header = matches!(error.kind, Kind::NotImplemented | Kind::Refused | Kind::Other);
        if !self.encryption.is_asked() || !may_be_the_header {
            return error;
        }
        let plain = self.client.create_multipart_upload().bucket(&self.name).key(key).send().await;
        let Some(id) = plain.ok().and_then(|plain| plain.upload_id) else { return error };
        let upload = super::Upload { key: key.to_owned(), id };
        if let Err(error) = self.abort_upload(&upload).await {
            tracing::debug!(%error, "an upload that was begun to find out about encryption is left to the sweep");
        }
        let message = format!(
            "the server takes objects, and refuses those that ask for {}: it does not have this encryption, or is not set up for it; {}",
            self.encryption.method.as_str(),
            error.message
        );
        StorageError { kind: StorageErrorKind::EncryptionRefused, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-central-1:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
    const ALIAS: &str = "arn:aws:kms:eu-central-1:210987654321:alias/walwarden";

    fn asked(method: Encryption, key: Option<&str>) -> AskedEncryption {
        AskedEncryption { method, kms_key_id: key.map(str::to_owned) }
    }

    fn found(algorithm: Option<&str>, key: Option<&str>) -> FoundEncryption {
        FoundEncryption { algorithm: algorithm.map(str::to_owned), kms_key_id: key.map(str::to_owned) }
    }

    #[test]
    fn only_an_answer_that_names_what_was_asked_for_proves_it() {
        let own = asked(Encryption::SseS3, None);
        let id = ARN.rsplit_once('/').expect("an id").1;
        let other = ARN.replace("210987654321", "123456789012");
        let proofs = [
            (own.clone(), found(Some("AES256"), None), true),
            (own.clone(), found(None, None), false),
            (own, found(Some("aws:kms"), Some(ARN)), false),
            (asked(Encryption::SseKms, Some(ARN)), found(Some("aws:kms"), Some(ARN)), true),
            (asked(Encryption::SseKms, Some(ARN)), found(Some("aws:kms:dsse"), Some(ARN)), true),
            (asked(Encryption::SseKms, Some(ARN)), found(Some("aws:kms"), Some(&other)), false),
            (asked(Encryption::SseKms, Some(ARN)), found(Some("aws:kms"), None), false),
            (asked(Encryption::SseKms, Some(ARN)), found(Some("AES256"), Some(ARN)), false),
            (asked(Encryption::SseKms, Some(ARN)), found(None, None), false),
            (asked(Encryption::SseKms, Some(id)), found(Some("aws:kms"), Some(ARN)), true),
            (asked(Encryption::SseKms, Some("5c6d")), found(Some("aws:kms"), Some(ARN)), false),
            (asked(Encryption::SseKms, Some("my-key")), found(Some("aws:kms"), Some("arn:aws:kms:my-key")), true),
            (asked(Encryption::SseKms, Some(ALIAS)), found(Some("aws:kms"), Some(ARN)), true),
            (asked(Encryption::SseKms, Some(ALIAS)), found(Some("aws:kms"), None), false),
        ];
        for (asked, found, proven) in proofs {
            let outcome = asked.proven_by(&found);
            assert_eq!(outcome.is_ok(), proven, "{asked:?} {found:?}");
            let told = |it: &Option<ManifestEncryption>| {
                it.as_ref().is_some_and(|it| Some(&it.algorithm) == found.algorithm.as_ref())
            };
            assert!(outcome.as_ref().is_ok_and(told) || outcome.is_err(), "{outcome:?}");
            assert!(outcome.is_ok() || outcome.is_err_and(|it| it.kind == StorageErrorKind::EncryptionRefused));
        }
    }

    #[test]
    fn where_nothing_is_asked_nothing_is_sent_and_nothing_is_held_against_the_bucket() {
        let nothing = asked(Encryption::None, None);
        let sent = (nothing.header(), nothing.key_header(), nothing.bucket_key_header());
        assert_eq!(sent, (None, None, None));
        assert!(matches!(nothing.proven_by(&found(Some("AES256"), None)), Ok(None)));
    }

    #[test]
    fn an_upload_that_begins_otherwise_is_refused_and_one_that_says_nothing_goes_on() {
        let own = asked(Encryption::SseS3, None);
        assert!(own.not_contradicted_by(&found(None, None)).is_ok());
        assert!(own.not_contradicted_by(&found(Some("AES256"), None)).is_ok());
        assert!(own.not_contradicted_by(&found(Some("aws:kms"), None)).is_err());
        let key = asked(Encryption::SseKms, Some(ARN));
        assert!(key.not_contradicted_by(&found(Some("aws:kms"), None)).is_ok());
        assert!(key.not_contradicted_by(&found(Some("AES256"), None)).is_err());
        assert!(key.not_contradicted_by(&found(Some("aws:kms"), Some("another"))).is_err());
    }
}
