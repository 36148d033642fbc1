//! A fresh store with one organization, destination and database, and a clock that the scenario moves.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use walwarden_api::engine::backup::VERIFIED_BY;
use walwarden_api::jobs::Submitted;
use walwarden_api::jobs::backups::{self, Lease, RetryPolicy, Sealed, Started};
use walwarden_api::jobs::retention::Keeper;
use walwarden_api::secrets::{KeySources, Keyring};
use walwarden_api::store::Store;
use walwarden_api::store::backups::{BackupJob, PendingArtifact, StoredArtifact};
use walwarden_api::store::databases::Database;
use walwarden_api::store::destinations::{Destination, Verification};
use walwarden_api::store::organizations::Organization;
use walwarden_api::system::{System, after};
use walwarden_contract::model::{BackupTrigger, DestinationState, Encryption};
use walwarden_contract::{DatabaseId, DestinationId, OrgId, Timestamp, audit};
use walwarden_sdk::postgres::{Ambient, ClusterOptions, EphemeralCluster, Tools, query, quote_identifier};

pub(crate) type Run = fn(World) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A promise, and the code that would notice its breach.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

/// Lists async functions as scenarios under their own names.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        &[$(crate::world::Scenario { name: stringify!($name), run: |world| Box::pin($name(world)) }),*]
    };
}
pub(crate) use scenarios;

pub(crate) const RETRY: RetryPolicy = RetryPolicy { delay_millis: 30_000 };
pub(crate) const LEASE_MILLIS: i64 = 60_000;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) system: System,
    pub(crate) database: Database,
    clock: Arc<AtomicI64>,
    url: SecretString,
    keys: tempfile::TempDir,
}

/// Where Debian keeps the server's programs; elsewhere they are beside `pg_dump`.
fn tools() -> (Tools, std::path::PathBuf) {
    let tools = Tools::discover(None, std::env::var_os("PATH").as_deref()).with_system_directories();
    let system = Path::new("/usr/lib/postgresql/15/bin");
    let directory = if system.exists() {
        system.to_owned()
    } else {
        let psql = tools.locate(walwarden_sdk::postgres::ToolName::Psql).expect("psql is installed");
        psql.parent().expect("a file is in a directory").to_owned()
    };
    (tools, directory)
}

/// With `durable`, what it commits survives a power cut, at the speed that this has.
pub(crate) async fn start_postgres(durable: bool) -> EphemeralCluster {
    let options =
        ClusterOptions { max_connections: 400, die_with_parent: false, fsync: durable, ..ClusterOptions::default() };
    EphemeralCluster::start(&tools().1, &options).await.expect("a throw-away server starts")
}

/// Names of databases must differ between scenarios that run at once.
static DATABASES: AtomicU64 = AtomicU64::new(0);

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open_sqlite(directory.path()).await.expect("opens");
        let url = format!("sqlite://{}", directory.path().join("walwarden.sqlite").display());
        Self::fill(store, url.into(), directory).await
    }

    pub(crate) async fn on_postgres(cluster: &EphemeralCluster) -> Self {
        let name = format!("metadata_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        let connection = cluster.dsn("postgres").libpq_env(None, &Ambient::default()).expect("a passfile");
        let sql = format!("CREATE DATABASE {}", quote_identifier(&name));
        query(&tools().0, &connection, &sql, Duration::from_mins(1)).await.expect("creates a database");
        let url = cluster.dsn(&name).to_uri();
        let store = Store::open_postgres(&url).await.expect("opens");
        Self::fill(store, url, tempfile::tempdir().expect("a temporary directory")).await
    }

    async fn fill(store: Store, url: SecretString, keys: tempfile::TempDir) -> Self {
        let clock = Arc::new(AtomicI64::new(1_769_824_800_000));
        let reading = Arc::clone(&clock);
        let counter = AtomicU64::new(1);
        let system = System::new(
            move || Timestamp::from_millis(reading.load(Ordering::SeqCst)).expect("in range"),
            move |bytes| {
                let value = counter.fetch_add(1, Ordering::SeqCst).to_be_bytes();
                for (byte, digit) in bytes.iter_mut().rev().zip(value.iter().rev()) {
                    *byte = *digit;
                }
            },
        );
        let organization =
            Organization { id: OrgId::from_uuid(system.uuid()), name: "acme".to_owned(), created_at: system.now() };
        store.create_organization(&organization).await.expect("creates the organization");
        let destination = Destination {
            id: DestinationId::from_uuid(system.uuid()),
            org_id: organization.id,
            name: "bucket".to_owned(),
            provider: "s3_compatible".to_owned(),
            endpoint: Some("http://127.0.0.1:1".to_owned()),
            region: "us-east-1".to_owned(),
            bucket: "bucket".to_owned(),
            addressing: "path".to_owned(),
            checksum_mode: "crc32".to_owned(),
            lock_mode: "none".to_owned(),
            retention_days: 30,
            trial: false,
            sealed_credentials: "sealed".to_owned(),
            role: None,
            encryption: "none".to_owned(),
            kms_key_id: None,
            verification: Verification {
                state: DestinationState::Verified,
                ..Verification::due(after(system.now(), 86_400_000))
            },
            created_at: system.now(),
            updated_at: system.now(),
        };
        store.create_destination(&destination).await.expect("creates the destination");
        let mut world = Self {
            database: database(&system, organization.id, destination.id, "first"),
            store,
            system,
            clock,
            url,
            keys,
        };
        world.store.create_database(&world.database).await.expect("creates the database");
        world.advance(1);
        world
    }

    /// What looks after logs here, with keys of its own.
    pub(crate) fn keeper(&self) -> Keeper {
        let keyring = Keyring::load(&KeySources::in_directory(self.keys.path()))
            .or_else(|_| Keyring::generate(&self.system, self.keys.path()));
        let keyring = Arc::new(keyring.expect("keys"));
        Keeper { store: self.store.clone(), system: self.system.clone(), keyring }
    }

    /// Changes the store behind the program's back.
    pub(crate) async fn tamper(&self, sql: &str) {
        let changed = self.try_tamper(sql).await.expect("is SQL");
        assert!(changed > 0, "nothing was changed by {sql}");
    }

    /// The same, where the store may refuse.
    pub(crate) async fn try_tamper(&self, sql: &str) -> sqlx::Result<u64> {
        let mut connection = AnyConnection::connect(self.url.expose_secret()).await?;
        // As the program's own connections do; Postgres always does so.
        if self.url.expose_secret().starts_with("sqlite") {
            connection.execute("PRAGMA foreign_keys = ON").await?;
        }
        Ok(connection.execute(AssertSqlSafe(sql)).await?.rows_affected())
    }

    /// Moves the clock.
    pub(crate) fn advance(&mut self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// Adds a database to the same organization and destination.
    pub(crate) async fn another_database(&self, name: &str) -> Database {
        let new = self.new_database(name);
        self.store.create_database(&new).await.expect("creates the database");
        new
    }

    /// A database of the same organization and destination that is not added yet.
    pub(crate) fn new_database(&self, name: &str) -> Database {
        database(&self.system, self.database.org_id, self.database.destination_id, name)
    }

    pub(crate) async fn queue(&self, database: &Database, attempts: u32) -> BackupJob {
        match backups::queue(&self.store, &self.system, database, BackupTrigger::Adhoc, attempts, None).await {
            Ok(Submitted::New(job)) => job,
            other => panic!("not queued: {other:?}"),
        }
    }

    pub(crate) async fn claim(&self, worker: &str) -> Option<(BackupJob, Lease)> {
        let until = after(self.system.now(), LEASE_MILLIS);
        let job = backups::claim(&self.store, &self.system, worker, until).await.expect("claims")?;
        let lease = Lease { id: job.id, fence: job.fence };
        Some((job, lease))
    }

    pub(crate) async fn start(&self, lease: Lease) -> BackupJob {
        let started =
            Started { object_key: "key", pg_dump_version: "15.18", postgres_version: "15.18", compression: "gzip:1" };
        backups::start(&self.store, &self.system, lease, started).await.expect("starts")
    }

    /// Takes a queued backup through every state to its end.
    pub(crate) async fn complete_next(&self) -> BackupJob {
        let (_, lease) = self.claim("worker").await.expect("a job waits");
        self.start(lease).await;
        backups::finalize(&self.store, &self.system, lease, self.pending()).await.expect("finalizes");
        backups::complete(&self.store, &self.system, lease, sealed()).await.expect("completes")
    }

    pub(crate) fn pending(&self) -> PendingArtifact {
        PendingArtifact {
            upload_id: "upload".to_owned(),
            etags: vec!["etag".to_owned()],
            crc32s: Vec::new(),
            part_checksums: vec!["00".repeat(32)],
            part_size_bytes: 16 << 20,
            size_bytes: 10,
            checksum_sha256: "00".repeat(32),
            compression: "gzip:1".to_owned(),
            database_name: "app".to_owned(),
            postgres_version: "15.18".to_owned(),
            pg_dump_version: "15.18".to_owned(),
            finished_at: self.system.now(),
            retain_until: None,
            encryption: Encryption::None,
            kms_key_id: None,
        }
    }

    /// The kinds of a stream's events, after its chain and what it says were verified.
    pub(crate) async fn kinds(&self, stream: &str) -> Vec<&'static str> {
        let chain = self.store.audit_chain(self.database.org_id, stream).await.expect("reads the chain");
        audit::conforms(&chain).expect("the chain is intact, and says what its kinds say");
        chain.into_iter().map(|event| event.kind.as_str()).collect()
    }
}

fn database(system: &System, org_id: OrgId, destination_id: DestinationId, name: &str) -> Database {
    Database {
        id: DatabaseId::from_uuid(system.uuid()),
        org_id,
        destination_id,
        name: name.to_owned(),
        database_name: "app".to_owned(),
        redacted_dsn: "postgresql://app@127.0.0.1/app".to_owned(),
        sealed_dsn: "sealed".to_owned(),
        codec: "auto".to_owned(),
        retention_days: None,
        schedule: None,
        next_run_at: None,
        source_check: None,
        created_at: system.now(),
        updated_at: system.now(),
    }
}

pub(crate) fn sealed() -> Sealed {
    Sealed {
        artifact: StoredArtifact {
            size_bytes: 10,
            checksum_sha256: "00".repeat(32),
            compression: "gzip:1".to_owned(),
            key_id: "wk_0011223344556677".to_owned(),
            etag: None,
            version_id: None,
            verified_by: Some(VERIFIED_BY.to_owned()),
        },
        manifest: "{}".to_owned(),
        manifest_hash: "ab".repeat(32),
    }
}
