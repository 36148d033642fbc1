//! The client for callers with an API key, and how it is built. Its methods stand in `resources/`, one file per resource.

use std::time::Duration;

use secrecy::SecretString;
use walwarden_contract::ErrorCode;

use crate::error::Error;
use crate::http::{DEFAULT_REQUEST_TIMEOUT, api_http_client};
use crate::request::{Settings, Transport};
use crate::resources::RestoreSessionClient;
use crate::retry::RetryPolicy;

/// A client of one Walwarden API with one API key. Cheap to clone.
#[derive(Clone)]
pub struct WalwardenClient {
    pub(crate) transport: Transport,
}

impl WalwardenClient {
    /// Begins to build a client; [`ClientBuilder::base_url`] and [`ClientBuilder::api_key`] must be given.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The same client for one call that was refused with `human_confirmation_required` and that a person has consented
    /// to since: it sends the challenge from [`Error::confirmation`] along. The challenge holds for the very same call
    /// only, and must not be taken back in a person's place.
    #[must_use]
    pub fn confirming(&self, challenge: &str) -> Self {
        Self { transport: self.transport.confirming(challenge) }
    }

    /// A client of one restore job, which talks to the same API with the job's token instead of the API key.
    ///
    /// # Errors
    /// `token_invalid` when the token is malformed.
    pub fn restore_session(&self, token: SecretString) -> Result<RestoreSessionClient, Error> {
        RestoreSessionClient::new(&self.transport, token)
    }
}

impl std::fmt::Debug for WalwardenClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("WalwardenClient").finish_non_exhaustive()
    }
}

/// How a client is to be; what is not said keeps its default.
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    base_url: Option<String>,
    api_key: Option<SecretString>,
    user_agent: Option<String>,
    timeout: Duration,
    retries: RetryPolicy,
    http: Option<reqwest::Client>,
    allow_insecure_http: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: None,
            api_key: None,
            user_agent: None,
            timeout: DEFAULT_REQUEST_TIMEOUT,
            retries: RetryPolicy::default(),
            http: None,
            allow_insecure_http: false,
        }
    }
}

impl ClientBuilder {
    /// The API's address without `/api/v1`, for example `https://walwarden.example.com`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The API key. It is sent as a bearer token, and shown nowhere.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// What the program calls itself in the server's log, for example `my-service/1.0`. The SDK's own name follows it.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// How long one request may take, from its sending to the end of its answer: 30 seconds unless given. Each repetition
    /// has that time again.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How calls that failed in passing are repeated; [`RetryPolicy::never`] leaves that to the caller.
    pub fn retries(mut self, policy: RetryPolicy) -> Self {
        self.retries = policy;
        self
    }

    /// The HTTP client to use, for a proxy, certificates of one's own or a shared pool. It should follow no redirects.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Allows plain http to other machines. Keys and tokens then travel in clear.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// `config_invalid` when the address is missing or neither https nor local, or when the key is missing or cannot
    /// stand in a header.
    pub fn build(self) -> Result<WalwardenClient, Error> {
        let key = self.api_key.clone().ok_or_else(|| missing("API key", "api_key"))?;
        Ok(WalwardenClient { transport: Transport::new(self.settings()?, key)? })
    }

    /// A client of one restore job, authenticated by its token alone; an API key is not needed and not used.
    ///
    /// # Errors
    /// `token_invalid` when the token is malformed, or as [`ClientBuilder::build`].
    pub fn restore_session(self, token: SecretString) -> Result<RestoreSessionClient, Error> {
        RestoreSessionClient::from_settings(self.settings()?, token)
    }

    fn settings(self) -> Result<Settings, Error> {
        let base_url = self.base_url.ok_or_else(|| missing("address of the API", "base_url"))?;
        let http = self.http.map_or_else(api_http_client, Ok)?;
        Settings::new(&base_url, self.allow_insecure_http, http, self.user_agent.as_deref(), self.timeout, self.retries)
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClientBuilder").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

fn missing(what: &str, setter: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, format!("No {what} was given: call ClientBuilder::{setter}."))
}
