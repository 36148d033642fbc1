//! Settings from flags and environment: where the API is, and the secrets it is spoken to with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use walwarden_contract::ErrorCode;
use walwarden_sdk::{ClientBuilder, WalwardenClient};

use crate::cli::GlobalArgs;
use crate::failure::Failure;

/// What the server's log shows of this program.
const USER_AGENT: &str = concat!("walwarden-cli/", env!("CARGO_PKG_VERSION"));
const API_KEY_IN_ARGV: &str = "--api-key is visible to other users of this machine: prefer WALWARDEN_API_KEY or \
                               WALWARDEN_API_KEY_FILE";

/// What the environment says, and what the flags put above it.
pub(crate) struct Config {
    api_url: Option<String>,
    api_key: Option<SecretString>,
    allow_insecure_http: bool,
    timeout: Option<Duration>,
    environment: fn(&str) -> Option<OsString>,
}

impl Config {
    pub(crate) fn new(global: GlobalArgs, environment: fn(&str) -> Option<OsString>) -> Self {
        Self {
            api_url: global.api_url,
            api_key: global.api_key,
            allow_insecure_http: global.allow_insecure_http,
            timeout: global.timeout_ms.map(Duration::from_millis),
            environment,
        }
    }

    /// A client of the API, up to the secret that it is spoken to with.
    pub(crate) fn client(&self) -> Result<ClientBuilder, Failure> {
        let builder = WalwardenClient::builder()
            .base_url(self.base_url()?)
            .user_agent(USER_AGENT)
            .allow_insecure_http(self.allow_insecure_http);
        Ok(match self.timeout {
            Some(timeout) => builder.timeout(timeout),
            None => builder,
        })
    }

    /// Where the API is.
    fn base_url(&self) -> Result<String, Failure> {
        let url = match &self.api_url {
            Some(url) => Some(url.clone()),
            None => self.text("WALWARDEN_BASE_URL")?.or(self.text("WALWARDEN_API_URL")?),
        };
        url.ok_or_else(|| invalid("No API address: set WALWARDEN_BASE_URL or give --api-url."))
    }

    /// The API key, and what is to be said about where it came from.
    pub(crate) fn api_key(&self) -> Result<(SecretString, Option<&'static str>), Failure> {
        if let Some(key) = &self.api_key {
            return Ok((key.clone(), Some(API_KEY_IN_ARGV)));
        }
        let key = self.secret("WALWARDEN_API_KEY", "WALWARDEN_API_KEY_FILE")?;
        let key = key.ok_or_else(|| invalid("No API key: set WALWARDEN_API_KEY or WALWARDEN_API_KEY_FILE."))?;
        Ok((key, None))
    }

    /// The restore token.
    pub(crate) fn token(&self) -> Result<SecretString, Failure> {
        let token = self.secret("WALWARDEN_TOKEN", "WALWARDEN_TOKEN_FILE")?;
        token.ok_or_else(|| invalid("No restore token: set WALWARDEN_TOKEN or WALWARDEN_TOKEN_FILE."))
    }

    /// The restore target, when no flag names it.
    pub(crate) fn target(&self) -> Result<Option<SecretString>, Failure> {
        Ok(self.text("WALWARDEN_TARGET_DSN")?.map(SecretString::from))
    }

    fn secret(&self, name: &str, file: &str) -> Result<Option<SecretString>, Failure> {
        if let Some(text) = self.text(name)? {
            return Ok(Some(SecretString::from(text)));
        }
        (self.environment)(file)
            .filter(|path| !path.is_empty())
            .map(|path| read_secret(&PathBuf::from(path)))
            .transpose()
    }

    fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = (self.environment)(name) else {
            return Ok(None);
        };
        let text = value.into_string().map_err(|_| invalid(&format!("{name} is not UTF-8.")))?;
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

/// Reads a file that holds one secret, perhaps with a line break at its end.
pub(crate) fn read_secret(path: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| invalid(&format!("{} cannot be read: {error}.", path.display())))?;
    match text.trim() {
        "" => Err(invalid(&format!("{} is empty.", path.display()))),
        secret => Ok(SecretString::from(secret)),
    }
}

fn invalid(message: &str) -> Failure {
    Failure::new(ErrorCode::ConfigInvalid, message)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn config(environment: fn(&str) -> Option<OsString>) -> Config {
        let global =
            GlobalArgs { json: false, api_url: None, api_key: None, timeout_ms: None, allow_insecure_http: false };
        Config::new(global, environment)
    }

    #[test]
    fn the_older_name_of_the_address_still_works_and_yields() {
        let old = config(|name| (name == "WALWARDEN_API_URL").then(|| "https://old".into()));
        assert_eq!(old.base_url().expect("an address"), "https://old");
        let both = config(|name| match name {
            "WALWARDEN_API_URL" => Some("https://old".into()),
            "WALWARDEN_BASE_URL" => Some("https://new".into()),
            _ => None,
        });
        assert_eq!(both.base_url().expect("an address"), "https://new");
    }

    #[test]
    fn what_is_missing_or_unreadable_is_named() {
        let none = config(|_| None);
        for failure in [none.base_url().err(), none.api_key().err(), none.token().err()] {
            assert_eq!(failure.expect("refused").body.code, ErrorCode::ConfigInvalid);
        }
        let file = config(|name| (name == "WALWARDEN_API_KEY_FILE").then(|| "/nonexistent".into()));
        assert!(file.api_key().expect_err("no such file").body.message.contains("/nonexistent"));
    }

    #[test]
    fn a_key_in_the_arguments_is_warned_about() {
        let mut config = config(|_| Some("from-environment".into()));
        assert!(config.api_key().expect("a key").1.is_none());
        config.api_key = Some(SecretString::from("from-argv"));
        let (key, warning) = config.api_key().expect("a key");
        assert_eq!(key.expose_secret(), "from-argv");
        assert!(warning.is_some());
    }
}
