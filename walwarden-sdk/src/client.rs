//! The client for callers with an API key. Its methods stand in `resources/`, one file per resource.

use secrecy::SecretString;

use crate::error::Error;
use crate::request::{Endpoint, Transport};

/// A client of one Walwarden API with one API key. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(crate) transport: Transport,
}

impl Client {
    /// A client that speaks to `endpoint` through `http` (see [`crate::api_http_client`]).
    ///
    /// # Errors
    /// `config_invalid` when the address is neither https nor local, or the key cannot stand in a header.
    pub fn new(endpoint: &Endpoint, api_key: SecretString, http: reqwest::Client) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(endpoint, api_key, http)? })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}
