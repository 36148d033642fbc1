//! The service itself: whether it can do its work, and what agents may call.

use walwarden_contract::model::{Readiness, ToolCatalog};

use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::Call;

impl WalwardenClient {
    /// Reads whether the service can do its work now. A failed check is an `Ok` too: look at the result.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn get_readiness(&self) -> Result<Readiness, Error> {
        self.transport.send(Call::new("getReadiness")).await
    }

    /// Lists the tools that this API key may call, for programs that choose by themselves.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_tools(&self) -> Result<ToolCatalog, Error> {
        self.transport.send(Call::new("listTools")).await
    }
}
