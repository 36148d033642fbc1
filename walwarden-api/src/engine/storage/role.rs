//! Roles in the customer's account: assumed under the destination's external id, and again before a session ends.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_sts::config::Region;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use tokio::sync::OnceCell;

use super::error::{inner, printable};
use super::{CONNECT_TIMEOUT, StorageError, StorageErrorKind};
use crate::store::destinations::Destination;

/// How long a session lasts: an hour, the longest that a server which itself has a role may ask for.
const SESSION: Duration = Duration::from_hours(1);

/// The server's own credentials and settings, as the standard variables, files and metadata services give them.
static SERVER: OnceCell<SdkConfig> = OnceCell::const_new();

/// Assumes one destination's role.
#[derive(Debug)]
pub(super) struct Assumer {
    arn: String,
    external_id: String,
    session_name: String,
    region: String,
    attempts: u32,
    timeout: Option<Duration>,
    client: OnceCell<aws_sdk_sts::Client>,
}

impl Assumer {
    /// For a destination that has a role.
    pub(super) fn of(destination: &Destination, attempts: u32, timeout: Option<Duration>) -> Option<Self> {
        let role = destination.role.as_ref()?;
        Some(Self {
            arn: role.arn.clone(),
            external_id: role.external_id.clone(),
            session_name: format!("walwarden-{}", destination.id),
            region: destination.region.clone(),
            attempts,
            timeout,
            client: OnceCell::new(),
        })
    }

    async fn client(&self) -> &aws_sdk_sts::Client {
        let server = SERVER.get_or_init(|| Box::pin(aws_config::defaults(BehaviorVersion::latest()).load()));
        let connect = async || {
            let mut timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
            timeouts.set_operation_timeout(self.timeout);
            let config = aws_sdk_sts::config::Builder::from(server.await)
                .region(Region::new(self.region.clone()))
                .retry_config(RetryConfig::standard().with_max_attempts(self.attempts))
                .timeout_config(timeouts.build());
            aws_sdk_sts::Client::from_conf(config.build())
        };
        self.client.get_or_init(connect).await
    }

    /// Assumes the role under the destination's external id.
    ///
    /// # Errors
    /// When it is refused, or STS does not answer.
    pub(super) async fn assume_own(&self) -> Result<Credentials, StorageError> {
        self.assume(Some(self.external_id.clone())).await
    }

    /// Assumes the role; under another external id, or none, only to see that this is refused.
    ///
    /// # Errors
    /// When it is refused, or STS does not answer.
    pub(super) async fn assume(&self, external_id: Option<String>) -> Result<Credentials, StorageError> {
        let request = self.client().await.assume_role().role_arn(&self.arn).role_session_name(&self.session_name);
        let seconds = i32::try_from(SESSION.as_secs()).unwrap_or(i32::MAX);
        let answer = request.set_external_id(external_id).duration_seconds(seconds).send().await;
        let answer = answer.map_err(|error| self.explain(&error))?;
        let session = answer.credentials.ok_or_else(|| StorageError {
            kind: StorageErrorKind::Other,
            message: "STS answered without credentials".to_owned(),
        })?;
        let expires = SystemTime::try_from(session.expiration).map_err(|_| StorageError {
            kind: StorageErrorKind::Other,
            message: "STS answered with an end of the session that is no time".to_owned(),
        })?;
        // Stand-ins for STS may have sessions without a token.
        let token = Some(session.session_token).filter(|token| !token.is_empty());
        Ok(Credentials::new(session.access_key_id, session.secret_access_key, token, Some(expires), "walwarden role"))
    }

    fn explain(&self, error: &SdkError<AssumeRoleError>) -> StorageError {
        let said = |kind, message: String| StorageError { kind, message };
        let SdkError::ServiceError(service) = error else {
            let own = inner::<CredentialsError>(error);
            return match own {
                Some(CredentialsError::CredentialsNotLoaded(_)) => said(
                    StorageErrorKind::Unsupported,
                    "this server has no AWS credentials of its own to assume a role with: give it a role or AWS_ACCESS_KEY_ID"
                        .to_owned(),
                ),
                Some(error) => said(
                    StorageErrorKind::Unreachable,
                    format!("this server cannot read its own AWS credentials: {}", super::error::with_causes(error)),
                ),
                None => said(StorageErrorKind::Unreachable, format!("STS did not answer: {}", super::error::with_causes(error))),
            };
        };
        let (status, code) = (service.raw().status().as_u16(), service.err().code().unwrap_or_default());
        let message = printable(service.err().message().unwrap_or_default());
        let kind = match code {
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "SlowDown" => StorageErrorKind::Throttled,
            _ if status == 429 => StorageErrorKind::Throttled,
            _ if status >= 500 => StorageErrorKind::Unreachable,
            _ => StorageErrorKind::AccessDenied,
        };
        said(kind, format!("{}; STS answered {status} {code}: {message}", self.cause(kind, code, &message)))
    }

    /// What the refusal means. STS tells little on purpose: a stranger must not find out which roles there are.
    fn cause(&self, kind: StorageErrorKind, code: &str, message: &str) -> String {
        let Self { arn, external_id, .. } = self;
        match code {
            _ if kind != StorageErrorKind::AccessDenied => "STS cannot answer now".to_owned(),
            "NoSuchEntity" => format!("there is no role {arn}"),
            "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "ExpiredToken"
            | "ExpiredTokenException" => "STS refuses this server's own AWS credentials".to_owned(),
            "RegionDisabledException" => format!("STS is not activated in {}", self.region),
            "ValidationError" => format!("STS does not take the request for {arn}"),
            _ if message.contains("no identity-based policy allows") => {
                format!("this server's own AWS identity may not assume roles: allow it sts:AssumeRole on {arn}")
            }
            _ if message.contains("explicit deny") => format!("a policy denies that {arn} is assumed"),
            _ if message.to_ascii_lowercase().contains("external id") => {
                format!("the trust policy of {arn} names another external id than {external_id}")
            }
            _ => format!(
                "{arn} cannot be assumed: there is no such role, or its trust policy does not name this server's AWS identity, or another external id than {external_id}"
            ),
        }
    }
}

/// What a bucket's client signs with: it asks again shortly before a session ends, in the middle of an upload too.
#[derive(Debug, Clone)]
pub(super) struct Sessions(pub(super) std::sync::Arc<Assumer>);

impl ProvideCredentials for Sessions {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let session: provider::Result = self.0.assume_own().await.map_err(CredentialsError::provider_error);
            session
        })
    }
}
