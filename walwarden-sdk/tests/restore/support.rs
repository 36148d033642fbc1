//! A server with a source database, its dump, and a restore of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use walwarden_contract::Timestamp;
use walwarden_contract::manifest::ManifestSource;
use walwarden_contract::model::RestoreMode;
use walwarden_sdk::Error;
use walwarden_sdk::postgres::{Ambient, ClusterOptions, Dsn, EphemeralCluster, ToolName, Tools, query};
use walwarden_sdk::restore::{Executor, RestoreEvent, RestoreOptions, RestoreOutcome};

use crate::api::{Api, Behaviour};

const DEADLINE: Duration = Duration::from_mins(1);

/// Several tables, so that several jobs have work; more than one range would take too long here.
const SCHEMA: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, note text);
    INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 20000) n;
    CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL);
    INSERT INTO customers SELECT n, 'Zürich ' || n FROM generate_series(1, 1000) n;
    CREATE VIEW big_orders AS SELECT * FROM orders WHERE id > 10000;
    CREATE SEQUENCE numbers START 42;";

pub(crate) struct World {
    pub(crate) cluster: EphemeralCluster,
    pub(crate) work: tempfile::TempDir,
    pub(crate) dump: Vec<u8>,
}

fn server_directory() -> PathBuf {
    let entries = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|directory| directory.join("initdb").is_file());
    found.sort();
    found.pop().expect("a PostgreSQL server is installed")
}

pub(crate) fn tools() -> Tools {
    Tools::discover(Some(&server_directory()), None)
}

impl World {
    pub(crate) async fn new() -> Self {
        let cluster = EphemeralCluster::start(&server_directory(), &ClusterOptions::default()).await.expect("a server");
        let work = tempfile::tempdir().expect("temporary directory");
        let mut world = Self { cluster, work, dump: Vec::new() };
        world.sql("postgres", "CREATE DATABASE app").await;
        world.sql("app", SCHEMA).await;
        world.dump = world.dump_of("app").await;
        world
    }

    /// As the worker takes it: piped, so without offsets.
    async fn dump_of(&self, database: &str) -> Vec<u8> {
        let connection = self.cluster.dsn(database).libpq_env(None, &Ambient::default()).expect("a passfile");
        let spawn = tools().spawn(ToolName::PgDump).expect("pg_dump").arg("--format=custom").connect(&connection);
        let output = spawn.output(DEADLINE).await.expect("pg_dump runs");
        assert!(output.exit.success(), "{}", output.exit.stderr);
        output.stdout
    }

    pub(crate) async fn sql(&self, database: &str, sql: &str) -> Vec<Vec<String>> {
        let connection = self.cluster.dsn(database).libpq_env(None, &Ambient::default()).expect("a passfile");
        query(&tools(), &connection, sql, DEADLINE).await.expect("the query succeeds")
    }

    /// Waits until a query has rows: each look is a psql of its own, which takes its time.
    pub(crate) async fn until(&self, database: &str, sql: &str) {
        let look = async { while self.sql(database, sql).await.is_empty() {} };
        assert!(tokio::time::timeout(DEADLINE, look).await.is_ok(), "never: {sql}");
    }

    /// One figure that tells whether a database holds the source's data.
    pub(crate) async fn digest(&self, database: &str) -> Vec<Vec<String>> {
        let sql = "SELECT md5(string_agg(o.id || o.note, ',' ORDER BY o.id)), (SELECT count(*) FROM customers), \
                   (SELECT count(*) FROM big_orders), (SELECT last_value FROM numbers) FROM orders o";
        self.sql(database, sql).await
    }

    pub(crate) async fn databases(&self) -> Vec<String> {
        let sql = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1";
        self.sql("postgres", sql).await.into_iter().flatten().collect()
    }

    fn source() -> ManifestSource {
        ManifestSource {
            database_name: "app".to_owned(),
            postgres_version: "15.0".to_owned(),
            pg_dump_version: "15.0".to_owned(),
        }
    }

    pub(crate) async fn api(&self, mode: RestoreMode, behaviour: Behaviour) -> Api {
        Api::start(&self.dump, Self::source(), mode, behaviour).await
    }

    pub(crate) fn options(&self, database: &str, mode: RestoreMode) -> RestoreOptions {
        let target: Dsn = self.cluster.dsn(database);
        let mut options = RestoreOptions::new(target, mode, tools());
        self.work.path().clone_into(&mut options.work_dir);
        options.confirm_destructive = mode == RestoreMode::InPlace;
        options
    }

    pub(crate) async fn restore(&self, api: &Api, options: &RestoreOptions) -> Result<RestoreOutcome, Error> {
        self.restore_until(api, options, CancellationToken::new()).await
    }

    pub(crate) async fn restore_until(
        &self,
        api: &Api,
        options: &RestoreOptions,
        cancel: CancellationToken,
    ) -> Result<RestoreOutcome, Error> {
        self.run(api, Executor::new(options.clone()).cancel(cancel)).await
    }

    /// What happens during a restore that ends well.
    pub(crate) async fn events(&self, api: &Api, options: &RestoreOptions) -> Vec<RestoreEvent> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = Arc::clone(&seen);
        let executor = Executor::new(options.clone());
        let executor = executor.on_event(move |event| events.lock().expect("not poisoned").push(event));
        self.run(api, executor).await.expect("restored");
        seen.lock().expect("not poisoned").clone()
    }

    /// As a service does it: on whichever thread is free.
    async fn run(&self, api: &Api, executor: Executor) -> Result<RestoreOutcome, Error> {
        let executor = executor.clock(|| Timestamp::from_millis(0).expect("in range"));
        let (session, manifest_hash) = (api.session(), api.manifest_hash.clone());
        let outcome = tokio::spawn(async move { executor.run(&session, &manifest_hash).await }).await;
        let left = std::fs::read_dir(self.work.path()).expect("readable").count();
        assert_eq!(left, 0, "temporary files stayed");
        outcome.expect("no panic")
    }
}
