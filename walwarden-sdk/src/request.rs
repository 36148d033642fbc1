//! One HTTP call: built from the operation table, authenticated, repeated where that is safe, and read.

use std::fmt::Display;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use walwarden_contract::operations::{self, BASE_PATH, Method};
use walwarden_contract::page::PageQuery;
use walwarden_contract::{ErrorBody, ErrorCode};

use crate::error::Error;
use crate::http::{parse_base_url, transport_text};
use crate::retry::{self, Failure, RetryPolicy};

/// No answer of the API is larger: a manifest has at most 10,000 part checksums.
const MAX_RESPONSE_BYTES: usize = 32 << 20;
const MAX_MESSAGE_CHARS: usize = 2000;

/// Where the API is, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The API's address without `/api/v1`, for example `https://walwarden.example.com`.
    pub base_url: String,
    /// Allows plain http to other machines. Tokens and keys then travel in clear.
    pub allow_insecure_http: bool,
    /// How failed calls are repeated.
    pub retry: RetryPolicy,
}

impl Endpoint {
    /// An endpoint with the default rules.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), allow_insecure_http: false, retry: RetryPolicy::default() }
    }
}

#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    secret: SecretString,
    retry: RetryPolicy,
    pub(crate) allow_insecure_http: bool,
}

/// An operation with its arguments.
pub(crate) struct Call<'a> {
    operation: &'static str,
    parameter: Option<String>,
    page: Option<&'a PageQuery>,
    body: Option<Vec<u8>>,
    idempotency_key: Option<&'a str>,
    timeout: Option<Duration>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(operation: &'static str) -> Self {
        Self { operation, parameter: None, page: None, body: None, idempotency_key: None, timeout: None }
    }

    pub(crate) fn on(mut self, id: &impl Display) -> Self {
        self.parameter = Some(id.to_string());
        self
    }

    pub(crate) fn page(mut self, page: &'a PageQuery) -> Self {
        self.page = Some(page);
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
    pub(crate) fn new(endpoint: &Endpoint, secret: SecretString, http: reqwest::Client) -> Result<Self, Error> {
        let base = parse_base_url(&endpoint.base_url, endpoint.allow_insecure_http)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()))
            .ok()
            .filter(|_| secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()))
            .filter(|_| !secret.expose_secret().is_empty())
            .ok_or_else(|| Error::new(ErrorCode::ConfigInvalid, "The API key or token is empty or malformed."))?;
        authorization.set_sensitive(true);
        let allow_insecure_http = endpoint.allow_insecure_http;
        Ok(Self { http, base, authorization, secret, retry: endpoint.retry.clone(), allow_insecure_http })
    }

    /// Sends a call, again where that is safe, and reads its answer.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        retry::run(&self.retry, || self.attempt(&call)).await
    }

    /// Sends a call once.
    pub(crate) async fn send_once<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        self.attempt(&call).await.map_err(|failure| failure.error)
    }

    async fn attempt<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Failure> {
        let response = self.request(call).send().await.map_err(|error| Failure::transport(transport_error(error)))?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = read_body(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| {
                let message = format!("The API answered {status} with a body that does not fit: {}.", category(&error));
                Failure { error: Error::new(ErrorCode::UnexpectedResponse, message), repeat: false }
            });
        }
        Err(self.failure(status, &headers, &body))
    }

    fn request(&self, call: &Call<'_>) -> reqwest::RequestBuilder {
        let operation =
            operations::operation(call.operation).expect("operations are named by literals that a test compares");
        let mut url = self.base.clone();
        let path = call.parameter.as_ref().map_or_else(
            || operation.path.to_owned(),
            // Identifiers are letters, digits and underscores: nothing to encode.
            |id| {
                operation
                    .path
                    .split('/')
                    .map(|part| if part.starts_with('{') { id } else { part })
                    .collect::<Vec<_>>()
                    .join("/")
            },
        );
        url.set_path(&format!("{}{BASE_PATH}{path}", self.base.path().trim_end_matches('/')));
        if let Some(page) = call.page {
            let mut query = url.query_pairs_mut();
            if let Some(limit) = page.limit {
                query.append_pair("limit", &limit.to_string());
            }
            if let Some(cursor) = &page.cursor {
                query.append_pair("cursor", cursor);
            }
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        let method = match operation.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self.http.request(method, url).header(AUTHORIZATION, self.authorization.clone());
        request = request.header("accept", "application/json, application/problem+json");
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        match call.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        }
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let retry_after_ms = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
            .map(|seconds| seconds.saturating_mul(1000));
        if let Ok(mut body) = serde_json::from_slice::<ErrorBody>(body) {
            body.message = self.clean(&body.message);
            body.next_action = self.clean(&body.next_action);
            body.retry_after_ms = body.retry_after_ms.or(retry_after_ms);
            return Failure::answered(Error::from(body));
        }
        let code = match status.as_u16() {
            429 => ErrorCode::RateLimited,
            500..=599 => ErrorCode::ServiceUnavailable,
            _ => ErrorCode::UnexpectedResponse,
        };
        let message = format!("The API's address answered {status}, and not in the way a Walwarden API does.");
        let body = ErrorBody { retry_after_ms, ..ErrorBody::new(code, message) };
        Failure { error: Error::from(body), repeat: matches!(status.as_u16(), 429 | 502 | 503 | 504) }
    }

    /// What a server says is shown on terminals: without control characters, and never with our own secret in it.
    fn clean(&self, text: &str) -> String {
        let text = text.replace(self.secret.expose_secret(), "[redacted]");
        text.chars().filter(|character| !character.is_control()).take(MAX_MESSAGE_CHARS).collect()
    }
}

async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::transport(transport_error(error)))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_RESPONSE_BYTES {
            let message = "The API's answer is larger than any that a Walwarden API gives.";
            return Err(Failure { error: Error::new(ErrorCode::UnexpectedResponse, message), repeat: false });
        }
    }
    Ok(body)
}

fn transport_error(error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::new(ErrorCode::Timeout, "The API did not answer in time.");
    }
    let text = transport_text(error);
    Error::new(ErrorCode::NetworkError, format!("The Walwarden API cannot be reached: {text}."))
}

/// Where JSON does not fit, without repeating any of it.
fn category(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
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
