//! Who the caller is.

use walwarden_contract::model::Profile;

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
}
