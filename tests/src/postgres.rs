//! The shared Postgres cluster: one per run, a database and an owner of its own for each test.

mod digest;
mod interfere;
mod pooler;
mod sample;
mod tls;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Signal, geteuid};

pub use self::digest::{TableDigest, TableDigests};
pub use self::interfere::TableLock;
pub use self::pooler::PgBouncer;
pub use self::sample::SAMPLE_TABLES;
pub use self::tls::make_certificate;
use crate::canary::{Canaries, percent_encode, random_hex};
use crate::paths;
use crate::process::{Output, Run, Running, tails};
use crate::spawner::DeathSignal;
use crate::wait::wait_for;

const SUPERUSER: &str = "postgres";
/// Who runs the server when the tests run as root, which initdb and postgres refuse.
const SERVER_USER: &str = "postgres";

/// A running cluster.
#[derive(Debug)]
pub struct PostgresServer {
    bin: PathBuf,
    directory: PathBuf,
    port: u16,
    password: String,
    process: Running,
}

/// A database on the cluster, and a role that owns it.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its owner, who may also create databases.
    pub user: String,
    /// The owner's password, a canary.
    pub password: String,
    /// The server's address.
    pub host: String,
    /// The server's port.
    pub port: u16,
}

impl Database {
    /// The connection URL, with the password percent-encoded.
    #[must_use]
    pub fn dsn(&self) -> String {
        self.dsn_with(&self.password, self.port)
    }

    /// The same with another password or port, for tests of refusals.
    #[must_use]
    pub fn dsn_with(&self, password: &str, port: u16) -> String {
        let Self { name, user, host, .. } = self;
        format!("postgresql://{user}:{}@{host}:{port}/{name}", percent_encode(password))
    }

    /// The same owner and server, another database.
    #[must_use]
    pub fn sibling(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }
}

impl PostgresServer {
    /// Creates and starts a cluster: data below `data`, log below `logs`. The superuser's password becomes a canary.
    pub fn start(data: &Path, logs: &Path, canaries: &Canaries) -> Result<Self> {
        let bin = paths::postgres_bin()?;
        let password = canaries.password("the Postgres superuser's password");
        let directory = data.join(format!("postgres-{}", random_hex(3)));
        let user = geteuid().is_root().then_some(SERVER_USER);
        create_owned(&directory, user)?;
        let password_file = directory.join("password");
        fs::write(&password_file, &password)?;
        give(&password_file, user)?;
        Run::new(bin.join("initdb"), &directory, logs)
            .args(["--pgdata", "data", "--username", SUPERUSER, "--pwfile", "password", "--auth", "scram-sha-256"])
            .args(["--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8"])
            .user(user)
            .output()?
            .success()?;
        fs::remove_file(password_file)?;
        // The port is free now and may be taken a moment later: then the server ends at once, and another port is tried.
        let mut last = None;
        for _ in 0..5 {
            let port = free_port()?;
            let process = serve(&bin, &directory, logs, user, port)?;
            let mut server =
                Self { bin: bin.clone(), directory: directory.clone(), port, password: password.clone(), process };
            match server.wait_ready() {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("five tries leave an error")?).context("Postgres does not start")
    }

    fn wait_ready(&mut self) -> Result<()> {
        wait_for("Postgres to accept connections", Duration::from_secs(30), || {
            if let Some(status) = self.process.try_status()? {
                return Ok(Some(Err(status)));
            }
            self.psql("postgres", "SELECT 1").map(|_| Some(Ok(())))
        })?
        .map_err(|status| anyhow::anyhow!("postgres: {status}\n{}", tails(&[self.process.stderr_path().to_path_buf()])))
    }

    /// The server's port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory with `pg_dump`, `pg_restore` and `psql` of this server's version.
    #[must_use]
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.process.stderr_path()
    }

    /// An empty database with an owner of its own; name and owner are unique, the password is a canary.
    pub fn create_database(&self, canaries: &Canaries) -> Result<Database> {
        let name = format!("t_{}", random_hex(6));
        let user = format!("{name}_owner");
        let password = canaries.password(&format!("the password of {user}"));
        self.psql("postgres", &format!("CREATE ROLE {user} LOGIN CREATEDB PASSWORD '{password}'"))?;
        self.psql("postgres", &format!("CREATE DATABASE {name} OWNER {user} TEMPLATE template0"))?;
        Ok(Database { name, user, password, host: "127.0.0.1".into(), port: self.port })
    }

    /// Whether a database of this name exists.
    pub fn database_exists(&self, name: &str) -> Result<bool> {
        Ok(self.psql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'"))? == "1")
    }

    /// Runs SQL as the superuser, stopping at the first error; rows come back as lines with tabs between the columns.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        let output = self.psql_run(database, SUPERUSER, &self.password).stdin(sql).output()?.success()?;
        Ok(finish(&output))
    }

    /// Runs SQL as the database's owner.
    pub fn psql_as_owner(&self, database: &Database, sql: &str) -> Result<String> {
        let output =
            self.psql_run(&database.name, &database.user, &database.password).stdin(sql).output()?.success()?;
        Ok(finish(&output))
    }

    fn psql_run(&self, database: &str, user: &str, password: &str) -> Run {
        // SQL goes through standard input and the password through the environment: neither is in argv.
        Run::new(self.bin.join("psql"), &self.directory, &self.directory.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--field-separator=\t",
                "--set=ON_ERROR_STOP=1",
            ])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", user)
            .env("PGDATABASE", database)
            .env("PGPASSWORD", password)
            .deadline(Duration::from_mins(5))
    }

    /// Stops the server at once, as a crash of the machine would look to its clients, and waits until it is gone.
    pub fn stop(mut self) -> Result<()> {
        self.crash()
    }

    /// The same for a server that [`PostgresServer::recover`] starts again. What it had committed is there then, unless a
    /// database says `synchronous_commit = off`, as all do that do not say otherwise.
    pub fn crash(&mut self) -> Result<()> {
        self.shut_down()
    }

    /// Starts a server again that crashed, on the same port.
    pub fn recover(&mut self) -> Result<()> {
        let user = geteuid().is_root().then_some(SERVER_USER);
        let logs = self.process.stderr_path().parent().context("the log is in a directory")?.to_path_buf();
        self.process = serve(&self.bin, &self.directory, &logs, user, self.port)?;
        self.wait_ready()
    }

    fn shut_down(&mut self) -> Result<()> {
        // Not SIGKILL: that would leave its shared memory behind.
        self.process.signal(Signal::QUIT)?;
        wait_for("Postgres to stop", Duration::from_secs(10), || self.process.try_status()).map(drop)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // `Running` kills what is still there after this.
        let _ = self.shut_down();
    }
}

fn finish(output: &Output) -> String {
    output.stdout_text().trim_end_matches('\n').to_owned()
}

fn serve(bin: &Path, directory: &Path, logs: &Path, user: Option<&str>, port: u16) -> Result<Running> {
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", directory.display()),
        "max_connections=200".into(),
        "shared_buffers=128MB".into(),
        "max_wal_size=4GB".into(),
        // Nothing here has to survive a crash.
        "fsync=off".into(),
        "synchronous_commit=off".into(),
        "full_page_writes=off".into(),
        "wal_level=minimal".into(),
        "max_wal_senders=0".into(),
        "timezone=UTC".into(),
        "log_timezone=UTC".into(),
        "log_line_prefix=%m [%p] %q%a %u@%d ".into(),
    ];
    let mut run = Run::new(bin.join("postgres"), directory, logs).args(["-D", "data"]);
    for setting in settings {
        run = run.args(["-c", &setting]);
    }
    run.user(user).death_signal(DeathSignal::Quit).spawn()
}

/// A TCP port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn create_owned(directory: &Path, user: Option<&str>) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    give(directory, user)
}

fn give(path: &Path, user: Option<&str>) -> Result<()> {
    let Some(user) = user else { return Ok(()) };
    let passwd = fs::read_to_string("/etc/passwd")?;
    let mut fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let entry = fields
        .find(|fields| fields.first() == Some(&user))
        .with_context(|| format!("no user {user} on this machine"))?;
    let (uid, gid) =
        (entry.get(2).context("passwd has a uid")?.parse()?, entry.get(3).context("passwd has a gid")?.parse()?);
    chown(path, Some(uid), Some(gid)).with_context(|| format!("cannot give {} to {user}", path.display()))
}
