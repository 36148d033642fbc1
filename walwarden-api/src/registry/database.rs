//! Databases: checked, their connection strings sealed, added, changed and removed.

use walwarden_contract::model::{LockMode, SourceCheckReport, SourceCheckSummary};
use walwarden_contract::{ApiKeyId, DatabaseId, DestinationId, OrgId, Timestamp};
use walwarden_sdk::postgres::Dsn;

use super::source_check::kept;
use super::{Field, RegistryError, check_name};
use crate::engine::backup::Codec;
use crate::jobs::{Reply, Submitted, answer, schedule};
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::backups::schedule_looks;
use crate::store::databases::{Database, insert, lock, remove as delete, save};
use crate::store::destinations::{Destination, lock as destination};
use crate::system::System;

/// A source whose connection string was checked, and sealed for one database.
#[derive(Debug, Clone)]
pub struct Source {
    database_name: String,
    redacted_dsn: String,
    sealed_dsn: String,
    check: Option<SourceCheckSummary>,
}

impl Source {
    /// Checks a connection string. What is refused is not repeated.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`].
    pub fn parse(text: &str) -> Result<Dsn, RegistryError> {
        let invalid = |problem: String| RegistryError::invalid(Field::Source, problem);
        let dsn = Dsn::parse(text).map_err(|error| invalid(format!("cannot be used: {error}")))?;
        if dsn.database().is_none() {
            return Err(invalid("names no database".to_owned()));
        }
        Ok(dsn)
    }

    /// Checks a connection string that came over the network. What the server reaches by its own files (sockets, keys,
    /// certificates) is the operator's, and not for a caller of the API to use.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`].
    pub fn parse_remote(text: &str) -> Result<Dsn, RegistryError> {
        let dsn = Self::parse(text)?;
        let local = |name: &str| name.is_empty() || name.starts_with(['/', '@']);
        if dsn.hosts().is_empty() || dsn.hosts().iter().any(|host| local(&host.name)) {
            return Err(RegistryError::invalid(Field::Source, "names no host: sockets are for the operator's own use"));
        }
        // The system's own list of authorities is no file that a caller could choose.
        let names_a_file = |it: &&str| dsn.parameter(it).is_some_and(|value| *it != "sslrootcert" || value != "system");
        if ["sslkey", "sslcert", "sslrootcert", "sslcrl", "sslcrldir"].iter().any(names_a_file) {
            let problem = "names a file of the server: that is for the operator's own use";
            return Err(RegistryError::invalid(Field::Source, problem));
        }
        Ok(dsn)
    }

    /// Seals what [`Source::parse`] accepted.
    #[must_use]
    pub fn seal(keyring: &Keyring, system: &System, id: DatabaseId, dsn: &Dsn) -> Self {
        Self {
            database_name: dsn.database().unwrap_or_default().to_owned(),
            redacted_dsn: dsn.redacted(),
            sealed_dsn: keyring.seal_dsn(system, id, dsn),
            check: None,
        }
    }

    /// The same, with what was found at it.
    #[must_use]
    pub fn checked(self, report: Option<&SourceCheckReport>) -> Self {
        Self { check: kept(report), ..self }
    }

    fn set(self, database: &mut Database) {
        let Self { database_name, redacted_dsn, sealed_dsn, check } = self;
        database.source_check = check;
        (database.database_name, database.redacted_dsn, database.sealed_dsn) =
            (database_name, redacted_dsn, sealed_dsn);
    }
}

/// A database to add.
#[derive(Debug, Clone)]
pub struct NewDatabase {
    /// Its identifier, for which its source was sealed.
    pub id: DatabaseId,
    /// Its name.
    pub name: String,
    /// Where its backups go.
    pub destination_id: DestinationId,
    /// Its source.
    pub source: Source,
    /// When to back up.
    pub schedule: Option<String>,
    /// The compression; `auto` when absent.
    pub codec: Option<String>,
    /// For how many days completed backups are kept; for ever when absent.
    pub retention_days: Option<u32>,
}

/// What of a database is to change.
#[derive(Debug, Clone, Default)]
pub struct DatabaseChange {
    /// Its name.
    pub name: Option<String>,
    /// Where its backups go.
    pub destination_id: Option<DestinationId>,
    /// Its source.
    pub source: Option<Source>,
    /// When to back up; an empty text ends the schedule.
    pub schedule: Option<String>,
    /// The compression.
    pub codec: Option<String>,
    /// For how many days completed backups are kept; 0 for ever.
    pub retention_days: Option<u32>,
}

/// Sets the schedule and the run that follows from it; an empty one ends it.
fn set_schedule(database: &mut Database, cron: &str, now: Timestamp) -> Result<(), RegistryError> {
    let cron = cron.split_whitespace().collect::<Vec<_>>().join(" ");
    if cron.is_empty() {
        (database.schedule, database.next_run_at) = (None, None);
        return Ok(());
    }
    let next = schedule::next_after(&cron, now)
        .map_err(|error| RegistryError::invalid(Field::Schedule, format!("cannot be used: {error}")))?;
    (database.schedule, database.next_run_at) = (Some(cron), Some(next));
    Ok(())
}

fn set_codec(database: &mut Database, codec: &str) -> Result<(), RegistryError> {
    let codec: Codec = codec.parse().map_err(|_| {
        RegistryError::invalid(Field::Codec, "is one of auto, zstd:1 to zstd:22, gzip:1 to gzip:9, none")
    })?;
    database.codec = codec.to_string();
    Ok(())
}

/// The longest time for which backups can be kept before they are deleted, in days.
const LONGEST_RETENTION_DAYS: u32 = 3650;

/// Nothing can be deleted before its lock has ended: to keep backups for a shorter time would promise what the bucket refuses.
fn check_retention(days: Option<u32>, destination: &Destination) -> Result<(), RegistryError> {
    let Some(days) = days else { return Ok(()) };
    if !(1..=LONGEST_RETENTION_DAYS).contains(&days) {
        let problem = format!("is from 1 to {LONGEST_RETENTION_DAYS}: leave it out to keep every backup");
        return Err(RegistryError::invalid(Field::Keeping, problem));
    }
    let locked = if destination.lock_mode == LockMode::None.as_str() { 0 } else { destination.retention_days };
    if days < locked {
        let problem = format!(
            "is not below {locked}: the destination {} locks every backup for {locked} days, and until then nothing can \
             delete it",
            destination.name
        );
        return Err(RegistryError::invalid(Field::Keeping, problem));
    }
    Ok(())
}

/// Adds a database.
///
/// # Errors
/// [`RegistryError`]; then nothing was added.
pub async fn create(
    store: &Store,
    system: &System,
    org_id: OrgId,
    new: NewDatabase,
    by: Option<ApiKeyId>,
    reply: Option<Reply<'_, Database>>,
) -> Result<Submitted<Database>, RegistryError> {
    let now = system.now();
    check_name(&new.name)?;
    let mut database = Database {
        id: new.id,
        org_id,
        destination_id: new.destination_id,
        name: new.name,
        database_name: String::new(),
        redacted_dsn: String::new(),
        sealed_dsn: String::new(),
        codec: Codec::Auto.to_string(),
        retention_days: new.retention_days,
        schedule: None,
        next_run_at: None,
        source_check: None,
        created_at: now,
        updated_at: now,
    };
    new.source.set(&mut database);
    if let Some(cron) = &new.schedule {
        if cron.trim().is_empty() {
            return Err(RegistryError::invalid(Field::Schedule, "is empty: leave it out to back up on demand only"));
        }
        set_schedule(&mut database, cron, now)?;
    }
    if let Some(codec) = &new.codec {
        set_codec(&mut database, codec)?;
    }
    check_retention(database.retention_days, &store.destination(org_id, database.destination_id).await?)?;
    let mut tx = store.begin().await?;
    // A replay must win over "the name is taken": the first request of this key may have taken it.
    if let Some(stored) = answer(&mut tx, system, reply, &database).await? {
        return Ok(Submitted::Replayed(stored));
    }
    insert(&mut tx, &database, by).await?;
    tx.commit().await?;
    Ok(Submitted::New(database))
}

/// Changes a database. Nothing is written when nothing changes.
///
/// # Errors
/// [`RegistryError`]; then nothing was changed.
pub async fn update(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: DatabaseId,
    change: DatabaseChange,
    by: Option<ApiKeyId>,
) -> Result<Database, RegistryError> {
    let now = system.now();
    if let Some(destination_id) = change.destination_id {
        store.destination(org_id, destination_id).await?;
    }
    let mut tx = store.begin().await?;
    let before = lock(&mut tx, org_id, id).await?;
    let mut database = before.clone();
    if let Some(name) = change.name {
        check_name(&name)?;
        database.name = name;
    }
    database.destination_id = change.destination_id.unwrap_or(database.destination_id);
    if let Some(source) = change.source {
        source.set(&mut database);
    }
    if let Some(cron) = &change.schedule {
        set_schedule(&mut database, cron, now)?;
    }
    if let Some(codec) = &change.codec {
        set_codec(&mut database, codec)?;
    }
    if let Some(days) = change.retention_days {
        database.retention_days = (days > 0).then_some(days);
    }
    if database == before {
        return Ok(database);
    }
    let keeps = |database: &Database| (database.destination_id, database.retention_days);
    if keeps(&database) != keeps(&before) {
        check_retention(database.retention_days, &destination(&mut tx, org_id, database.destination_id).await?)?;
    }
    if database.retention_days != before.retention_days {
        schedule_looks(&mut tx, id, database.retention_days).await?;
    }
    database.updated_at = now;
    save(&mut tx, &database, by).await?;
    tx.commit().await?;
    Ok(database)
}

/// Removes a database. Its backups, and their records, stay.
///
/// # Errors
/// [`RegistryError::InUse`] while a backup of it is queued or running, or another [`RegistryError`].
pub async fn remove(
    store: &Store,
    system: &System,
    org_id: OrgId,
    id: DatabaseId,
    by: Option<ApiKeyId>,
) -> Result<(), RegistryError> {
    let mut tx = store.begin().await?;
    match delete(&mut tx, org_id, id, system.now(), by).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(StoreError::InUse(_)) => {
            drop(tx);
            let newest = store.backups(org_id, id, None, 1).await?;
            let job = newest.first().map_or_else(|| "a backup".to_owned(), |job| format!("the backup {}", job.id));
            Err(RegistryError::InUse(format!(
                "{job} of this database is queued or running: cancel it, or wait until it has ended"
            )))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
