//! Postgres connection strings: parsed once, printed only without their secrets.

mod keyvalue;
mod parameters;
mod uri;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

pub(super) use parameters::{KEEPALIVE_DEFAULTS, environment_variable, is_conninfo_only};
pub(super) use uri::percent_encoded;

/// A Postgres connection string, in either of libpq's forms, understood and checked.
///
/// `Debug` shows [`Dsn::redacted`]; the password can only leave through [`Dsn::to_uri`] or a passfile.
#[derive(Clone, Default)]
pub struct Dsn {
    hosts: Vec<Host>,
    user: Option<String>,
    password: Option<SecretString>,
    database: Option<String>,
    parameters: BTreeMap<String, String>,
}

/// One server of a connection string, in the order libpq tries them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Host name, address, or the directory of a Unix socket; empty means libpq's default.
    pub name: String,
    /// TCP port or socket suffix; `None` means 5432.
    pub port: Option<u16>,
}

/// Why a connection string was refused; never holds any part of its values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsnError {
    /// Nothing was given.
    #[error("the connection string is empty")]
    Empty,
    /// Neither `postgres://` nor `postgresql://` nor `key=value`.
    #[error("the connection string starts with neither postgres:// nor postgresql:// and is no list of key=value")]
    UnsupportedScheme,
    /// A `%` is not followed by two hexadecimal digits, or the decoded text is not UTF-8.
    #[error("the connection string holds an invalid percent-encoding")]
    InvalidPercentEncoding,
    /// A NUL, line break or another control character.
    #[error("the connection string holds a control character")]
    ControlCharacter,
    /// A port is not a number from 1 to 65535, or the counts of hosts and ports differ.
    #[error("the connection string holds an invalid port")]
    InvalidPort,
    /// A bracketed address is not closed.
    #[error("the connection string holds an invalid host")]
    InvalidHost,
    /// The user name or the password holds characters which end it early.
    #[error("percent-encode (URI) or quote (key=value) the special characters in the user name and the password")]
    UnescapedCredentials,
    /// A quote is not closed or an `=` is missing.
    #[error("the key=value connection string is malformed: check its quotes and equals signs")]
    MalformedKeyValue,
    /// A parameter libpq does not have, or one which Walwarden refuses.
    #[error("the connection parameter \"{name}\" is not supported")]
    UnknownParameter {
        /// The parameter's name, without its value.
        name: String,
    },
    /// A parameter's value is outside what libpq accepts.
    #[error("the connection parameter \"{name}\" has an invalid value")]
    InvalidValue {
        /// The parameter's name, without its value.
        name: String,
    },
}

impl Dsn {
    /// Parses a URI (`postgres://`, `postgresql://`) or `key=value` connection string.
    ///
    /// # Errors
    /// [`DsnError`], which never repeats the input's values.
    pub fn parse(text: &str) -> Result<Self, DsnError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DsnError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(DsnError::ControlCharacter);
        }
        let dsn = match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => uri::parse(rest)?,
            Some((scheme, _)) if !scheme.contains('=') => return Err(DsnError::UnsupportedScheme),
            _ if text.contains('=') => keyvalue::parse(text)?,
            _ => return Err(DsnError::UnsupportedScheme),
        };
        Ok(dsn)
    }

    /// The database to connect to, if the string names one.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The role to connect as; `None` leaves it to libpq.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The servers in the order libpq tries them; empty means libpq's default.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// A connection parameter such as `sslmode`, if the string sets it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether the string itself holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The same servers and role, with another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: Some(database.to_owned()), ..self.clone() }
    }

    /// The same servers, role and database, with this password.
    #[must_use]
    pub fn with_password(&self, password: SecretString) -> Self {
        Self { password: Some(password), ..self.clone() }
    }

    /// `postgresql://user@host:5432/db`: fit for people and logs; never a password or a parameter.
    #[must_use]
    pub fn redacted(&self) -> String {
        uri::format(self, uri::Detail::Redacted)
    }

    /// [`Dsn::redacted`] with the parameters, for a command to be run later; `None` when one of them may hold a secret.
    #[must_use]
    pub fn shareable(&self) -> Option<String> {
        let secret = self.parameters.iter().any(|(name, value)| parameters::may_hold_secret(name, value));
        (!secret).then(|| self.without_password())
    }

    /// Everything but the password, the parameters in order.
    pub(crate) fn without_password(&self) -> String {
        uri::format(self, uri::Detail::WithoutPassword)
    }

    /// The whole connection string, password included, for sealing at rest; parses back to the same [`Dsn`].
    #[must_use]
    pub fn to_uri(&self) -> SecretString {
        SecretString::from(uri::format(self, uri::Detail::Full))
    }

    /// A server of our own on the loopback interface.
    pub(super) fn loopback(port: u16, user: &str, password: SecretString, database: &str) -> Self {
        Self {
            hosts: vec![Host { name: "127.0.0.1".to_owned(), port: Some(port) }],
            user: Some(user.to_owned()),
            password: Some(password),
            database: Some(database.to_owned()),
            parameters: BTreeMap::from([("sslmode".to_owned(), "disable".to_owned())]),
        }
    }

    pub(super) fn password(&self) -> Option<&SecretString> {
        self.password.as_ref()
    }

    pub(super) fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// Sets one `key=value` pair, whichever form it came from.
    fn set(&mut self, name: &str, value: String) -> Result<(), DsnError> {
        if value.chars().any(char::is_control) {
            return Err(DsnError::ControlCharacter);
        }
        let text = Some(value).filter(|value| !value.is_empty());
        match name {
            "user" => self.user = text,
            "password" => self.password = text.map(SecretString::from),
            "dbname" => self.database = text,
            _ => {
                parameters::check(name, text.as_deref())?;
                match text {
                    Some(value) => self.parameters.insert(name.to_owned(), value),
                    None => self.parameters.remove(name),
                };
            }
        }
        Ok(())
    }

    /// Replaces the host names, the ports, or both, from comma-separated lists.
    fn set_hosts(&mut self, names: Option<&str>, ports: Option<&str>) -> Result<(), DsnError> {
        for text in [names, ports].into_iter().flatten() {
            if text.chars().any(char::is_control) {
                return Err(DsnError::ControlCharacter);
            }
        }
        if let Some(names) = names {
            let given = names.split(',').map(|name| Host { name: name.to_owned(), port: None });
            let mut hosts: Vec<Host> = given.collect();
            if hosts.len() == self.hosts.len() {
                for (host, earlier) in hosts.iter_mut().zip(&self.hosts) {
                    host.port = earlier.port;
                }
            } else if let [only] = self.hosts.as_slice() {
                for host in &mut hosts {
                    host.port = only.port;
                }
            }
            self.hosts = hosts;
        }
        if let Some(ports) = ports {
            let ports = ports.split(',').map(parse_port).collect::<Result<Vec<_>, _>>()?;
            if self.hosts.is_empty() {
                self.hosts = vec![Host::default(); ports.len()];
            }
            match ports.as_slice() {
                [port] => self.hosts.iter_mut().for_each(|host| host.port = *port),
                ports if ports.len() == self.hosts.len() => {
                    for (host, port) in self.hosts.iter_mut().zip(ports) {
                        host.port = *port;
                    }
                }
                _ => return Err(DsnError::InvalidPort),
            }
        }
        if let [Host { name, port: None }] = self.hosts.as_slice()
            && name.is_empty()
        {
            self.hosts.clear();
        }
        Ok(())
    }
}

fn parse_port(text: &str) -> Result<Option<u16>, DsnError> {
    match text {
        "" => Ok(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).map(Some).ok_or(DsnError::InvalidPort)
        }
        _ => Err(DsnError::InvalidPort),
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Dsn").field(&self.redacted()).finish()
    }
}

impl PartialEq for Dsn {
    fn eq(&self, other: &Self) -> bool {
        let password = |dsn: &Self| dsn.password.as_ref().map(|secret| secret.expose_secret().to_owned());
        self.hosts == other.hosts
            && self.user == other.user
            && self.database == other.database
            && self.parameters == other.parameters
            && password(self) == password(other)
    }
}

impl Eq for Dsn {}
