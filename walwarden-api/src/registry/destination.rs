//! Destinations: checked as a whole, their credentials sealed, added, changed and removed.

mod access;
mod connection;
mod encryption;
mod providers;
mod rules;

use walwarden_contract::model::Provider;
use walwarden_contract::{ApiKeyId, DestinationId, OrgId, Timestamp};

use self::access::set_role;
pub use self::access::{NewAccess, NewCredentials};
pub use self::connection::Connection;
use super::{Field, RegistryError};
use crate::engine::backup::PartRules;
use crate::jobs::preflights::first_run;
use crate::jobs::state::{DestinationEvent, destination as transition};
use crate::jobs::{Reply, Submitted, answer};
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::destinations::{Destination, DestinationUse, Verification, insert, lock, remove as delete, save};
use crate::system::System;

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
    /// What it is opened with.
    pub access: NewAccess,
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

/// What of a destination is to change.
#[derive(Clone, Default)]
pub struct DestinationChange<'a> {
    /// Its name.
    pub name: Option<String>,
    /// The bucket; backups in the old one stay there.
    pub bucket: Option<String>,
    /// How it is spoken to.
    pub connection: Connection,
    /// With which access key.
    pub credentials: Option<NewCredentials<'a>>,
    /// With which role, in place of an access key.
    pub role_arn: Option<String>,
    /// Who looks at it.
    pub looker: Looker,
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
        encryption: String::new(),
        kms_key_id: None,
        verification: Verification::due(first_run(now, new.looker == Looker::Caller)),
        created_at: now,
        updated_at: now,
    };
    new.connection.with_defaults(new.provider)?.set(&mut destination);
    rules::check(&destination, None)?;
    new.access.set(&mut destination, system, keyring)?;
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
    let destination = changed(&before, change, system)?;
    if destination == before {
        return Ok(destination);
    }
    save(&mut tx, &destination, by).await?;
    tx.commit().await?;
    Ok(destination)
}

/// What a change makes of a destination, checked and sealed, and not written anywhere.
///
/// # Errors
/// [`RegistryError`] that says what does not go together.
pub fn changed(
    before: &Destination,
    change: DestinationChange<'_>,
    system: &System,
) -> Result<Destination, RegistryError> {
    let mut destination = before.clone();
    destination.name = change.name.unwrap_or(destination.name);
    destination.bucket = change.bucket.unwrap_or(destination.bucket);
    change.connection.following(before).set(&mut destination);
    rules::check(&destination, Some(before))?;
    match (change.credentials, change.role_arn) {
        (Some(_), Some(_)) => return Err(RegistryError::invalid(Field::RoleArn, "goes without an access key")),
        (Some(credentials), None) => credentials.set(&mut destination, before, system)?,
        (None, Some(arn)) => set_role(arn, &mut destination, system)?,
        (None, None) => {}
    }
    if destination == *before {
        return Ok(destination);
    }
    let now = system.now();
    destination.updated_at = now;
    if (Destination { name: before.name.clone(), updated_at: before.updated_at, ..destination.clone() }) != *before {
        destination.verification = unverified(before, &destination, first_run(now, change.looker == Looker::Caller));
    }
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

/// What the destination's provider asks of the parts of an upload.
#[must_use]
pub fn part_rules(destination: &Destination) -> PartRules {
    providers::rules(destination.provider.parse().unwrap_or(Provider::S3Compatible)).parts
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
