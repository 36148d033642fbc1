//! Destinations: checked as a whole, their credentials sealed, added, changed and removed.

mod providers;
mod rules;

use secrecy::{ExposeSecret, SecretString};
use walwarden_contract::model::{Addressing, ChecksumMode, LockMode, Provider};
use walwarden_contract::{ApiKeyId, DestinationId, OrgId, Timestamp};

use super::{Field, RegistryError};
use crate::jobs::preflights::first_run;
use crate::jobs::state::{DestinationEvent, destination as transition};
use crate::jobs::{Reply, Submitted, answer};
use crate::secrets::{Credentials, Keyring};
use crate::store::Store;
use crate::store::destinations::{Destination, DestinationUse, Verification, insert, lock, remove as delete, save};
use crate::system::System;

/// For how many days an artifact is locked, unless somebody says otherwise.
const USUAL_RETENTION_DAYS: u32 = 30;

/// How a bucket is spoken to. What is left out follows from the provider, or stays.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The endpoint's URL.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Where the bucket's name stands in a URL.
    pub addressing: Option<Addressing>,
    /// Whether uploads carry a checksum that the provider checks.
    pub checksum_mode: Option<ChecksumMode>,
    /// How artifacts are locked.
    pub lock_mode: Option<LockMode>,
    /// For how many days.
    pub retention_days: Option<u32>,
}

/// A destination to add.
#[derive(Debug, Clone)]
pub struct NewDestination {
    /// Its name.
    pub name: String,
    /// What serves the bucket.
    pub provider: Provider,
    /// The bucket.
    pub bucket: String,
    /// How it is spoken to.
    pub connection: Connection,
    /// With which access key.
    pub credentials: Credentials,
    /// Who looks at it.
    pub looker: Looker,
}

/// Who runs the preflight that a change makes due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Looker {
    /// A worker, at once.
    #[default]
    Worker,
    /// Whoever asks for the change, as soon as it is made.
    Caller,
}

/// An access key, or the half of it that is new.
pub struct NewCredentials<'a> {
    /// What seals it.
    pub keyring: &'a Keyring,
    /// Its identifier.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<SecretString>,
}

/// What of a destination is to change.
#[derive(Default)]
pub struct DestinationChange<'a> {
    /// Its name.
    pub name: Option<String>,
    /// The bucket; backups in the old one stay there.
    pub bucket: Option<String>,
    /// How it is spoken to.
    pub connection: Connection,
    /// With which access key.
    pub credentials: Option<NewCredentials<'a>>,
    /// Who looks at it.
    pub looker: Looker,
}

impl Connection {
    fn set(self, destination: &mut Destination) {
        let Self { endpoint, region, addressing, checksum_mode, lock_mode, retention_days } = self;
        if let Some(endpoint) = endpoint {
            destination.endpoint = Some(endpoint.trim_end_matches('/').to_owned());
        }
        if let Some(region) = region {
            destination.region = region;
        }
        if let Some(addressing) = addressing {
            addressing.as_str().clone_into(&mut destination.addressing);
        }
        if let Some(mode) = checksum_mode {
            mode.as_str().clone_into(&mut destination.checksum_mode);
        }
        if let Some(mode) = lock_mode {
            mode.as_str().clone_into(&mut destination.lock_mode);
        }
        destination.retention_days = retention_days.unwrap_or(destination.retention_days);
    }

    /// The same with what the provider takes for granted filled in.
    fn with_defaults(self, provider: Provider) -> Result<Self, RegistryError> {
        let required = |field| RegistryError::invalid(field, format!("is required for {}", provider.as_str()));
        let rules = providers::rules(provider);
        let region = self.region.or_else(|| rules.region.map(str::to_owned));
        let region = region.ok_or_else(|| required(Field::Region))?;
        self::rules::check_region(&region)?;
        let endpoint = match self.endpoint {
            Some(endpoint) => Some(endpoint),
            None if rules.endpoints.implied => None,
            None => Some(rules.endpoints.usual(&region).ok_or_else(|| required(Field::Endpoint))?),
        };
        Ok(Self {
            endpoint,
            region: Some(region),
            addressing: self.addressing.or(Some(rules.addressing)),
            checksum_mode: self.checksum_mode.or_else(|| rules.checksums.first().copied()),
            lock_mode: self.lock_mode.or(Some(LockMode::None)),
            retention_days: self.retention_days.or(Some(USUAL_RETENTION_DAYS)),
        })
    }

    /// The same with the endpoint of a new region, where the present one followed from the present region.
    fn following(self, before: &Destination) -> Self {
        let endpoints = before.provider.parse().ok().map(|provider| &providers::rules(provider).endpoints);
        let usual = |region: &str| endpoints.and_then(|endpoints| endpoints.usual(region));
        match &self.region {
            Some(region)
                if self.endpoint.is_none() && before.endpoint.is_some() && before.endpoint == usual(&before.region) =>
            {
                Self { endpoint: usual(region), ..self }
            }
            _ => self,
        }
    }
}

fn check_credentials(credentials: &Credentials) -> Result<(), RegistryError> {
    let id = credentials.access_key_id.as_str();
    if !(1..=256).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "has 1 to 256 printable characters without spaces";
        return Err(RegistryError::invalid(Field::AccessKeyId, problem));
    }
    let secret = credentials.secret_access_key.expose_secret();
    if !(1..=4096).contains(&secret.len()) || secret.chars().any(char::is_control) {
        let problem = "has 1 to 4096 bytes, none of them a control character";
        return Err(RegistryError::invalid(Field::SecretAccessKey, problem));
    }
    Ok(())
}

/// Adds a destination.
///
/// # Errors
/// [`RegistryError`]; then nothing was added.
pub async fn create(
    store: &Store,
    system: &System,
    keyring: &Keyring,
    org_id: OrgId,
    new: NewDestination,
    by: Option<ApiKeyId>,
    reply: Option<Reply<'_, Destination>>,
) -> Result<Submitted<Destination>, RegistryError> {
    let now = system.now();
    let id = DestinationId::from_uuid(system.uuid());
    let mut destination = Destination {
        id,
        org_id,
        name: new.name,
        provider: new.provider.as_str().to_owned(),
        endpoint: None,
        region: String::new(),
        bucket: new.bucket,
        addressing: String::new(),
        checksum_mode: String::new(),
        lock_mode: String::new(),
        retention_days: 0,
        trial: false,
        sealed_credentials: String::new(),
        role: None,
        encryption: "none".to_owned(),
        kms_key_id: None,
        verification: Verification::due(first_run(now, new.looker == Looker::Caller)),
        created_at: now,
        updated_at: now,
    };
    new.connection.with_defaults(new.provider)?.set(&mut destination);
    rules::check(&destination, None)?;
    check_credentials(&new.credentials)?;
    destination.sealed_credentials = keyring.seal_credentials(system, id, &new.credentials);
    let mut tx = store.begin().await?;
    // A replay must win over "the name is taken": the first request of this key may have taken it.
    if let Some(stored) = answer(&mut tx, system, reply, &destination).await? {
        return Ok(Submitted::Replayed(stored));
    }
    insert(&mut tx, &destination, by).await?;
    tx.commit().await?;
    Ok(Submitted::New(destination))
}

/// Changes a destination. Nothing is written when nothing changes.
///
/// # Errors
/// [`RegistryError`]; then nothing was changed.
pub async fn update(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: DestinationId,
    change: DestinationChange<'_>,
    by: Option<ApiKeyId>,
) -> Result<Destination, RegistryError> {
    let mut tx = store.begin().await?;
    let before = lock(&mut tx, org_id, id).await?;
    let mut destination = before.clone();
    destination.name = change.name.unwrap_or(destination.name);
    destination.bucket = change.bucket.unwrap_or(destination.bucket);
    change.connection.following(&before).set(&mut destination);
    rules::check(&destination, Some(&before))?;
    if let Some(NewCredentials { keyring, access_key_id, secret_access_key }) = change.credentials {
        let credentials = match (access_key_id, secret_access_key) {
            (Some(access_key_id), Some(secret_access_key)) => Credentials { access_key_id, secret_access_key },
            (access_key_id, secret_access_key) => {
                let kept = keyring.open_credentials(&before)?;
                Credentials {
                    access_key_id: access_key_id.unwrap_or(kept.access_key_id),
                    secret_access_key: secret_access_key.unwrap_or(kept.secret_access_key),
                }
            }
        };
        check_credentials(&credentials)?;
        destination.sealed_credentials = keyring.seal_credentials(system, id, &credentials);
    }
    if destination == before {
        return Ok(destination);
    }
    let now = system.now();
    destination.updated_at = now;
    if (Destination { name: before.name.clone(), updated_at: before.updated_at, ..destination.clone() }) != before {
        destination.verification = unverified(&before, &destination, first_run(now, change.looker == Looker::Caller));
    }
    save(&mut tx, &destination, by).await?;
    tx.commit().await?;
    Ok(destination)
}

/// What is known of a destination that was changed: nothing, but for the probes that are still in its bucket.
fn unverified(before: &Destination, changed: &Destination, next_run_at: Timestamp) -> Verification {
    let same_bucket = before.bucket == changed.bucket && before.endpoint == changed.endpoint;
    Verification {
        state: transition(before.verification.state, DestinationEvent::Change),
        revision: before.verification.revision + 1,
        left: if same_bucket { before.verification.left.clone() } else { Vec::new() },
        ..Verification::due(next_run_at)
    }
}

/// Removes a destination. What is in the bucket stays there.
///
/// # Errors
/// [`RegistryError::InUse`] while a database or a backup uses it, or another [`RegistryError`].
pub async fn remove(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: DestinationId,
    by: Option<ApiKeyId>,
) -> Result<(), RegistryError> {
    let mut tx = store.begin().await?;
    let DestinationUse { databases, backup } = delete(&mut tx, org_id, id, system.now(), by).await?;
    if !databases.is_empty() {
        let users: Vec<_> = databases.iter().map(|(id, name)| format!("{name} ({id})")).collect();
        let users = users.join(", ");
        let message = format!("the destination is used by {users}: give them another one, or remove them");
        return Err(RegistryError::InUse(message));
    }
    if let Some(backup) = backup {
        let message = format!("the destination holds backups that could not be restored without it, {backup} for one");
        return Err(RegistryError::InUse(message));
    }
    Ok(tx.commit().await?)
}
