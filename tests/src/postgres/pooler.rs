//! `PgBouncer` in front of a server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use super::{Database, PostgresServer, SERVER_USER, create_owned, free_port, give};
use crate::canary::random_hex;
use crate::process::{Run, Running};
use crate::wait::wait_for;

/// A running pooler. Dropped, it is killed.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    _process: Running,
}

impl PgBouncer {
    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl PostgresServer {
    /// Starts a pooler for one database, in `transaction` or `session` mode. Its files, which hold the password, go below `private`.
    pub fn pooler(&self, database: &Database, mode: &str, private: &Path) -> Result<PgBouncer> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).is_file());
        let program = program.context("no pgbouncer: run `make setup`")?;
        let user = geteuid().is_root().then_some(SERVER_USER);
        let directory = self.directory.join(format!("pooler-{}", random_hex(3)));
        create_owned(&directory, user)?;
        let port = free_port()?;
        let (settings, users) = (directory.join("pgbouncer.ini"), directory.join("users.txt"));
        let Database { name, user: role, password, .. } = database;
        let text = format!(
            "[databases]\n{name} = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\n",
            self.port,
            users.display(),
        );
        fs::write(&users, format!("\"{role}\" \"{password}\"\n"))?;
        fs::write(&settings, text)?;
        give(&users, user)?;
        give(&settings, user)?;
        let process = Run::new(program, &directory, private).arg(&settings).user(user).spawn()?;
        wait_for("PgBouncer to listen", Duration::from_secs(10), || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop))
        })?;
        Ok(PgBouncer { port, _process: process })
    }
}
