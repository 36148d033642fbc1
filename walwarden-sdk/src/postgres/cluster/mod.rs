//! A throw-away Postgres server on the loopback interface, for restore drills and tests.

mod account;
mod server;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use super::dsn::Dsn;
use super::process::{RunningTool, Spawn, SpawnError, ToolExit};
use account::Account;
use server::{Server, settings, wait_until_ready};

const SUPERUSER: &str = "postgres";
const PORT_ATTEMPTS: u32 = 5;

/// How to run an [`EphemeralCluster`].
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Where its temporary directory is made; `None` is the system's temporary directory.
    pub parent_directory: Option<PathBuf>,
    /// Whether data is flushed to disk. Off by default: the cluster does not outlive a crash anyway.
    pub fsync: bool,
    /// `max_connections` of the server.
    pub max_connections: u16,
    /// Further settings for `postgresql.conf`, by name.
    pub settings: Vec<(String, String)>,
    /// Time for `initdb`, and again for the server to accept connections.
    pub start_timeout: Duration,
    /// The account to run as when this process is root; `None` takes `postgres`, else `nobody`.
    pub run_as: Option<String>,
    /// Ends the server when the thread which starts it ends (Linux, `setpriv`). Only for threads which live long.
    pub die_with_parent: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            parent_directory: None,
            fsync: false,
            max_connections: 20,
            settings: Vec::new(),
            start_timeout: Duration::from_mins(1),
            run_as: None,
            die_with_parent: false,
        }
    }
}

/// Why a throw-away server did not start or stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// `initdb` or `postgres` is not in the directory of the tools.
    #[error("{program} was not found in the directory of the Postgres tools: install the PostgreSQL server")]
    ServerMissing {
        /// The program which is missing.
        program: &'static str,
    },
    /// This process is root, and there is no other account, or no `setpriv` or `runuser`, to run the server with.
    #[error("Postgres does not run as root, and no unprivileged account can be used for it: {reason}")]
    NoAccount {
        /// What is missing.
        reason: String,
    },
    /// The temporary directory could not be made ready.
    #[error("the temporary cluster's directory cannot be prepared: {0}")]
    Directory(#[from] io::Error),
    /// A program could not be run.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// `initdb` failed.
    #[error("initdb failed ({exit}): {stderr}")]
    InitFailed {
        /// Exit code or signal.
        exit: super::process::ToolStatus,
        /// What it said.
        stderr: String,
    },
    /// The server ended before it accepted connections.
    #[error("the temporary server did not start ({exit}): {stderr}")]
    StartFailed {
        /// Exit code or signal.
        exit: super::process::ToolStatus,
        /// What it said.
        stderr: String,
    },
    /// The server did not accept connections in time.
    #[error("the temporary server was not ready in time")]
    StartTimedOut,
}

/// A running throw-away server. Dropping it ends the server and removes its data.
pub struct EphemeralCluster {
    /// Before the directory, because fields are dropped in this order.
    server: Server,
    port: u16,
    password: SecretString,
    directory: TempDir,
}

impl EphemeralCluster {
    /// Creates a cluster with the `initdb` and `postgres` in `tools_directory`, and waits until it accepts connections.
    ///
    /// It listens on 127.0.0.1 only, with a random superuser password and SCRAM for every connection.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn start(tools_directory: &Path, options: &ClusterOptions) -> Result<Self, ClusterError> {
        let initdb = program(tools_directory, "initdb")?;
        let postgres = program(tools_directory, "postgres")?;
        let account = Account::choose(options.run_as.as_deref())?;
        let mut directory = tempfile::Builder::new();
        directory.prefix("walwarden-pg-");
        let directory = match &options.parent_directory {
            Some(parent) => directory.tempdir_in(parent)?,
            None => directory.tempdir()?,
        };
        let password = random_password()?;
        let password_file = directory.path().join("password");
        write_private(&password_file, password.expose_secret())?;
        account.own(&password_file)?;
        account.own(directory.path())?;

        let data = directory.path().join("data");
        let init = account
            .spawn(&initdb, false)
            .args(["--username", SUPERUSER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pwfile")
            .arg(&password_file)
            .arg("--pgdata")
            .arg(&data)
            .current_directory(directory.path())
            .output(options.start_timeout)
            .await?;
        if !init.exit.success() {
            let ToolExit { status, stderr } = init.exit;
            return Err(ClusterError::InitFailed { exit: status, stderr });
        }
        std::fs::remove_file(&password_file)?;

        let mut attempt = 1;
        loop {
            // Another process can take the port between this look and the server's start.
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let server = account.spawn(&postgres, options.die_with_parent).arg("-D").arg(&data);
            let arguments = settings(options, directory.path(), port).into_iter();
            let server = server.args(arguments.flat_map(|setting| ["-c".to_owned(), setting]));
            let mut server = Server { tool: server.current_directory(directory.path()).spawn()? };
            match wait_until_ready(&mut server.tool, &data, options.start_timeout).await {
                Ok(()) => {
                    return Ok(Self { server, port, password, directory });
                }
                Err(ClusterError::StartFailed { stderr, .. })
                    if attempt < PORT_ATTEMPTS && stderr.contains("Address already in use") =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The superuser's connection to a database of this cluster.
    #[must_use]
    pub fn dsn(&self, database: &str) -> Dsn {
        Dsn::loopback(self.port, SUPERUSER, self.password.clone(), database)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the cluster keeps its data and socket; removed with it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Process id of the server; `None` once it has ended.
    #[must_use]
    pub fn server_id(&self) -> Option<u32> {
        self.server.tool.id()
    }

    /// Ends the server: open transactions are rolled back, and after `grace` it is killed. Removes its data.
    ///
    /// # Errors
    /// When the end of the server cannot be awaited or its data cannot be removed.
    pub async fn stop(mut self, grace: Duration) -> Result<ToolExit, ClusterError> {
        // SIGINT is Postgres's fast shutdown.
        let exit = self.server.tool.kill_with(Signal::INT, grace).await?;
        std::fs::remove_dir_all(self.directory.path())?;
        Ok(exit)
    }
}

fn program(directory: &Path, name: &'static str) -> Result<PathBuf, ClusterError> {
    let path = directory.join(name);
    if path.is_file() { Ok(path) } else { Err(ClusterError::ServerMissing { program: name }) }
}

fn random_password() -> io::Result<SecretString> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(SecretString::from(hex::encode(bytes)))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
