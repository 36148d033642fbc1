//! Who the caller is.

use walwarden_contract::model::{ApiKeyDescription, Profile};

use crate::client::Client;
use crate::error::Error;
use crate::request::Call;

impl Client {
    /// Reads what the API key is and may do.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_profile(&self) -> Result<Profile, Error> {
        self.transport.send(Call::new("getProfile")).await
    }

    /// Reads the API key that asks, and the operations that it may call.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_api_key(&self) -> Result<ApiKeyDescription, Error> {
        self.transport.send(Call::new("getApiKey")).await
    }
}
