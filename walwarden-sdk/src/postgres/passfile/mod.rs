//! How a connection string reaches libpq: `PG*` variables and a private passfile, never a URL in an argument list.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tempfile::{NamedTempFile, TempPath};

use super::dsn::{Dsn, KEEPALIVE_DEFAULTS, environment_variable, is_conninfo_only};

const DEFAULT_CONNECT_TIMEOUT_SECONDS: &str = "15";
const APPLICATION_NAME: &str = "walwarden";

/// Variables which may fill what a connection string leaves open: who connects and how, never where to.
const AMBIENT_VARIABLES: &[&str] = &[
    "PGCHANNELBINDING",
    "PGGSSENCMODE",
    "PGGSSLIB",
    "PGKRBSRVNAME",
    "PGREQUIREAUTH",
    "PGSSLCERT",
    "PGSSLCERTMODE",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLKEY",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMODE",
    "PGSSLNEGOTIATION",
    "PGSSLROOTCERT",
    "PGUSER",
];

/// What the caller's own environment adds to a connection string.
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// `PGPASSWORD`, used when the connection string has no password.
    pub pgpassword: Option<SecretString>,
    /// `PGPASSFILE`, used when neither the connection string nor `pgpassword` has one.
    pub pgpassfile: Option<PathBuf>,
    /// `HOME`, where libpq looks for `.pgpass` and `.postgresql/root.crt`.
    pub home: Option<PathBuf>,
    /// Further `PG*` variables (role, TLS, GSS); others are ignored, above all those which name a server.
    pub variables: Vec<(String, String)>,
}

impl Ambient {
    /// Reads this process's environment.
    #[must_use]
    pub fn from_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            pgpassword: text("PGPASSWORD").map(SecretString::from),
            pgpassfile: path("PGPASSFILE"),
            home: path("HOME"),
            variables: AMBIENT_VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect(),
        }
    }
}

/// The environment which gives a Postgres tool its connection; owns the temporary passfile.
///
/// The passfile is removed when the last clone is dropped; a running tool holds one.
#[derive(Clone)]
pub struct LibpqEnv {
    variables: Vec<(OsString, OsString)>,
    connection_argument: String,
    secrets: Vec<SecretString>,
    passfile: Option<Arc<TempPath>>,
}

impl Dsn {
    /// Writes the passfile (mode 0600, in `directory` or the system's temporary one) and the variables for libpq.
    ///
    /// # Errors
    /// When the passfile cannot be written, or a password holds a line break.
    pub fn libpq_env(&self, directory: Option<&Path>, ambient: &Ambient) -> io::Result<LibpqEnv> {
        let mut variables: Vec<(OsString, OsString)> = Vec::new();
        let mut set = |name: &str, value: &OsStr| match variables.iter_mut().find(|(known, _)| known == name) {
            Some(pair) => value.clone_into(&mut pair.1),
            None => variables.push((name.into(), value.to_owned())),
        };
        set("PGCONNECT_TIMEOUT", DEFAULT_CONNECT_TIMEOUT_SECONDS.as_ref());
        set("PGAPPNAME", APPLICATION_NAME.as_ref());
        for (name, value) in &ambient.variables {
            if AMBIENT_VARIABLES.contains(&name.as_str()) {
                set(name, value.as_ref());
            }
        }
        if let Some(home) = &ambient.home {
            set("HOME", home.as_os_str());
        }
        if self.hosts().iter().any(|host| !host.name.is_empty()) {
            let names: Vec<&str> = self.hosts().iter().map(|host| host.name.as_str()).collect();
            set("PGHOST", names.join(",").as_ref());
        }
        if self.hosts().iter().any(|host| host.port.is_some()) {
            let port = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
            let ports: Vec<String> = self.hosts().iter().map(|host| port(host.port)).collect();
            set("PGPORT", ports.join(",").as_ref());
        }
        if let Some(user) = self.user() {
            set("PGUSER", user.as_ref());
        }
        if let Some(database) = self.database() {
            set("PGDATABASE", database.as_ref());
        }
        for (name, value) in self.parameters() {
            if let Some(variable) = environment_variable(name) {
                set(variable, value.as_ref());
            }
        }
        let password = self.password().or(ambient.pgpassword.as_ref()).filter(|text| !text.expose_secret().is_empty());
        let passfile = password.map(|password| write_passfile(directory, self.user(), password)).transpose()?;
        if let Some(path) = passfile.as_deref().map(|path| path.as_os_str()) {
            set("PGPASSFILE", path);
        } else if let Some(path) = &ambient.pgpassfile {
            set("PGPASSFILE", path.as_os_str());
        }
        Ok(LibpqEnv {
            variables,
            connection_argument: connection_argument(self),
            secrets: password.into_iter().cloned().collect(),
            passfile,
        })
    }
}

impl LibpqEnv {
    /// The variables to set in the child's otherwise empty environment; none holds a secret.
    #[must_use]
    pub fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// The `--dbname` argument: keepalives only, because libpq has no variables for them; never a secret or a name.
    #[must_use]
    pub fn connection_argument(&self) -> &str {
        &self.connection_argument
    }

    /// The passwords behind this environment, for redacting what a tool writes.
    #[must_use]
    pub fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }

    /// The same connection to another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        let mut env = self.clone();
        env.variables.retain(|(name, _)| name != "PGDATABASE");
        env.variables.push(("PGDATABASE".into(), database.into()));
        env
    }

    /// The temporary passfile, where there is one.
    #[must_use]
    pub fn passfile(&self) -> Option<&Path> {
        self.passfile.as_deref().map(AsRef::as_ref)
    }
}

impl fmt::Debug for LibpqEnv {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LibpqEnv").field("variables", &self.variables).finish_non_exhaustive()
    }
}

fn connection_argument(dsn: &Dsn) -> String {
    let given = dsn.parameters().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let given: Vec<(&str, &str)> = given.filter(|(name, _)| is_conninfo_only(name)).collect();
    let defaults = KEEPALIVE_DEFAULTS.iter().filter(|(name, _)| given.iter().all(|(known, _)| known != name));
    // Values are numbers, checked when the connection string was parsed, so they need no quoting.
    let pairs: Vec<String> = defaults.chain(&given).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

/// One line for every host, port and database of this connection: libpq may try several, or reconnect to another.
fn passfile_line(user: Option<&str>, password: &str) -> String {
    let user = user.map_or_else(|| "*".to_owned(), escape);
    format!("*:*:*:{user}:{}\n", escape(password))
}

fn escape(field: &str) -> String {
    field.replace('\\', "\\\\").replace(':', "\\:")
}

fn write_passfile(directory: Option<&Path>, user: Option<&str>, password: &SecretString) -> io::Result<Arc<TempPath>> {
    let password = password.expose_secret();
    if password.contains(['\n', '\r', '\0']) || user.is_some_and(|user| user.contains(['\n', '\r', '\0'])) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a password or role with a line break"));
    }
    // tempfile creates files with mode 0600 and a random name, exclusively.
    let mut file = match directory {
        Some(directory) => NamedTempFile::with_prefix_in("walwarden-pass-", directory)?,
        None => NamedTempFile::with_prefix("walwarden-pass-")?,
    };
    file.write_all(passfile_line(user, password).as_bytes())?;
    file.flush()?;
    Ok(Arc::new(file.into_temp_path()))
}

#[cfg(test)]
mod tests;
