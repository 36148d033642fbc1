//! The only place that speaks SQL: one text for SQLite and Postgres, one file per table.

pub mod anomalies;
pub mod api_keys;
pub mod audit;
pub mod backups;
pub mod databases;
pub mod destinations;
pub mod idempotency;
pub mod inventory;
pub mod log;
pub mod looks;
pub mod monitoring;
pub mod organizations;
pub mod reporting;
pub mod restores;
pub(crate) mod sealed;
pub mod signing_keys;
pub mod workers;

use std::panic::Location;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor};
use walwarden_contract::ErrorCode;
use walwarden_contract::telemetry::spans::COMMITTED;

use crate::telemetry::traces::{self, Traced};

/// What can go wrong between us and the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or cannot be reached.
    #[error("the store failed: {0}")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the store's schema cannot be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row holds something that this version does not understand.
    #[error("the store holds an unreadable {0}")]
    Corrupt(&'static str),
    /// The job is in another state than the step needs.
    #[error(transparent)]
    Transition(#[from] crate::jobs::state::InvalidTransition),
    /// The lease was lost: another worker may hold the job.
    #[error("the lease on the job was lost")]
    LeaseLost,
    /// There is no such record.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// A record of this name, or another active job, stands in the way.
    #[error("there already is such a {0}")]
    Duplicate(&'static str),
    /// The backup is being deleted from the bucket, or was.
    #[error("the backup was deleted, because its database keeps backups no longer")]
    Expired,
    /// The record is still in use.
    #[error("the {0} is still in use")]
    InUse(&'static str),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // SQLite keeps text in a column of numbers, if somebody writes it there.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt("value"),
            other => Self::Database(other),
        }
    }
}

/// Result of a store operation.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// The store, SQLite or Postgres.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
}

/// A transaction; dropped without [`Tx::commit`], it never happened.
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
    traced: Traced,
}

/// SQLite: readers never wait for the writer, and a commit that was reported survives a power cut.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA busy_timeout = 10000;";

/// A process that stands still in the middle of a transaction must not keep others from its jobs for longer than this. Between
/// two statements nothing is waited for but the store.
const POSTGRES_SETUP: &str = "SET idle_in_transaction_session_timeout = '15s'";

/// A connection that was idle for no longer is used without asking whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// How long a store may take to show that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the SQLite file in the data directory, creating it when missing, and migrates it.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated.
    pub async fn open_sqlite(data_dir: &Path) -> Result<Self> {
        let url = format!("sqlite://{}?mode=rwc", data_dir.join("walwarden.sqlite").display());
        Self::open(&url.into(), Dialect::Sqlite, 4).await
    }

    /// Connects to a Postgres database and migrates it. Several processes may do so at once.
    ///
    /// # Errors
    /// When the database cannot be reached or migrated.
    pub async fn open_postgres(url: &SecretString) -> Result<Self> {
        Self::open(url, Dialect::Postgres, 16).await
    }

    async fn open(url: &SecretString, dialect: Dialect, connections: u32) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let setup = match dialect {
                        Dialect::Sqlite => SQLITE_SETUP,
                        Dialect::Postgres => POSTGRES_SETUP,
                    };
                    connection.execute(setup).await?;
                    Ok(())
                })
            })
            // A connection is asked whether it still lives, but not between two statements of one busy caller.
            .test_before_acquire(false)
            .before_acquire(|connection, past| {
                Box::pin(async move {
                    if past.idle_for >= TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    // A commit that the disk refused leaves a connection that believes to be in a transaction, and refuses
                    // to begin another for as long as it lives.
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect(url.expose_secret())
            .await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self { pool, dialect })
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// When no connection is free in time.
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Tx>> + Send + use<'_> {
        let traced = traces::transaction(Location::caller());
        self.begin_traced(traced)
    }

    async fn begin_traced(&self, traced: Traced) -> Result<Tx> {
        // SQLite takes the write lock at once: a lock taken later, after a read, could fail instead of wait.
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        match self.pool.begin_with(begin).await {
            Ok(inner) => Ok(Tx { inner, dialect: self.dialect, traced }),
            Err(error) => {
                traced.fail(ErrorCode::ServiceUnavailable);
                Err(error.into())
            }
        }
    }

    /// Proves that the store answers, and soon: who asks whether it does has little time.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        let asked = tokio::time::timeout(PING_TIMEOUT, sqlx::query("SELECT 1").execute(&self.pool)).await;
        asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Tx {
    /// Makes everything since [`Store::begin`] durable.
    ///
    /// # Errors
    /// When the store did not commit.
    pub async fn commit(self) -> Result<()> {
        let committed = self.inner.commit().await;
        match &committed {
            Ok(()) => self.traced.set(COMMITTED, true),
            Err(_) => self.traced.fail(ErrorCode::ServiceUnavailable),
        }
        Ok(committed?)
    }

    fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Reads a row and keeps every other transaction from changing it until this one ends. SQLite has one writer at a time anyway.
    fn locking(&self, select: &str) -> AssertSqlSafe<String> {
        let lock = match self.dialect {
            Dialect::Sqlite => "",
            // As strong as an update of the row: others may go on referring to it.
            Dialect::Postgres => " FOR NO KEY UPDATE",
        };
        AssertSqlSafe(format!("{select}{lock}"))
    }

    /// How to take a row that no other transaction holds.
    fn skip_locked(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }
}

/// Turns a violated unique constraint into [`StoreError::Duplicate`].
fn duplicate(what: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| match &error {
        sqlx::Error::Database(inner) if inner.is_unique_violation() => StoreError::Duplicate(what),
        _ => error.into(),
    }
}

/// The same, and a violated reference into [`StoreError::Missing`].
fn duplicate_or_missing(what: &'static str, referenced: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| match &error {
        sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => StoreError::Missing(referenced),
        _ => duplicate(what)(error),
    }
}

/// Reads text or a number back into the type that wrote it.
fn parse<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T> {
    text.parse().map_err(|_| StoreError::Corrupt(what))
}

fn json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt(what))
}

fn name<T: serde::de::DeserializeOwned>(text: String, what: &'static str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(|_| StoreError::Corrupt(what))
}

fn time(millis: i64) -> Result<walwarden_contract::Timestamp> {
    walwarden_contract::Timestamp::from_millis(millis).ok_or(StoreError::Corrupt("time"))
}

fn maybe_time(millis: Option<i64>) -> Result<Option<walwarden_contract::Timestamp>> {
    millis.map(time).transpose()
}

fn count<T: TryFrom<i64>>(value: i64, what: &'static str) -> Result<T> {
    T::try_from(value).map_err(|_| StoreError::Corrupt(what))
}
