//! `walwarden-api init`: the data directory, the keys, the store and the first organization.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde_json::json;
use walwarden_contract::{ErrorCode, OrgId};

use super::arguments::{CommonArguments, InitArguments};
use super::output::{CommandResult, Failure, Outcome, details};
use crate::config::{Environment, Settings};
use crate::registry::name_problem;
use crate::secrets::{KeyFile, KeySource, Keyring, KeyringError, generate_in_token};
use crate::store::Store;
use crate::store::organizations::Organization;
use crate::system::System;

/// The embedded store's file in the data directory.
const STORE_FILE: &str = "walwarden.sqlite";

fn create_data_dir(path: &Path) -> Result<(), Failure> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => {
            Err(Failure::new(ErrorCode::ConfigInvalid, format!("{} cannot be created: {error}", path.display())))
        }
    }
}

/// The keys that are not given from elsewhere, and so belong into the data directory.
fn keys_to_make(settings: &Settings) -> Vec<KeyFile> {
    let in_token = settings.keys.signs_with_token().is_some();
    let own = |key: &KeyFile| {
        if *key == KeyFile::Signing && in_token {
            return false;
        }
        let path = settings.data_dir.join(key.file_name());
        matches!(settings.keys.of(*key), KeySource::File(file) if *file == path)
    };
    KeyFile::ALL.into_iter().filter(own).collect()
}

fn refuse_what_exists(settings: &Settings, keys: &[KeyFile]) -> Result<(), Failure> {
    let store = settings.database_url.is_none().then_some(STORE_FILE);
    let names = keys.iter().map(|key| key.file_name()).chain(store);
    let paths: Vec<_> =
        names.map(|name| settings.data_dir.join(name)).filter(|path| fs::symlink_metadata(path).is_ok()).collect();
    if paths.is_empty() { Ok(()) } else { Err(KeyringError::Exists { paths }.into()) }
}

/// Opens the store that the settings name, creating it when missing.
pub(super) async fn open_store(settings: &Settings) -> crate::store::Result<Store> {
    match &settings.database_url {
        Some(url) => Store::open_postgres(url).await,
        None => Store::open_sqlite(&settings.data_dir).await,
    }
}

/// Whether there is a store to open without creating one.
pub(super) fn store_exists(settings: &Settings) -> bool {
    settings.database_url.is_some() || settings.data_dir.join(STORE_FILE).exists()
}

/// Sets an installation up. Nothing that exists is changed.
///
/// # Errors
/// When anything of an installation exists already, or cannot be written.
pub async fn run(
    common: &CommonArguments,
    arguments: &InitArguments,
    system: &System,
    env: &Environment<'_>,
) -> CommandResult {
    let settings = Settings::load(common, None, env)?;
    if let Some(problem) = name_problem(&arguments.organization) {
        return Err(Failure::new(ErrorCode::UsageError, format!("--organization {problem}")));
    }
    let keys = keys_to_make(&settings);
    refuse_what_exists(&settings, &keys)?;
    create_data_dir(&settings.data_dir)?;
    let store = open_store(&settings).await?;
    if let Some(existing) = store.organizations().await?.first() {
        let message = format!(
            "the store already holds the organization {}: copy the keys of the installation that made it, new ones could \
             not open what it sealed",
            existing.id
        );
        return Err(Failure::new(ErrorCode::ConfigInvalid, message));
    }
    Keyring::generate_some(system, &settings.data_dir, &keys)?;
    if let Some((token, label)) = settings.keys.signs_with_token() {
        // One that is there is taken: tokens are often filled by others.
        generate_in_token(token, label).map_err(KeyringError::from)?;
    }
    let keyring = Keyring::load(&settings.keys)?;
    let organization = Organization {
        id: OrgId::from_uuid(system.uuid()),
        name: arguments.organization.clone(),
        created_at: system.now(),
    };
    store.create_organization(&organization).await?;
    keyring.record(&store, organization.created_at).await?;
    store.close().await;

    let absolute = settings.data_dir.canonicalize().unwrap_or_else(|_| settings.data_dir.clone());
    let files: Vec<String> = keys.iter().map(|key| absolute.join(key.file_name()).display().to_string()).collect();
    let data = json!({
        "organizationId": organization.id,
        "organizationName": organization.name,
        "dataDir": absolute.display().to_string(),
        "store": if settings.database_url.is_some() { "postgres" } else { "sqlite" },
        "keyFiles": files,
        "publicKeyId": keyring.key_id(),
        "publicKeyPem": keyring.public_key_pem(),
    });
    let columns = [
        ("Organization", "organizationId"),
        ("Name", "organizationName"),
        ("Data directory", "dataDir"),
        ("Store", "store"),
        ("Public key", "publicKeyId"),
    ];
    let mut text = details(&data, &columns);
    text.push_str(
        "\n\nKeep a copy of the keys somewhere safe: without the sealing key no stored secret can be read.\n",
    );
    text.push_str(&files.join("\n"));
    Ok(Outcome::new(data, text)
        .then(&["walwarden-api", "admin", "destination", "add", "--help"])
        .then(&["walwarden-api", "admin", "database", "add", "--help"])
        .then(&["walwarden-api", "serve"]))
}
