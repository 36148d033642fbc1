//! Who the caller is.

use jiff::fmt::rfc2822;
use reqwest::header::DATE;
use walwarden_contract::Timestamp;
use walwarden_contract::capabilities::SURFACE_VERSION;
use walwarden_contract::model::{ApiKeyDescription, Profile};

use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::Call;

/// Whether this client and a server understand each other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// Whether they do: the server keeps the same major version of the capability contract, and takes clients as old as
    /// this one. A server that says neither is taken for one of this version.
    pub compatible: bool,
    /// This client's version.
    pub client_version: &'static str,
    /// The version of the capability contract that this client was made for.
    pub client_surface_version: &'static str,
    /// The server's clock when it answered, to the second; `None` when it sent no date.
    pub server_time: Option<Timestamp>,
    /// What the API key is and may do, with the server's versions.
    pub profile: Profile,
}

impl WalwardenClient {
    /// Reads whether this client and the server understand each other, with the profile of the API key. Incompatible is
    /// an `Ok` too: look at the result.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check_compatibility(&self) -> Result<Compatibility, Error> {
        let (headers, profile) = self.transport.send_for_headers::<Profile>(Call::new("getProfile")).await?;
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let server_time = date.and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp().into());
        let client_version = env!("CARGO_PKG_VERSION");
        Ok(Compatibility {
            compatible: understands(&profile, client_version),
            client_version,
            client_surface_version: SURFACE_VERSION,
            server_time,
            profile,
        })
    }

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

fn understands(profile: &Profile, client_version: &str) -> bool {
    let surface = profile.surface_version.as_deref().unwrap_or(SURFACE_VERSION);
    let oldest = profile.min_client_version.as_deref().unwrap_or(client_version);
    match (version(surface), version(SURFACE_VERSION), version(oldest), version(client_version)) {
        (Some([theirs, ..]), Some([ours, ..]), Some(oldest), Some(client)) => theirs == ours && client >= oldest,
        _ => false,
    }
}

/// Major, minor and patch.
fn version(text: &str) -> Option<[u64; 3]> {
    let core = text.split(['-', '+']).next()?;
    let numbers: Option<Vec<u64>> = core.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}
