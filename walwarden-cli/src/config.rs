//! Settings: flags before the environment, the environment before a profile of the configuration file.

mod profile;
mod source;

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use secrecy::SecretString;
use walwarden_contract::ErrorCode;
use walwarden_sdk::{ClientBuilder, WalwardenClient};

use self::profile::{Found, Profile};
pub(crate) use self::source::{Source, Sourced};
use crate::cli::GlobalArgs;
use crate::failure::Failure;

/// What the server's log shows of this program.
const USER_AGENT: &str = concat!("walwarden-cli/", env!("CARGO_PKG_VERSION"));
/// No request may take longer than a day.
pub(crate) const MAX_TIMEOUT_MS: u64 = 86_400_000;
/// No secret in a file is longer.
const MAX_SECRET_BYTES: u64 = 64 << 10;
const DEFAULT_PROFILE: &str = "default";
const API_KEY_IN_ARGV: &str = "--api-key is visible to other users of this machine: prefer WALWARDEN_API_KEY or \
                               WALWARDEN_API_KEY_FILE";

type Environment = Box<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// What the flags and the environment say; the configuration file is read once, when something is missing in both.
pub(crate) struct Config {
    flags: GlobalArgs,
    environment: Environment,
    profile: OnceLock<Result<Option<InUse>, Failure>>,
}

/// The profile that settings come from.
struct InUse {
    profile: Profile,
    source: Source,
}

/// Where the API is, and how it is spoken to; every part with the place that it came from.
pub(crate) struct Connection {
    pub(crate) address: Sourced<String>,
    pub(crate) allow_insecure_http: bool,
    /// How long one request may take, where anybody says so.
    pub(crate) timeout: Option<Sourced<Duration>>,
}

impl Connection {
    /// A client of the API, up to the secret that it is spoken to with.
    pub(crate) fn client(&self) -> ClientBuilder {
        let builder = WalwardenClient::builder()
            .base_url(&self.address.value)
            .user_agent(USER_AGENT)
            .allow_insecure_http(self.allow_insecure_http);
        match &self.timeout {
            Some(timeout) => builder.timeout(timeout.value),
            None => builder,
        }
    }
}

impl Config {
    pub(crate) fn new(
        flags: GlobalArgs,
        environment: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        Self { flags, environment: Box::new(environment), profile: OnceLock::new() }
    }

    /// Where the API is, and how it is spoken to.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        if self.named_profile()?.is_some() || self.named_file().is_some() {
            // What was named has to exist, even where nothing of it is needed.
            self.profile()?;
        }
        let address = self.address()?;
        // A profile speaks of its own address, not of one that was put in its place.
        let trusted = matches!(address.source, Source::Profile { .. })
            && self.profile()?.is_some_and(|in_use| in_use.profile.allow_insecure_http);
        let allow_insecure_http = self.flags.allow_insecure_http || trusted;
        Ok(Connection { address, allow_insecure_http, timeout: self.timeout()? })
    }

    fn address(&self) -> Result<Sourced<String>, Failure> {
        if let Some(url) = &self.flags.api_url {
            return Ok(Sourced::new(url.clone(), Source::Flag("--api-url")));
        }
        for name in ["WALWARDEN_BASE_URL", "WALWARDEN_API_URL"] {
            if let Some(url) = self.text(name)? {
                return Ok(Sourced::new(url, Source::Environment(name)));
            }
        }
        let missing = "No API address: set WALWARDEN_BASE_URL, give --api-url, or put baseUrl into a profile.";
        self.of_profile(|profile| profile.base_url.clone())?.ok_or_else(|| invalid(missing))
    }

    fn timeout(&self) -> Result<Option<Sourced<Duration>>, Failure> {
        const NAME: &str = "WALWARDEN_TIMEOUT_MS";
        if let Some(millis) = self.flags.timeout_ms {
            return Ok(Some(Sourced::new(Duration::from_millis(millis), Source::Flag("--timeout-ms"))));
        }
        if let Some(text) = self.text(NAME)? {
            let millis = text.parse().ok().filter(|millis| (1..=MAX_TIMEOUT_MS).contains(millis));
            let wrong = || invalid(format!("{NAME} is no whole number from 1 to {MAX_TIMEOUT_MS}."));
            let timeout = Duration::from_millis(millis.ok_or_else(wrong)?);
            return Ok(Some(Sourced::new(timeout, Source::Environment(NAME))));
        }
        // A file that nobody named must not fail a command for a setting that it can do without: see `warnings`.
        Ok(self.of_profile(|profile| profile.timeout).unwrap_or_default())
    }

    /// The API key.
    pub(crate) fn api_key(&self) -> Result<Sourced<SecretString>, Failure> {
        if let Some(key) = &self.flags.api_key {
            return Ok(Sourced::new(key.clone(), Source::Flag("--api-key")));
        }
        if let Some(key) = self.secret("WALWARDEN_API_KEY", "WALWARDEN_API_KEY_FILE")? {
            return Ok(key);
        }
        if let Some(key) = self.of_profile(|profile| profile.api_key.clone())? {
            return Ok(key);
        }
        let missing = "No API key: set WALWARDEN_API_KEY or WALWARDEN_API_KEY_FILE, or put apiKeyFile into a profile.";
        let file = self.of_profile(|profile| profile.api_key_file.clone())?.ok_or_else(|| invalid(missing))?;
        Ok(Sourced::new(read_secret(&file.value)?, file.source))
    }

    /// The restore token.
    pub(crate) fn token(&self) -> Result<SecretString, Failure> {
        let token = self.secret("WALWARDEN_TOKEN", "WALWARDEN_TOKEN_FILE")?;
        let missing = || invalid("No restore token: set WALWARDEN_TOKEN or WALWARDEN_TOKEN_FILE.");
        Ok(token.ok_or_else(missing)?.value)
    }

    /// The restore target, when no flag names it.
    pub(crate) fn target(&self) -> Result<Option<SecretString>, Failure> {
        Ok(self.text("WALWARDEN_TARGET_DSN")?.map(SecretString::from))
    }

    /// The flags without which a command would reach another API than this one. The API key is none of them.
    pub(crate) fn reaching(&self) -> Vec<String> {
        let flags = &self.flags;
        let config = flags.config.as_ref().and_then(|path| path.to_str()).map(str::to_owned);
        let valued = [
            ("--profile", flags.profile.clone()),
            ("--config", config),
            ("--api-url", flags.api_url.clone().filter(|url| !url.contains(['@', '?', '#']))),
        ];
        let given = valued.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten();
        given.chain(flags.allow_insecure_http.then(|| "--allow-insecure-http".to_owned())).collect()
    }

    /// What deserves a word about where address, API key and time come from.
    pub(crate) fn warnings(&self, connection: &Connection, key: Option<&Source>) -> Vec<String> {
        let mut warnings = Vec::new();
        if matches!(key, Some(Source::Flag(_))) {
            warnings.push(API_KEY_IN_ARGV.to_owned());
        }
        let in_use = match self.profile.get() {
            Some(Ok(Some(in_use))) => in_use,
            Some(Err(failure)) => {
                warnings.push(format!("no profile is used: {}", failure.body.message));
                return warnings;
            }
            _ => return warnings,
        };
        let profile = &in_use.profile;
        let has_key = profile.api_key.is_some() || profile.api_key_file.is_some();
        if let Some(name) = &self.flags.profile {
            let address = Some((profile.base_url.is_some(), "baseUrl", &connection.address.source));
            let key = key.map(|key| (has_key, "API key", key));
            let timeout = connection.timeout.as_ref().map(|it| (profile.timeout.is_some(), "timeoutMs", &it.source));
            for (set, what, source) in [address, key, timeout].into_iter().flatten() {
                if let (true, Source::Environment(variable)) = (set, source) {
                    warnings.push(format!("{variable} overrules the {what} of --profile {name}"));
                }
            }
        }
        if let Some(key) = key {
            let (here, there) = (connection.address.source == in_use.source, key == &in_use.source);
            if there && !here || here && !there && has_key {
                let address = &connection.address.source;
                warnings.push(format!("the API key ({key}) and the address ({address}) come from different places"));
            }
        }
        warnings
    }

    fn of_profile<T>(&self, setting: impl Fn(&Profile) -> Option<T>) -> Result<Option<Sourced<T>>, Failure> {
        let in_use = self.profile()?;
        Ok(in_use.and_then(|in_use| Some(Sourced::new(setting(&in_use.profile)?, in_use.source.clone()))))
    }

    fn profile(&self) -> Result<Option<&InUse>, Failure> {
        self.profile.get_or_init(|| self.read_profile()).as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    fn read_profile(&self) -> Result<Option<InUse>, Failure> {
        let named = self.named_profile()?;
        let named_file = self.named_file();
        let file = named_file.clone().map(|file| file.value).or_else(|| self.default_file());
        let absent = |what: String| {
            named.as_ref().map_or(Ok(None), |named| {
                Err(invalid(format!("There is no profile with the name that {} gives: {what}.", named.source)))
            })
        };
        let Some(file) = file else { return absent("no configuration file is known".to_owned()) };
        let name = named.as_ref().map_or(DEFAULT_PROFILE, |named| &named.value);
        match profile::read(&file, name)? {
            Found::Profile(profile) => {
                let source = Source::Profile { name: name.to_owned(), file };
                Ok(Some(InUse { profile, source }))
            }
            Found::NoProfile => absent(format!("{} holds none", file.display())),
            Found::NoFile => match named_file {
                Some(named) => {
                    Err(invalid(format!("{}, which {} names, does not exist.", file.display(), named.source)))
                }
                None => absent(format!("{} does not exist", file.display())),
            },
        }
    }

    fn named_profile(&self) -> Result<Option<Sourced<String>>, Failure> {
        if let Some(name) = &self.flags.profile {
            return Ok(Some(Sourced::new(name.clone(), Source::Flag("--profile"))));
        }
        let name = self.text("WALWARDEN_PROFILE")?;
        Ok(name.map(|name| Sourced::new(name, Source::Environment("WALWARDEN_PROFILE"))))
    }

    fn named_file(&self) -> Option<Sourced<PathBuf>> {
        if let Some(path) = &self.flags.config {
            return Some(Sourced::new(path.clone(), Source::Flag("--config")));
        }
        let path = self.variable("WALWARDEN_CONFIG")?;
        Some(Sourced::new(path.into(), Source::Environment("WALWARDEN_CONFIG")))
    }

    /// The file that is read when none is named, by the XDG base directory specification.
    fn default_file(&self) -> Option<PathBuf> {
        let absolute = |name| self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
        Some(folder.join("walwarden/config.json"))
    }

    fn secret(&self, name: &'static str, file: &'static str) -> Result<Option<Sourced<SecretString>>, Failure> {
        if let Some(text) = self.text(name)? {
            return Ok(Some(Sourced::new(text.into(), Source::Environment(name))));
        }
        let path = self.variable(file).map(PathBuf::from);
        path.map(|path| Ok(Sourced::new(read_secret(&path)?, Source::Environment(file)))).transpose()
    }

    fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = self.variable(name) else {
            return Ok(None);
        };
        let text = value.into_string().map_err(|_| invalid(format!("{name} is not UTF-8.")))?;
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }
}

/// Reads a file that holds one secret, perhaps with a line break at its end. It may be a mounted one, readable for all.
pub(crate) fn read_secret(path: &Path) -> Result<SecretString, Failure> {
    let refused = |reason: &str| invalid(format!("{} {reason}.", path.display()));
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text));
    let length = read.map_err(|error| refused(&format!("cannot be read: {error}")))?;
    match text.trim() {
        _ if length as u64 > MAX_SECRET_BYTES => Err(refused("is larger than 64 KiB")),
        "" => Err(refused("is empty")),
        secret => Ok(SecretString::from(secret)),
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::ConfigInvalid, message)
}

#[cfg(test)]
mod tests;
