//! Where a setting is looked for, in order, and what it is called there.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::Environment;
use super::arguments::{CommonArguments, Flags, ServeArguments};
use super::error::ConfigError;
use super::table::{Kind, SETTINGS, Setting};
use crate::secrets::{KeySource, read_secret_text};

/// Everything that was given, by anyone.
pub(super) struct Layers<'a> {
    flags: Flags,
    env: &'a Environment<'a>,
    file: toml::Table,
}

/// A value, and the name under which it was given.
struct Found {
    text: String,
    origin: String,
}

/// A secret as it was given: by value or by path.
enum Secret {
    Value(Found),
    Path(Found),
}

fn setting(name: &str) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.name == name).expect("only settings of the table are asked for")
}

impl<'a> Layers<'a> {
    pub(super) fn read(
        common: &CommonArguments,
        serve: Option<&ServeArguments>,
        env: &'a Environment<'a>,
    ) -> Result<Self, ConfigError> {
        let mut flags = common.flags.clone();
        flags.extend(serve.into_iter().flat_map(|serve| serve.flags.clone()));
        let variable = || env("WALWARDEN_CONFIG").filter(|text| !text.is_empty()).map(PathBuf::from);
        let file = match common.config.clone().or_else(variable) {
            Some(path) => read_file(&path)?,
            None => toml::Table::new(),
        };
        Ok(Self { flags, env, file })
    }

    fn variable(&self, name: String) -> Option<Found> {
        // Compose files set what they do not know to the empty text.
        let text = (self.env)(&name).filter(|text| !text.is_empty())?;
        Some(Found { text, origin: name })
    }

    fn key(&self, key: &str) -> Result<Option<Found>, ConfigError> {
        let Some(value) = self.file.get(key) else {
            return Ok(None);
        };
        let origin = format!("{key} in the configuration file");
        match value {
            toml::Value::String(text) => Ok(Some(Found { text: text.clone(), origin })),
            toml::Value::Integer(number) => Ok(Some(Found { text: number.to_string(), origin })),
            _ => Err(ConfigError::Invalid { origin, reason: "expected a text or a whole number".to_owned() }),
        }
    }

    fn plain(&self, setting: &Setting) -> Result<Option<Found>, ConfigError> {
        if let Some(text) = self.flags.get(&setting.flag_key()) {
            return Ok(Some(Found { text: text.clone(), origin: setting.flag() }));
        }
        match self.variable(setting.variable()) {
            Some(found) => Ok(Some(found)),
            None => self.key(setting.name),
        }
    }

    /// A setting without a default.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(found) = self.plain(setting(name))? else {
            return Ok(None);
        };
        read(&found.text).map(Some).map_err(|reason| ConfigError::Invalid { origin: found.origin, reason })
    }

    /// A setting with a default.
    pub(super) fn value<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        let setting = setting(name);
        let default = || Found { text: setting.default.unwrap_or_default().to_owned(), origin: name.to_owned() };
        let found = self.plain(setting)?.unwrap_or_else(default);
        read(&found.text).map_err(|reason| ConfigError::Invalid { origin: found.origin, reason })
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, name: &str, least: u32, most: u32) -> Result<u32, ConfigError> {
        self.value(name, |text| {
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("expected a whole number from {least} to {most}"))
        })
    }

    fn find_secret(&self, name: &str) -> Result<Option<Secret>, ConfigError> {
        let setting = setting(name);
        if let Some(text) = self.flags.get(&setting.flag_key()) {
            return Ok(Some(Secret::Path(Found { text: text.clone(), origin: setting.flag() })));
        }
        let variable = setting.variable();
        let from_environment = one_of(self.variable(variable.clone()), self.variable(format!("{variable}_FILE")))?;
        if from_environment.is_some() {
            return Ok(from_environment);
        }
        one_of(self.key(name)?, self.key(&setting.flag_key())?)
    }

    /// A secret.
    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretString>, ConfigError> {
        match self.find_secret(name)? {
            None => Ok(None),
            Some(Secret::Value(found)) => Ok(Some(found.text.into())),
            Some(Secret::Path(found)) => {
                let read = read_secret_text(Path::new(&found.text));
                read.map(Some).map_err(|source| ConfigError::SecretFile { origin: found.origin, source })
            }
        }
    }

    /// Under which name a secret was given, if it was.
    pub(super) fn secret_origin(&self, name: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.find_secret(name)?.map(|secret| match secret {
            Secret::Value(found) | Secret::Path(found) => found.origin,
        }))
    }

    /// Where a key comes from, unless from the data directory.
    pub(super) fn key_source(&self, name: &str) -> Result<Option<KeySource>, ConfigError> {
        Ok(self.find_secret(name)?.map(|secret| match secret {
            Secret::Value(found) => KeySource::Text(found.text.into()),
            Secret::Path(found) => KeySource::File(found.text.into()),
        }))
    }
}

fn one_of(value: Option<Found>, path: Option<Found>) -> Result<Option<Secret>, ConfigError> {
    match (value, path) {
        (Some(one), Some(other)) => Err(ConfigError::Both { one: one.origin, other: other.origin }),
        (Some(value), None) => Ok(Some(Secret::Value(value))),
        (None, Some(path)) => Ok(Some(Secret::Path(path))),
        (None, None) => Ok(None),
    }
}

/// The keys that a configuration file may hold.
fn known_keys() -> Vec<String> {
    let by_value = SETTINGS.iter().filter(|setting| setting.kind != Kind::Key).map(|setting| setting.name.to_owned());
    let by_path = SETTINGS.iter().filter(|setting| setting.kind != Kind::Plain).map(Setting::flag_key);
    by_value.chain(by_path).collect()
}

fn read_file(path: &Path) -> Result<toml::Table, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // Not the error's own text: it quotes the line, which may hold a secret.
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        ConfigError::Toml { path: path.to_owned(), line, message: error.message().to_owned() }
    })?;
    let known = known_keys();
    match table.keys().find(|key| !known.contains(key)) {
        Some(key) => Err(ConfigError::UnknownKey { path: path.to_owned(), key: key.clone(), known }),
        None => Ok(table),
    }
}
