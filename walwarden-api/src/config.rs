//! Settings: flags win over the environment, the environment over the configuration file, the file over the defaults.

mod arguments;
mod error;
mod layers;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use walwarden_sdk::postgres::Tools;

use crate::secrets::{KeyFile, KeySource, KeySources, TokenSettings};
use layers::Layers;

pub use arguments::{CommonArguments, ServeArguments};
pub use error::ConfigError;

/// Looks an environment variable up. Handed in, so that tests need not change the process.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What a server process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// API, worker and scheduler.
    All,
    /// Only the API.
    Api,
    /// Only the worker and the scheduler.
    Worker,
}

impl Role {
    /// Whether the process answers requests.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    /// Whether the process runs jobs.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Every setting of a server process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Holds the keys and, unless `database_url` is set, the store.
    pub data_dir: PathBuf,
    /// The Postgres store; `None` for the embedded one.
    pub database_url: Option<SecretString>,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// What the process does.
    pub role: Role,
    /// Requests per second that one API key or restore job may send in the long run; 0 for no limit.
    pub requests_per_second: u32,
    /// Requests that it may send at once, before that counts.
    pub request_burst: u32,
    /// Backups at a time.
    pub workers: u32,
    /// Memory for the parts of one backup, in MiB.
    pub part_memory_mib: u32,
    /// After this long without a sign of life a worker is taken for dead.
    pub lease_seconds: u32,
    /// Attempts of one backup.
    pub backup_attempts: u32,
    /// How long the second attempt waits; each further one waits twice as long.
    pub retry_delay_seconds: u32,
    /// Over how long scheduled backups of one moment are spread.
    pub schedule_spread_seconds: u32,
    /// How long after one search of a bucket for unfinished uploads the next follows.
    pub upload_sweep_seconds: u32,
    /// From which age on an unfinished upload of an unknown backup is given up.
    pub upload_grace_seconds: u32,
    /// After this long without a sign of life a restore is sealed as timed out.
    pub restore_timeout_seconds: u32,
    /// How long a presigned URL is honoured.
    pub presign_seconds: u32,
    /// How long running work may take to end when the process is asked to stop.
    pub shutdown_seconds: u32,
    /// How long `pg_dump` waits for a locked table.
    pub lock_wait_seconds: u32,
    /// How often every audit chain is checked.
    pub audit_check_seconds: u32,
    /// How often schedules, chains, manifests and buckets are held against each other.
    pub inventory_check_seconds: u32,
    /// Where `pg_dump` is; `None` to search PATH.
    pub pg_bin_dir: Option<PathBuf>,
    /// The AWS identity of this server, as the trust policies of roles name it.
    pub aws_principal: Option<String>,
    /// The log filter, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where the keys come from.
    pub keys: KeySources,
}

impl Settings {
    /// Reads every setting.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the setting and where it was read.
    pub fn load(
        common: &CommonArguments,
        serve: Option<&ServeArguments>,
        env: &Environment<'_>,
    ) -> Result<Self, ConfigError> {
        let layers = Layers::read(common, serve, env)?;
        let data_dir: PathBuf = layers.value("data_dir", path)?;
        let key = |name, file: KeyFile| -> Result<KeySource, ConfigError> {
            let default = || KeySource::File(data_dir.join(file.file_name()));
            Ok(layers.key_source(name)?.unwrap_or_else(default))
        };
        Ok(Self {
            keys: KeySources {
                sealing: key("sealing_key", KeyFile::Sealing)?,
                signing: key("signing_key", KeyFile::Signing)?,
                token: key("token_key", KeyFile::Token)?,
                pkcs11: pkcs11(&layers)?,
            },
            data_dir,
            database_url: layers.secret("database_url")?.map(postgres_url).transpose()?,
            listen: layers.value("listen", |text| {
                SocketAddr::from_str(text)
                    .map_err(|_| "expected an address and a port, for example 127.0.0.1:8420".into())
            })?,
            role: layers.value("role", |text| match text {
                "all" => Ok(Role::All),
                "api" => Ok(Role::Api),
                "worker" => Ok(Role::Worker),
                _ => Err("expected all, api or worker".into()),
            })?,
            requests_per_second: layers.number("requests_per_second", 0, 1_000_000)?,
            request_burst: layers.number("request_burst", 1, 1_000_000)?,
            workers: layers.number("workers", 1, 64)?,
            part_memory_mib: layers.number("part_memory_mib", 32, 8192)?,
            lease_seconds: layers.number("lease_seconds", 1, 3600)?,
            backup_attempts: layers.number("backup_attempts", 1, 20)?,
            retry_delay_seconds: layers.number("retry_delay_seconds", 0, 3600)?,
            schedule_spread_seconds: layers.number("schedule_spread_seconds", 0, 86_400)?,
            upload_sweep_seconds: layers.number("upload_sweep_seconds", 1, 604_800)?,
            upload_grace_seconds: layers.number("upload_grace_seconds", 0, 2_592_000)?,
            restore_timeout_seconds: layers.number("restore_timeout_seconds", 1, 86_400)?,
            presign_seconds: layers.number("presign_seconds", 1, 604_800)?,
            shutdown_seconds: layers.number("shutdown_seconds", 0, 3600)?,
            lock_wait_seconds: layers.number("lock_wait_seconds", 1, 86_400)?,
            audit_check_seconds: layers.number("audit_check_seconds", 1, 604_800)?,
            inventory_check_seconds: layers.number("inventory_check_seconds", 1, 604_800)?,
            pg_bin_dir: layers.optional("pg_bin_dir", path)?,
            aws_principal: layers.optional("aws_principal", |text| {
                let expected = "expected an ARN such as arn:aws:iam::210987654321:role/walwarden";
                is_principal(text).then(|| text.to_owned()).ok_or_else(|| expected.into())
            })?,
            log: layers.value("log", |text| match tracing_subscriber::EnvFilter::try_new(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("expected a filter such as info,walwarden_api=debug: {error}")),
            })?,
            log_format: layers.value("log_format", |text| match text {
                "text" => Ok(LogFormat::Text),
                "json" => Ok(LogFormat::Json),
                _ => Err("expected text or json".into()),
            })?,
        })
    }
}

impl Settings {
    /// Where the Postgres client tools are looked for.
    #[must_use]
    pub fn tools(&self) -> Tools {
        match &self.pg_bin_dir {
            // Somebody chose a version: another one found elsewhere would be a surprise.
            Some(directory) => Tools::discover(Some(directory), None),
            None => Tools::discover(None, std::env::var_os("PATH").as_deref()).with_system_directories(),
        }
    }

    /// What the parts of one backup may use.
    #[must_use]
    pub fn part_memory_bytes(&self) -> u64 {
        u64::from(self.part_memory_mib) << 20
    }
}

/// Whether a text names one account, role or user; `*` would be everybody.
pub(crate) fn is_principal(text: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, name] = parts.as_slice() else { return false };
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (*name == "root" || name.starts_with("role/") || name.starts_with("user/"))
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&byte))
}

/// The PKCS#11 token. Nothing of it means anything without its module, and a key in it leaves no room for another one.
fn pkcs11(layers: &Layers<'_>) -> Result<Option<TokenSettings>, ConfigError> {
    let text = |name| layers.optional(name, |text| Ok(text.to_owned()));
    let (token, key_label, pin) = (text("pkcs11_token")?, text("pkcs11_key_label")?, layers.secret("pkcs11_pin")?);
    if key_label.is_some()
        && let Some(origin) = layers.secret_origin("signing_key")?
    {
        return Err(ConfigError::Both { one: origin, other: "pkcs11_key_label".to_owned() });
    }
    match layers.optional("pkcs11_module", path)? {
        Some(module) => Ok(Some(TokenSettings { module, token, pin, key_label })),
        None if token.is_none() && key_label.is_none() && pin.is_none() => Ok(None),
        None => {
            let reason = "pkcs11_token, pkcs11_key_label and pkcs11_pin need it".to_owned();
            Err(ConfigError::Invalid { origin: "pkcs11_module".to_owned(), reason })
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "has the shape of the other readers of a setting")]
fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

fn postgres_url(url: SecretString) -> Result<SecretString, ConfigError> {
    use secrecy::ExposeSecret;
    let text = url.expose_secret();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        Ok(url)
    } else {
        let reason = "expected postgres://…; leave it out for the embedded store".to_owned();
        Err(ConfigError::Invalid { origin: "database_url".to_owned(), reason })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Worker => "worker",
        })
    }
}
