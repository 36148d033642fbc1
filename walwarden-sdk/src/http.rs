//! Building HTTP clients, and the rule of which addresses may be spoken to.

use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;
use walwarden_contract::ErrorCode;

use crate::error::{Error, chain};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which nothing arrives for this long is given up and tried again.
#[cfg(feature = "restore")]
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one API request may take, unless the caller says otherwise.
pub(crate) const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The client for API calls: follows no redirect (a bearer token must not travel). Each request brings its own time.
pub(crate) fn api_http_client() -> Result<reqwest::Client, Error> {
    build(reqwest::Client::builder())
}

/// The client for artifacts: unbounded in total time, but not in silence.
///
/// # Errors
/// `config_invalid` when TLS cannot be set up.
#[cfg(feature = "restore")]
pub fn download_http_client() -> Result<reqwest::Client, Error> {
    build(reqwest::Client::builder().read_timeout(SILENCE_TIMEOUT))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder
        .user_agent(concat!("walwarden-sdk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .build()
        .map_err(|error| Error::new(ErrorCode::ConfigInvalid, format!("no HTTP client: {}", chain(&error))))
}

/// Reads the API's base URL: https, or http to this machine only unless `allow_insecure_http`.
pub(crate) fn parse_base_url(text: &str, allow_insecure_http: bool) -> Result<Url, Error> {
    let invalid = |reason: &str| Error::new(ErrorCode::ConfigInvalid, format!("The API URL {reason}."));
    let url = Url::parse(text.trim()).map_err(|error| invalid(&format!("cannot be read: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("must not hold credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("must not hold a query or a fragment"));
    }
    if url.cannot_be_a_base() || url.host_str().is_none() {
        return Err(invalid("names no host"));
    }
    check_scheme(&url, allow_insecure_http).map_err(invalid)?;
    Ok(url)
}

/// Whether a secret may travel to this URL.
pub(crate) fn check_scheme(url: &Url, allow_insecure_http: bool) -> Result<(), &'static str> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if allow_insecure_http || is_loopback(url) => Ok(()),
        "http" => Err("must begin with https://; plain http is for this machine only (or --allow-insecure-http)"),
        _ => Err("must begin with https://"),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.map_or_else(|_| host == "localhost" || host.ends_with(".localhost"), |address| address.is_loopback())
}

/// What a transport error says, without its URL: a presigned one is a secret.
pub(crate) fn transport_text(error: reqwest::Error) -> String {
    chain(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_in_clear_only_within_this_machine() {
        for good in ["https://api.example.com", "http://127.0.0.1:8080/", "http://[::1]:1", "http://localhost:8080"] {
            assert!(parse_base_url(good, false).is_ok(), "{good}");
        }
        let bad = [
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "ftp://localhost",
            "api.example.com",
            "https://user:pass@api.example.com",
            "https://api.example.com/?token=1",
            "",
        ];
        for bad in bad {
            let error = parse_base_url(bad, false).expect_err(bad);
            assert_eq!(error.code(), ErrorCode::ConfigInvalid);
            assert!(!error.to_string().contains("pass@"), "{error}");
        }
        assert!(parse_base_url("http://api.example.com", true).is_ok());
    }
}
