//! A customer's bucket, spoken to over the S3 protocol.

mod encryption;
mod error;
mod listing;
mod multipart;
mod object;
mod probe;
mod removal;
mod role;
mod settings;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials as AwsCredentials, IdentityCache, Region, RequestChecksumCalculation,
    ResponseChecksumValidation,
};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::ChecksumAlgorithm;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest as _, Md5};
use secrecy::ExposeSecret;
use walwarden_contract::Timestamp;
pub use walwarden_contract::model::LockMode;
use walwarden_contract::model::{Addressing, ChecksumMode, Encryption};

pub use self::encryption::{AskedEncryption, FoundEncryption};
pub use self::error::{KeyProblem, StorageError, StorageErrorKind};
pub use self::listing::{Listed, ListedUpload, UploadMarker};
pub use self::multipart::{Sends, Upload, UploadedPart};
pub use self::object::{ObjectHead, Retention};
use self::role::{Assumer, Sessions};
pub use self::settings::{DefaultRetention, PublicAccessBlock};
use crate::secrets::Access;
use crate::store::destinations::Destination;
use crate::system::after;

/// A bucket and the client that reaches it. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    client: aws_sdk_s3::Client,
    /// The same without credentials, for asking as a stranger.
    unsigned: aws_sdk_s3::config::Builder,
    assumer: Option<Arc<Assumer>>,
    name: String,
    region: String,
    lock_mode: LockMode,
    checksum_mode: ChecksumMode,
    retention_days: u32,
    encryption: AskedEncryption,
}

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt at a request may take until it is answered; sending a part and completing an upload may take longer.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// How often the client tries one request before the attempt at a backup fails.
const REQUEST_ATTEMPTS: u32 = 4;
/// How long before its end a session is replaced: a request that is signed then still arrives in time.
const SESSION_MARGIN: Duration = Duration::from_mins(1);
const DAY_MILLIS: i64 = 86_400_000;
/// How long one request may take while somebody waits.
const IMPATIENT_TIMEOUT: Duration = Duration::from_secs(5);

impl Bucket {
    /// Prepares a client. Nothing is sent.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] when the destination's settings cannot be honoured.
    pub fn connect(destination: &Destination, access: &Access) -> Result<Self, StorageError> {
        Self::connect_with(destination, access, REQUEST_ATTEMPTS, None)
    }

    /// The same for somebody who waits for the answer: every request is made once, and given up soon.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] when the destination's settings cannot be honoured.
    pub fn connect_impatiently(destination: &Destination, access: &Access) -> Result<Self, StorageError> {
        Self::connect_with(destination, access, 1, Some(IMPATIENT_TIMEOUT))
    }

    fn connect_with(
        destination: &Destination,
        access: &Access,
        attempts: u32,
        timeout: Option<Duration>,
    ) -> Result<Self, StorageError> {
        let unknown = |what: &str, text: &str| StorageError::unsupported(format!("{what} {text:?} is not known"));
        let lock_mode = destination.lock_mode.parse().map_err(|_| unknown("lock mode", &destination.lock_mode))?;
        let method: Encryption =
            destination.encryption.parse().map_err(|_| unknown("encryption", &destination.encryption))?;
        let checksum_mode = destination.checksum_mode.parse();
        let checksum_mode = checksum_mode.map_err(|_| unknown("checksum mode", &destination.checksum_mode))?;
        let request = match checksum_mode {
            ChecksumMode::Crc32 => RequestChecksumCalculation::WhenSupported,
            ChecksumMode::None => RequestChecksumCalculation::WhenRequired,
        };
        let mut timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(REQUEST_TIMEOUT);
        timeouts.set_operation_timeout(timeout);
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(destination.region.clone()))
            .force_path_style(destination.addressing == Addressing::Path.as_str())
            .request_checksum_calculation(request)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .timeout_config(timeouts.build());
        if let Some(endpoint) = &destination.endpoint {
            config = config.endpoint_url(endpoint);
        }
        let assumer = Assumer::of(destination, attempts, timeout).map(Arc::new);
        let signed = match (access, &assumer) {
            (Access::Key(credentials), _) => config.clone().credentials_provider(AwsCredentials::new(
                &credentials.access_key_id,
                credentials.secret_access_key.expose_secret(),
                None,
                None,
                "walwarden destination",
            )),
            (Access::Role, Some(assumer)) => config
                .clone()
                .identity_cache(IdentityCache::lazy().buffer_time(SESSION_MARGIN).build())
                .credentials_provider(Sessions(Arc::clone(assumer))),
            (Access::Role, None) => return Err(StorageError::unsupported("the destination has no role".to_owned())),
        };
        Ok(Self {
            client: aws_sdk_s3::Client::from_conf(signed.build()),
            unsigned: config,
            assumer,
            name: destination.bucket.clone(),
            region: destination.region.clone(),
            lock_mode,
            checksum_mode,
            retention_days: destination.retention_days,
            encryption: AskedEncryption { method, kms_key_id: destination.kms_key_id.clone() },
        })
    }

    /// How objects in this bucket are to be locked.
    #[must_use]
    pub const fn lock_mode(&self) -> LockMode {
        self.lock_mode
    }

    /// Until when an object that is written now is to be locked; none where none is.
    #[must_use]
    pub fn retain_until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.lock_mode != LockMode::None).then(|| after(now, i64::from(self.retention_days) * DAY_MILLIS))
    }

    const fn checksum_algorithm(&self) -> Option<ChecksumAlgorithm> {
        match self.checksum_mode {
            ChecksumMode::Crc32 => Some(ChecksumAlgorithm::Crc32),
            ChecksumMode::None => None,
        }
    }

    /// What every server has understood from the first, for those that have no newer checksums: a bucket that locks objects takes
    /// none without either.
    fn content_md5(&self, body: &[u8]) -> Option<String> {
        (self.checksum_mode == ChecksumMode::None).then(|| BASE64_STANDARD.encode(Md5::digest(body)))
    }

    /// Assumes the destination's role, and answers until when.
    ///
    /// # Errors
    /// When it is refused, or STS does not answer.
    pub async fn assume_role(&self) -> Result<Option<SystemTime>, StorageError> {
        Ok(self.assumer()?.assume_own().await?.expiry())
    }

    /// How the role can be assumed by somebody who does not know the external id, if at all.
    ///
    /// # Errors
    /// When STS does not answer.
    pub async fn is_assumed_by_strangers(&self, other: String) -> Result<Option<&'static str>, StorageError> {
        for (external_id, how) in [(None, "without the external id"), (Some(other), "under any other external id")] {
            match self.assumer()?.assume(external_id).await {
                Ok(_) => return Ok(Some(how)),
                Err(error) if error.kind == StorageErrorKind::AccessDenied => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn assumer(&self) -> Result<&Assumer, StorageError> {
        let none = || StorageError::unsupported("the destination has no role".to_owned());
        self.assumer.as_deref().ok_or_else(none)
    }

    /// A URL that reads one object for this long, and for how long it really does: a session that ends before ends it. The URL is
    /// a secret.
    ///
    /// # Errors
    /// When the URL cannot be signed.
    pub async fn presign_get(
        &self,
        key: &str,
        expires_in: Duration,
        now: Timestamp,
    ) -> Result<(String, Duration), StorageError> {
        let (client, expires_in) = match &self.assumer {
            None => (self.client.clone(), expires_in),
            Some(assumer) => {
                // A session of its own, so that the URL has all of its time.
                let session = assumer.assume_own().await?;
                let lasts =
                    session.expiry().and_then(|end| end.duration_since(now.as_jiff().into()).ok()).unwrap_or_default();
                let config = self.unsigned.clone().credentials_provider(session);
                (aws_sdk_s3::Client::from_conf(config.build()), expires_in.min(lasts))
            }
        };
        let config = PresigningConfig::expires_in(expires_in)
            .map_err(|error| StorageError::unsupported(format!("cannot presign: {error}")))?;
        let request = client.get_object().bucket(&self.name).key(key).presigned(config).await?;
        Ok((request.uri().to_owned(), expires_in))
    }
}
