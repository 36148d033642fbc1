//! Faults of the store while a backup runs: locked, out of connections, gone.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use walwarden_api::store::{Store as Metadata, Tx};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::TableLock;
use walwarden_tests::runtime::block_on;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Store, Walwarden};

use super::cell::{Cell, QUICK, lasts};
use crate::SOON;
use crate::setting::Setting;

/// Longer than a worker of two seconds' lease goes without a heartbeat.
const HEARTBEAT: Duration = Duration::from_millis(1200);
/// Longer than its lease.
const LEASE: Duration = Duration::from_secs(3);

/// The store as somebody else's: nobody writes to it until it is let go.
enum Held {
    Sqlite(Metadata, Tx),
    Postgres(Box<TableLock>),
}

impl Held {
    fn take(setting: &Setting<'_>) -> Result<Self> {
        match setting.walwarden.metadata() {
            Some(metadata) => {
                let lock = setting.context.postgres().lock_table(&metadata.name, "public.backup_jobs")?;
                Ok(Self::Postgres(Box::new(lock)))
            }
            None => block_on(async {
                let store = Metadata::open_sqlite(setting.walwarden.data()).await?;
                let writer = store.begin().await?;
                Ok(Self::Sqlite(store, writer))
            }),
        }
    }

    fn let_go(self) -> Result<()> {
        match self {
            Self::Postgres(lock) => lock.release(),
            Self::Sqlite(store, writer) => {
                block_on(async {
                    drop(writer);
                    store.close().await;
                });
                Ok(())
            }
        }
    }
}

fn locked(context: &TestContext, store: Store, time: Duration) -> Result<Cell<'_>> {
    let setting = Setting::new(context, store, Cell::TWO_PARTS.serve(QUICK))?;
    let (cell, gate) = Cell::held(setting)?;
    let held = Held::take(&cell.setting)?;
    gate.release();
    lasts(time)?;
    held.let_go()?;
    Ok(cell)
}

/// Nobody can write to the store for longer than a heartbeat.
pub(super) fn locked_past_a_heartbeat(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    locked(context, store, HEARTBEAT)
}

/// The same for longer than the lease.
pub(super) fn locked_past_the_lease(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    locked(context, store, LEASE)
}

/// Every connection that the server has to its store is taken by requests that do not end.
pub(super) fn pool_exhausted(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let setting = Setting::new(context, store, Cell::TWO_PARTS.serve(QUICK))?;
    let (cell, gate) = Cell::held(setting)?;
    let held = Held::take(&cell.setting)?;
    thread::scope(|scope| {
        for request in 0..24 {
            let setting = &cell.setting;
            scope.spawn(move || {
                let path = format!("/api/v1/databases/{}/backups", setting.database_id);
                let (authorization, once) = (format!("Bearer {}", setting.api_key), format!("request-{request}"));
                let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
                // Refused or given up: what counts is what becomes of the backup.
                let _ = setting.server().and_then(|server| server.request("POST", &path, &headers, None));
            });
        }
        gate.release();
        lasts(LEASE)?;
        held.let_go()
    })?;
    Ok(cell)
}

/// The store is gone in the middle, and comes back.
pub(super) fn gone(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    match store {
        Store::Sqlite => disk_takes_nothing(context),
        Store::Postgres => server_crashes(context),
    }
}

/// The store's server dies; a while later it is started again.
fn server_crashes(context: &TestContext) -> Result<Cell<'_>> {
    let mut server = context.another_postgres()?;
    let metadata = server.create_database(context.canaries())?;
    server.psql("postgres", &format!("ALTER DATABASE {} SET synchronous_commit = on", metadata.name))?;
    let walwarden = Walwarden::init_in(context, Some(metadata))?;
    let mut setting = Setting::prepare(context, walwarden, Cell::TWO_PARTS.serve(QUICK))?;
    setting.start()?;
    let (mut cell, gate) = Cell::held(setting)?;
    server.crash()?;
    gate.release();
    wait_for("the server to say that it is not ready", SOON, || {
        let answer = cell.setting.server()?.request("GET", "/readyz", &[], None)?;
        Ok((answer.status == 503).then_some(()))
    })?;
    lasts(HEARTBEAT)?;
    server.recover()?;
    cell.setting.metadata_server = Some(server);
    Ok(cell)
}

/// Not a byte more goes onto the disk that the store is on; a while later there is room again.
fn disk_takes_nothing(context: &TestContext) -> Result<Cell<'_>> {
    let mut walwarden = Walwarden::init(context, Store::Sqlite)?;
    walwarden.survive_full_disk();
    let mut setting = Setting::prepare(context, walwarden, Cell::TWO_PARTS.serve(QUICK))?;
    setting.start()?;
    let (cell, gate) = Cell::held(setting)?;
    let server = cell.setting.server()?;
    server.limit_file_size(Some(0)).context("cannot limit the size of files")?;
    gate.release();
    lasts(LEASE)?;
    server.limit_file_size(None)?;
    Ok(cell)
}
