//! What every admin command works with: the store, the organization, and the keys when they are needed.

use walwarden_contract::{ErrorCode, OrgId};

use crate::commands::arguments::CommonArguments;
use crate::commands::init::{open_store, store_exists};
use crate::commands::output::Failure;
use crate::config::{Environment, Settings};
use crate::engine::source_check::SourceChecker;
use crate::registry::signing_keys::take_up;
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::databases::{Database, LastBackup};
use crate::system::System;

/// The surroundings of one command.
pub(super) struct Context<'a> {
    pub(super) store: Store,
    pub(super) org_id: OrgId,
    pub(super) system: &'a System,
    pub(super) env: &'a Environment<'a>,
    settings: Settings,
}

impl<'a> Context<'a> {
    pub(super) async fn open(
        common: &CommonArguments,
        organization: Option<OrgId>,
        system: &'a System,
        env: &'a Environment<'a>,
    ) -> Result<Self, Failure> {
        let settings = Settings::load(common, None, env)?;
        if !store_exists(&settings) {
            let message =
                format!("there is no store in {}: run `walwarden-api init` first", settings.data_dir.display());
            return Err(Failure::new(ErrorCode::ConfigInvalid, message));
        }
        let store = open_store(&settings).await?;
        let org_id = choose(&store, organization).await?;
        Ok(Self { store, org_id, system, env, settings })
    }

    /// The settings of the installation.
    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The keys of the installation.
    pub(super) fn keyring(&self) -> Result<Keyring, Failure> {
        Ok(Keyring::load(&self.settings.keys)?)
    }

    /// The keys of the installation, for whoever signs: the key that does is the current one.
    pub(super) async fn signing_keyring(&self) -> Result<Keyring, Failure> {
        Ok(take_up(&self.settings.keys, &self.store, self.system).await?)
    }

    /// Looks at sources with the tools of this machine.
    pub(super) fn source_checker(&self) -> SourceChecker {
        SourceChecker::new(&self.settings)
    }

    /// How often workers compare the inventory.
    pub(super) const fn inventory_check_seconds(&self) -> u32 {
        self.settings.inventory_check_seconds
    }

    /// Every database of the organization, oldest first.
    pub(super) async fn databases(&self) -> Result<Vec<(Database, Option<LastBackup>)>, Failure> {
        const PAGE: u32 = 200;
        let mut databases = Vec::new();
        loop {
            let after = databases.last().map(|(database, _): &(Database, _)| database.id);
            let page = self.store.databases(self.org_id, after, PAGE).await?;
            let last = page.len() < PAGE as usize;
            databases.extend(page);
            if last {
                return Ok(databases);
            }
        }
    }
}

async fn choose(store: &Store, wanted: Option<OrgId>) -> Result<OrgId, Failure> {
    let all = store.organizations().await?;
    match (wanted, all.as_slice()) {
        (Some(id), all) if all.iter().any(|organization| organization.id == id) => Ok(id),
        (Some(id), _) => Err(Failure::new(ErrorCode::NotFound, format!("there is no organization {id}"))),
        (None, [only]) => Ok(only.id),
        (None, []) => {
            let message = "there is no organization: run `walwarden-api init` first";
            Err(Failure::new(ErrorCode::ConfigInvalid, message))
        }
        (None, several) => {
            let ids: Vec<_> = several.iter().map(|organization| organization.id.to_string()).collect();
            let message = format!("there are several organizations: add --organization with one of {}", ids.join(", "));
            Err(Failure::new(ErrorCode::UsageError, message))
        }
    }
}
