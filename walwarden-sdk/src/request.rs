//! One HTTP call: built from the operation table, authenticated, and repeated where that is safe.

mod answer;

use std::fmt::Display;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_contract::error::CONFIRMATION_HEADER;
use walwarden_contract::operations::{self, Answer, BASE_PATH, Method};

use self::answer::{MAX_ARCHIVE_BYTES, MAX_DOCUMENT_BYTES};
use crate::error::Error;
use crate::http::parse_base_url;
use crate::retry::{self, Failure, RetryPolicy};

/// What the server's log shows of this crate.
const SDK_NAME: &str = concat!("walwarden-sdk/", env!("CARGO_PKG_VERSION"));

/// Where the API is, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Settings {
    http: reqwest::Client,
    base: Url,
    user_agent: HeaderValue,
    timeout: Duration,
    retry: RetryPolicy,
    pub(crate) allow_insecure_http: bool,
}

impl Settings {
    pub(crate) fn new(
        base_url: &str,
        allow_insecure_http: bool,
        http: reqwest::Client,
        user_agent: Option<&str>,
        timeout: Duration,
        retry: RetryPolicy,
    ) -> Result<Self, Error> {
        let base = parse_base_url(base_url, allow_insecure_http)?;
        let user_agent = user_agent.map_or_else(|| SDK_NAME.to_owned(), |name| format!("{name} {SDK_NAME}"));
        let user_agent = HeaderValue::try_from(user_agent)
            .map_err(|_| Error::new(ErrorCode::ConfigInvalid, "The user agent cannot stand in a header."))?;
        Ok(Self { http, base, user_agent, timeout, retry, allow_insecure_http })
    }
}

/// [`Settings`] with the secret that a caller is known by.
#[derive(Clone)]
pub(crate) struct Transport {
    settings: Settings,
    authorization: HeaderValue,
    secret: SecretString,
    /// A challenge that a person has consented to.
    confirmation: Option<HeaderValue>,
}

/// An operation with its arguments.
pub(crate) struct Call<'a> {
    operation: &'static str,
    parameters: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    idempotency_key: Option<&'a str>,
    timeout: Option<Duration>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(operation: &'static str) -> Self {
        Self { operation, parameters: Vec::new(), query: Vec::new(), body: None, idempotency_key: None, timeout: None }
    }

    /// Names the next of the operation's path parameters.
    pub(crate) fn on(mut self, id: &impl Display) -> Self {
        self.parameters.push(id.to_string());
        self
    }

    /// The members of `query` as query parameters; what is null or left out is not sent.
    pub(crate) fn query(mut self, query: &impl serde::Serialize) -> Self {
        let members = match serde_json::to_value(query).expect("the contract's queries have string keys only") {
            Value::Object(members) => members,
            other => unreachable!("queries are objects, not {other}"),
        };
        self.query.extend(members.into_iter().filter_map(|(name, value)| match value {
            Value::Null => None,
            Value::String(text) => Some((name, text)),
            other => Some((name, other.to_string())),
        }));
        self
    }

    pub(crate) fn idempotent(mut self, key: &'a str) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(crate) fn json(mut self, body: &impl serde::Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body).expect("the contract's requests have string keys only"));
        self
    }
}

impl Transport {
    pub(crate) fn new(settings: Settings, secret: SecretString) -> Result<Self, Error> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()))
            .ok()
            .filter(|_| secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()))
            .filter(|_| !secret.expose_secret().is_empty())
            .ok_or_else(|| Error::new(ErrorCode::ConfigInvalid, "The API key or token is empty or malformed."))?;
        authorization.set_sensitive(true);
        Ok(Self { settings, authorization, secret, confirmation: None })
    }

    /// The same API, spoken to with another secret.
    pub(crate) fn with_secret(&self, secret: SecretString) -> Result<Self, Error> {
        Self::new(self.settings.clone(), secret)
    }

    pub(crate) fn allows_insecure_http(&self) -> bool {
        self.settings.allow_insecure_http
    }

    /// The same transport for requests that a person has consented to. A challenge that cannot stand in a header is
    /// none that a server has given: without it, the request is answered with a new one.
    pub(crate) fn confirming(&self, challenge: &str) -> Self {
        Self { confirmation: HeaderValue::from_str(challenge).ok(), ..self.clone() }
    }

    /// Sends a call, again where that is safe, and reads the document that it is answered with.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        Ok(self.send_for_headers(call).await?.1)
    }

    /// The same, with the headers of the answer.
    pub(crate) async fn send_for_headers<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<(HeaderMap, T), Error> {
        retry::run(&self.settings.retry, async || {
            let (headers, body) = self.attempt(&call, MAX_DOCUMENT_BYTES).await?;
            Ok((headers, answer::document(&body)?))
        })
        .await
    }

    /// Sends a call once.
    pub(crate) async fn send_once<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        let read = async { answer::document(&self.attempt(&call, MAX_DOCUMENT_BYTES).await?.1) };
        read.await.map_err(|failure: Failure| failure.error)
    }

    /// Sends a call that is answered with nothing.
    pub(crate) async fn send_for_nothing(&self, call: Call<'_>) -> Result<(), Error> {
        retry::run(&self.settings.retry, async || self.attempt(&call, MAX_DOCUMENT_BYTES).await.map(drop)).await
    }

    /// Sends a call that is answered with an archive.
    pub(crate) async fn send_for_archive(&self, call: Call<'_>) -> Result<Vec<u8>, Error> {
        retry::run(&self.settings.retry, async || Ok(self.attempt(&call, MAX_ARCHIVE_BYTES).await?.1)).await
    }

    async fn attempt(&self, call: &Call<'_>, max_bytes: usize) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let response = self.request(call).send().await.map_err(answer::lost)?;
        let status = response.status();
        let headers = response.headers().clone();
        let max_bytes = if status.is_success() { max_bytes } else { MAX_DOCUMENT_BYTES };
        let body = answer::read(response, max_bytes).await?;
        if status.is_success() {
            Ok((headers, body))
        } else {
            Err(answer::failure(&self.secret, status, &headers, &body))
        }
    }

    fn request(&self, call: &Call<'_>) -> reqwest::RequestBuilder {
        let operation =
            operations::operation(call.operation).expect("operations are named by literals that a test compares");
        let Settings { http, base, user_agent, timeout, .. } = &self.settings;
        let mut url = base.clone();
        // Identifiers are letters, digits and underscores: nothing to encode.
        let mut parameters = call.parameters.iter();
        let fill = |part| match part {
            part if str::starts_with(part, '{') => parameters.next().map_or(part, String::as_str),
            part => part,
        };
        let path = operation.path.split('/').map(fill).collect::<Vec<_>>().join("/");
        url.set_path(&format!("{}{BASE_PATH}{path}", base.path().trim_end_matches('/')));
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let method = match operation.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = http
            .request(method, url)
            .timeout(call.timeout.unwrap_or(*timeout))
            .header(USER_AGENT, user_agent.clone())
            .header(AUTHORIZATION, self.authorization.clone());
        let accepted =
            if matches!(operation.answer, Answer::Archive) { "application/gzip" } else { "application/json" };
        request = request.header("accept", format!("{accepted}, application/problem+json"));
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(challenge) = &self.confirmation {
            request = request.header(CONFIRMATION_HEADER, challenge);
        }
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        request
    }
}

/// A new `Idempotency-Key`: 128 random bits.
///
/// # Panics
/// When the operating system has no randomness, which Linux and macOS do not let happen after boot.
#[must_use]
pub fn new_idempotency_key() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex::encode(bytes)
}
