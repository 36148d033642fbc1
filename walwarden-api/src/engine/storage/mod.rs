//! A customer's bucket, spoken to over the S3 protocol.

mod error;
mod multipart;
mod object;

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials as AwsCredentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::presigning::PresigningConfig;
use secrecy::ExposeSecret;

pub use self::error::{StorageError, StorageErrorKind};
pub use self::multipart::{Upload, UploadedPart};
pub use self::object::{ObjectHead, Retention};
use crate::secrets::Credentials;
use crate::store::destinations::Destination;

/// How artifacts are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Not at all.
    None,
    /// Until the date, unless somebody with a special permission lifts the lock.
    Governance,
    /// Until the date, for everybody.
    Compliance,
}

impl LockMode {
    /// The mode as it stands in the store and in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }
}

/// A bucket and the client that reaches it. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    client: aws_sdk_s3::Client,
    name: String,
    lock_mode: LockMode,
    retention_days: u32,
}

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the client tries one request before the attempt at a backup fails.
const REQUEST_ATTEMPTS: u32 = 4;

impl Bucket {
    /// Prepares a client. Nothing is sent.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] when the destination's settings cannot be honoured.
    pub fn connect(destination: &Destination, credentials: &Credentials) -> Result<Self, StorageError> {
        let lock_mode = match destination.lock_mode.as_str() {
            "none" => LockMode::None,
            "governance" => LockMode::Governance,
            "compliance" => LockMode::Compliance,
            other => return Err(StorageError::unsupported(format!("lock mode {other:?} is not known"))),
        };
        let (request, response) = match destination.checksum_mode.as_str() {
            "crc32" => (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenRequired),
            "none" => (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired),
            other => return Err(StorageError::unsupported(format!("checksum mode {other:?} is not known"))),
        };
        let credentials = AwsCredentials::new(
            &credentials.access_key_id,
            credentials.secret_access_key.expose_secret(),
            None,
            None,
            "walwarden destination",
        );
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(destination.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(destination.addressing == "path")
            .request_checksum_calculation(request)
            .response_checksum_validation(response)
            .retry_config(RetryConfig::standard().with_max_attempts(REQUEST_ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build());
        if let Some(endpoint) = &destination.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Ok(Self {
            client: aws_sdk_s3::Client::from_conf(config.build()),
            name: destination.bucket.clone(),
            lock_mode,
            retention_days: destination.retention_days,
        })
    }

    /// How objects in this bucket are to be locked.
    #[must_use]
    pub const fn lock_mode(&self) -> LockMode {
        self.lock_mode
    }

    /// For how many days.
    #[must_use]
    pub const fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// A URL that reads one object until it expires. It is a secret.
    ///
    /// # Errors
    /// When the URL cannot be signed.
    pub async fn presign_get(&self, key: &str, expires_in: Duration) -> Result<String, StorageError> {
        let config = PresigningConfig::expires_in(expires_in)
            .map_err(|error| StorageError::unsupported(format!("cannot presign: {error}")))?;
        let request = self.client.get_object().bucket(&self.name).key(key).presigned(config).await?;
        Ok(request.uri().to_owned())
    }
}
