//! Getting in the way of a dump: locks it waits at, and connections it loses.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Database, PostgresServer, SUPERUSER};
use crate::canary::random_hex;
use crate::process::{Run, Running};
use crate::wait::wait_for;

/// A page of a relation.
const PAGE_BYTES: u64 = 8192;

impl PostgresServer {
    /// Waits until a `pg_dump` of this database copies a table's rows out.
    pub fn wait_for_pg_dump_copy(&self, database: &str, deadline: Duration) -> Result<()> {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND state = 'active' AND query LIKE 'COPY %'"
        );
        wait_for(&format!("pg_dump of {database} to copy rows"), deadline, || {
            Ok((self.psql("postgres", &sql)? != "0").then_some(()))
        })
    }

    /// Terminates the server side of every `pg_dump` of this database, and returns how many there were.
    pub fn terminate_pg_dump_backends(&self, database: &str) -> Result<usize> {
        let sql = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' \
             AND pid <> pg_backend_pid() AND (application_name LIKE '%pg_dump%' OR query LIKE 'COPY %')"
        );
        Ok(self.psql("postgres", &sql)?.parse()?)
    }

    /// Makes a database of the owner's that holds what this one does, except that a page in the middle of a table cannot be read:
    /// the server looks for it on its disk and finds something else there.
    pub fn copy_with_broken_page(&self, database: &Database, table: &str) -> Result<Database> {
        let copy = database.sibling(&format!("t_{}", random_hex(6)));
        // Copied as files, so that no page of the copy is in the server's memory.
        let sql =
            format!("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy", copy.name, copy.user, database.name);
        self.psql("postgres", &sql)?;
        let of_table = "pg_database d, pg_settings s WHERE s.name = 'data_directory'";
        let sql = format!("SELECT s.setting || '/base/' || d.oid FROM {of_table} AND d.datname = '{}'", copy.name);
        let directory = self.psql("postgres", &sql)?;
        let file = self.psql(&database.name, &format!("SELECT pg_relation_filenode('{table}'::regclass)"))?;
        let path = Path::new(&directory).join(file);
        let pages = fs::metadata(&path).with_context(|| format!("no {}", path.display()))?.len() / PAGE_BYTES;
        ensure!(pages > 2, "{table} has {pages} pages");
        let disk = fs::File::options().write(true).open(&path)?;
        disk.write_all_at(&[0xA5; 64], pages / 2 * PAGE_BYTES)?;
        Ok(copy)
    }

    /// Locks a table against everything, reading included, until the guard is dropped: a `pg_dump` started now waits at it.
    pub fn lock_table(&self, database: &str, table: &str) -> Result<TableLock> {
        let marker = format!("lock-{}", random_hex(6));
        let sql = format!(
            "SET application_name = '{marker}'; BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600);"
        );
        let process = self.psql_run(database, SUPERUSER, &self.password).stdin(sql).spawn()?;
        let held = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{marker}' AND query LIKE 'SELECT pg_sleep%'"
        );
        wait_for(&format!("the lock on {table}"), Duration::from_secs(30), || {
            Ok((self.psql("postgres", &held)? == "1").then_some(()))
        })?;
        Ok(TableLock { process, release: self.psql_run("postgres", SUPERUSER, &self.password), marker })
    }
}

/// A table lock held by a connection of its own.
#[derive(Debug)]
pub struct TableLock {
    process: Running,
    release: Run,
    marker: String,
}

impl TableLock {
    /// Releases the lock and waits until it is gone.
    pub fn release(mut self) -> Result<()> {
        let sql = format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '{}'",
            self.marker
        );
        self.release.stdin(sql).output()?.success()?;
        self.process.kill9()
    }
}
