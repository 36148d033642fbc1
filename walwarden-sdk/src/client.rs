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

    /// The same client for one call that was refused with `human_confirmation_required` and that a person has consented
    /// to since: it sends the challenge from [`Error::confirmation`] along. The challenge holds for the very same call
    /// only, and must not be taken back in a person's place.
    #[must_use]
    pub fn confirming(&self, challenge: &str) -> Self {
        Self { transport: self.transport.confirming(challenge) }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}
