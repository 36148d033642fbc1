//! The product as a user runs it: `walwarden-api` and `walwarden` as processes, with a data directory and a store of their own.

mod flags;
mod server;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::harness::TestContext;
use crate::postgres::{Database, free_port};
use crate::process::Run;

pub use self::flags::{CLOCK_OFFSET_FILE, FAILPOINT, Role};
pub use self::server::{Answer, Server, http_client};

/// Where the product keeps its own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The embedded default, in the data directory.
    Sqlite,
    /// A metadata database on the shared cluster.
    Postgres,
}

/// An installation: initialized, with any number of its processes running.
#[derive(Debug)]
pub struct Walwarden<'a> {
    context: &'a TestContext,
    data: PathBuf,
    metadata: Option<Database>,
    extra: Vec<(String, String)>,
    core: Option<usize>,
    survives_full_disk: bool,
}

impl<'a> Walwarden<'a> {
    /// Creates the data directory, the metadata database where the store needs one, and runs `walwarden-api init`.
    pub fn init(context: &'a TestContext, store: Store) -> Result<Self> {
        let metadata = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(context.database()?),
        };
        Self::init_in(context, metadata)
    }

    /// The same with this metadata database, or the embedded store without one.
    pub fn init_in(context: &'a TestContext, metadata: Option<Database>) -> Result<Self> {
        let data = context.directory().join("data");
        let this = Self { context, data, metadata, extra: Vec::new(), core: None, survives_full_disk: false };
        this.api(flags::INIT)?.output()?.success()?;
        Ok(this)
    }

    /// Sets a variable for every `walwarden-api` process started from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.extra.push((name.to_owned(), value.to_owned()));
    }

    /// Takes such a variable away again.
    pub fn unset_env(&mut self, name: &str) {
        self.extra.retain(|(set, _)| set != name);
    }

    /// Gives every `walwarden-api` process started from now on this core alone.
    pub(crate) fn pin(&mut self, core: usize) {
        self.core = Some(core);
    }

    /// Makes writing to a full disk fail for every `walwarden-api` process started from now on, where the file's size is what is
    /// limited: it would be killed otherwise. See [`Server::limit_file_size`].
    pub fn survive_full_disk(&mut self) {
        self.survives_full_disk = true;
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The database that holds the state, when the store is Postgres.
    #[must_use]
    pub fn metadata(&self) -> Option<&Database> {
        self.metadata.as_ref()
    }

    /// A `walwarden-api` command on this installation, not yet started.
    pub fn api<A: AsRef<str>>(&self, args: impl IntoIterator<Item = A>) -> Result<Run> {
        let mut run = self.context.run_binary(flags::API_BINARY)?.env(flags::DATA_DIR, &self.data);
        if let Some(metadata) = &self.metadata {
            run = run.env(flags::DATABASE_URL, metadata.dsn());
        }
        run = run.envs(self.extra.iter().map(|(name, value)| (name, value)));
        if let Some(core) = self.core {
            run = run.pinned(core);
        }
        if self.survives_full_disk {
            run = run.ignoring_file_size_signal();
        }
        Ok(run.args(args.into_iter().map(|arg| arg.as_ref().to_owned())))
    }

    /// Runs `walwarden-api admin <args> --json` and returns its `data`, failing on another exit code than 0. Secrets (a DSN, a
    /// destination's key) go through `env`, never through `args`.
    pub fn admin(&self, args: &[&str], env: &[(&str, &str)]) -> Result<serde_json::Value> {
        flags::data(&self.admin_run(args, env)?.output()?.success()?)
    }

    /// The same for a command that shows a secret once: its output is kept out of the searched logs.
    pub fn admin_private(&self, args: &[&str], env: &[(&str, &str)]) -> Result<serde_json::Value> {
        flags::data(&self.admin_run(args, env)?.private_output(&self.context.private()).output()?.success()?)
    }

    /// An admin command, not yet started.
    pub fn admin_run(&self, args: &[&str], env: &[(&str, &str)]) -> Result<Run> {
        let args = flags::ADMIN.iter().chain(args).chain(flags::JSON);
        Ok(self.api(args)?.envs(env.iter().copied()))
    }

    /// Starts `walwarden-api serve` in this role and waits until it is ready.
    pub fn serve(&self, role: Role) -> Result<Server> {
        self.serve_with(role, &[])
    }

    /// The same with more flags.
    pub fn serve_with(&self, role: Role, args: &[&str]) -> Result<Server> {
        // The port is free now and may be taken a moment later: then the server ends, and another is tried.
        for _ in 0..3 {
            let port = free_port()?;
            let process =
                self.api(flags::serve(role, port).iter().map(String::as_str).chain(args.iter().copied()))?.spawn()?;
            // A worker has none of the described operations.
            let violations = self.context.violations().filter(|_| role != Role::Worker);
            let mut server = Server::new(process, port, violations)?;
            match server.wait_ready() {
                Ok(()) => return Ok(server),
                Err(error) => {
                    let log = server.log_text()?;
                    ensure!(log.contains("ddress already in use") || log.contains("ddress in use"), error);
                }
            }
        }
        bail!("three free ports in a row were taken by others")
    }

    /// A `walwarden` command against a server, with an API key where the test has one, not yet started.
    pub fn cli(&self, server: &Server, api_key: Option<&str>, args: &[&str]) -> Result<Run> {
        let mut run =
            self.context.run_binary(flags::CLI_BINARY)?.documented().env(flags::API_URL, server.url()).args(args);
        if let Some(api_key) = api_key {
            run = run.env(flags::API_KEY, api_key);
        }
        Ok(run)
    }
}
