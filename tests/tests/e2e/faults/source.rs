//! Faults of the source: its `pg_dump`, its server, its network, its disk.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, ensure};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule, RuleHandle};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::Database;
use walwarden_tests::relay::Relay;
use walwarden_tests::walwarden::Store;

use super::cell::{Cell, Flags};
use crate::SOON;
use crate::setting::{Options, Setting};

/// Too much for the parts, pipes and socket buffers between the server and the bucket: while the first part is held, the
/// server is still sending rows.
const LONG: u32 = 40;

fn dump_is_under_way(setting: &Setting<'_>) -> Result<RuleHandle> {
    Ok(setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(1)), Action::Hold).nth(1)))
}

/// `pg_dump` gets SIGKILL in the middle, as from a kernel that is out of memory.
pub(super) fn dump_killed(context: &TestContext, store: Store, flags: Flags) -> Result<Cell<'_>> {
    let setting = Setting::new(context, store, Options::multipart().serve(flags))?;
    let gate = dump_is_under_way(&setting)?;
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    ensure!(setting.server()?.kill_pg_dump()? == 1, "one pg_dump runs");
    gate.release();
    Ok(Cell { faults: vec![gate], ..Cell::new(setting, id) })
}

/// The server goes away in the middle, and comes back or not.
pub(super) fn server_killed(context: &TestContext, store: Store, flags: Flags, comes_back: bool) -> Result<Cell<'_>> {
    let mut server = context.another_postgres()?;
    let source = server.create_database(context.canaries())?;
    // A crash of the source must not lose what the test compares with.
    server.psql("postgres", &format!("ALTER DATABASE {} SET synchronous_commit = on", source.name))?;
    server.load_sample(&source, 50)?;
    server.load_bulk(&source, LONG)?;
    let setting = Setting::new(context, store, Options { bulk_mib: 0, ..Options::multipart().serve(flags) })?;
    setting.update_source(&source.dsn())?;
    let gate = dump_is_under_way(&setting)?;
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    server.wait_for_pg_dump_copy(&source.name, SOON)?;
    server.crash()?;
    if comes_back {
        server.recover()?;
    }
    gate.release();
    Ok(Cell { faults: vec![gate], source, source_server: Some(server), ..Cell::new(setting, id) })
}

/// The network between worker and source resets every connection in the middle, once or from then on.
pub(super) fn connection_reset(context: &TestContext, store: Store, flags: Flags, for_good: bool) -> Result<Cell<'_>> {
    let setting = Setting::new(context, store, Options { bulk_mib: LONG, ..Options::multipart().serve(flags) })?;
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, setting.source.port));
    let relay = Relay::start(server)?;
    let through = Database { port: relay.port(), ..setting.source.clone() };
    setting.update_source(&through.dsn())?;
    let gate = dump_is_under_way(&setting)?;
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    context.postgres().wait_for_pg_dump_copy(&setting.source.name, SOON)?;
    relay.refuse(for_good);
    ensure!(relay.reset_all() == 1, "one pg_dump is connected");
    gate.release();
    Ok(Cell { faults: vec![gate], _relay: Some(relay), ..Cell::new(setting, id) })
}

/// The server's disk has lost a page of a table.
pub(super) fn disk_error(context: &TestContext, store: Store, flags: Flags) -> Result<Cell<'_>> {
    let setting = Setting::new(context, store, Options::multipart().serve(flags))?;
    let broken = context.postgres().copy_with_broken_page(&setting.source, "shop_bulk")?;
    setting.update_source(&broken.dsn())?;
    let id = setting.trigger()?;
    Ok(Cell { source: broken, ..Cell::new(setting, id) })
}
