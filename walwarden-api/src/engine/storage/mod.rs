//! A customer's bucket, spoken to over the S3 protocol.

mod error;
mod multipart;
mod object;
mod probe;
mod settings;

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials as AwsCredentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::presigning::PresigningConfig;
use secrecy::ExposeSecret;
pub use walwarden_contract::model::LockMode;
use walwarden_contract::model::{Addressing, ChecksumMode};

pub use self::error::{StorageError, StorageErrorKind};
pub use self::multipart::{UnfinishedUpload, Upload, UploadedPart};
pub use self::object::{ObjectHead, Retention};
pub use self::settings::{DefaultRetention, PublicAccessBlock};
use crate::secrets::Credentials;
use crate::store::destinations::Destination;

/// A bucket and the client that reaches it. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    client: aws_sdk_s3::Client,
    /// The same without credentials, for asking as a stranger.
    unsigned: aws_sdk_s3::config::Builder,
    name: String,
    region: String,
    lock_mode: LockMode,
    retention_days: u32,
}

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt at a request may take until it is answered; sending a part and completing an upload may take longer.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// How often the client tries one request before the attempt at a backup fails.
const REQUEST_ATTEMPTS: u32 = 4;
/// How long one request may take while somebody waits.
const IMPATIENT_TIMEOUT: Duration = Duration::from_secs(5);

impl Bucket {
    /// Prepares a client. Nothing is sent.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] when the destination's settings cannot be honoured.
    pub fn connect(destination: &Destination, credentials: &Credentials) -> Result<Self, StorageError> {
        Self::connect_with(destination, credentials, REQUEST_ATTEMPTS, None)
    }

    /// The same for somebody who waits for the answer: every request is made once, and given up soon.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] when the destination's settings cannot be honoured.
    pub fn connect_impatiently(destination: &Destination, credentials: &Credentials) -> Result<Self, StorageError> {
        Self::connect_with(destination, credentials, 1, Some(IMPATIENT_TIMEOUT))
    }

    fn connect_with(
        destination: &Destination,
        credentials: &Credentials,
        attempts: u32,
        timeout: Option<Duration>,
    ) -> Result<Self, StorageError> {
        let unknown = |what: &str, text: &str| StorageError::unsupported(format!("{what} {text:?} is not known"));
        let lock_mode = destination.lock_mode.parse().map_err(|_| unknown("lock mode", &destination.lock_mode))?;
        let checksum_mode = destination.checksum_mode.parse();
        let request = match checksum_mode.map_err(|_| unknown("checksum mode", &destination.checksum_mode))? {
            ChecksumMode::Crc32 => RequestChecksumCalculation::WhenSupported,
            ChecksumMode::None => RequestChecksumCalculation::WhenRequired,
        };
        let mut timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(REQUEST_TIMEOUT);
        timeouts.set_operation_timeout(timeout);
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
            .force_path_style(destination.addressing == Addressing::Path.as_str())
            .request_checksum_calculation(request)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .timeout_config(timeouts.build());
        if let Some(endpoint) = &destination.endpoint {
            config = config.endpoint_url(endpoint);
        }
        let unsigned = config.clone().allow_no_auth();
        Ok(Self {
            client: aws_sdk_s3::Client::from_conf(config.credentials_provider(credentials).build()),
            unsigned,
            name: destination.bucket.clone(),
            region: destination.region.clone(),
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
