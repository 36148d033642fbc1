//! The cluster, the sample data, and getting in the way of a dump.

use std::fs::File;

use anyhow::{Result, ensure};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::Database;
use walwarden_tests::process::Run;
use walwarden_tests::wait::wait_for;

use super::SOON;

pub(super) fn digests(context: &TestContext) -> Result<()> {
    let postgres = context.postgres();
    let (first, second) = (context.database()?, context.database()?);
    postgres.load_sample(&first, 200)?;
    postgres.load_sample(&second, 200)?;
    // Object ids differ between two loads, and with them the large objects and the column that refers to them.
    let mut a = postgres.table_digests(&first.name)?;
    let mut b = postgres.table_digests(&second.name)?;
    ensure!(
        a["(large objects)"].rows == 3 && a["shop.customers"].rows == 200 && a["shop.order_items"].rows == 400,
        "{a:?}"
    );
    for differs in ["(large objects)", "shop.documents"] {
        a.remove(differs);
        b.remove(differs);
    }
    ensure!(a == b, "two equal loads differ: {a:?} {b:?}");
    postgres.psql(&second.name, "UPDATE shop.orders SET total = total + 0.01 WHERE id = 7")?;
    let changed = postgres.table_digests(&second.name)?;
    ensure!(
        changed["shop.orders"].rows == a["shop.orders"].rows && changed["shop.orders"] != a["shop.orders"],
        "one cent is not seen"
    );
    postgres
        .psql(&second.name, "DROP INDEX shop.orders_by_day; SELECT lo_unlink(min(oid)) FROM pg_largeobject_metadata")?;
    let changed = postgres.table_digests(&second.name)?;
    ensure!(
        changed["(definitions)"] != a["(definitions)"] && changed["(large objects)"].rows == 2,
        "a dropped index is not seen"
    );
    Ok(())
}

pub(super) fn bulk(context: &TestContext) -> Result<()> {
    let database = context.database()?;
    context.postgres().load_bulk(&database, 20)?;
    let size: u64 =
        context.postgres().psql_as_owner(&database, "SELECT sum(length(payload)) FROM shop_bulk")?.parse()?;
    ensure!(size == 20 * 1024 * 1024, "{size} bytes");
    Ok(())
}

fn pg_dump(context: &TestContext, database: &Database) -> Run {
    context
        .run(context.postgres().bin().join("pg_dump"))
        .args(["--format=custom", "--compress=0", "--no-sync", "--file=/dev/null"])
        .env("PGHOST", &database.host)
        .env("PGPORT", database.port.to_string())
        .env("PGUSER", &database.user)
        .env("PGPASSWORD", &database.password)
        .env("PGDATABASE", &database.name)
}

pub(super) fn table_lock(context: &TestContext) -> Result<()> {
    let database = context.database()?;
    context.postgres().load_sample(&database, 10)?;
    let lock = context.postgres().lock_table(&database.name, "shop.orders")?;
    let mut dump = pg_dump(context, &database).spawn()?;
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
        database.name
    );
    wait_for("pg_dump to wait at the lock", SOON, || {
        Ok((context.postgres().psql("postgres", &waiting)? == "1").then_some(()))
    })?;
    ensure!(dump.try_status()?.is_none(), "pg_dump ended although the table is locked");
    lock.release()?;
    dump.wait(SOON)?.success()?;
    Ok(())
}

pub(super) fn terminates_pg_dump(context: &TestContext) -> Result<()> {
    let database = context.database()?;
    context.postgres().load_sample(&database, 10)?;
    let lock = context.postgres().lock_table(&database.name, "shop.orders")?;
    let dump = pg_dump(context, &database).spawn()?;
    let terminated = wait_for("a pg_dump to terminate", SOON, || {
        Ok(Some(context.postgres().terminate_pg_dump_backends(&database.name)?).filter(|count| *count > 0))
    })?;
    ensure!(terminated == 1, "{terminated} backends");
    ensure!(dump.wait(SOON)?.code() == Some(1), "pg_dump did not notice");
    lock.release()
}

pub(super) fn dump_in_the_middle(context: &TestContext) -> Result<()> {
    let database = context.database()?;
    context.postgres().load_bulk(&database, 20)?;
    // A pipe that somebody holds open and nobody reads: pg_dump fills it and stops within the table.
    let pipe = context.private().join("pipe");
    context.run("/usr/bin/mkfifo").arg(&pipe).output()?.success()?;
    let _reader = File::options().read(true).write(true).open(&pipe)?;
    let _dump = pg_dump(context, &database).arg("--file").arg(&pipe).spawn()?;
    context.postgres().wait_for_pg_dump_copy(&database.name, SOON)?;
    let terminated = context.postgres().terminate_pg_dump_backends(&database.name)?;
    ensure!(terminated == 1, "{terminated} backends");
    Ok(())
}
