//! The usual installation: a bucket, a source database, a destination, a protected database, an API key and a server. What it is
//! made of is up to the test; what must hold whatever the test did is [`Setting::assert_no_leftovers`].

mod inspect;
mod install;
mod json;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::model::{Backup, BackupState};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, ErrorCode, OrgId, Scope};
use walwarden_tests::fault_proxy::FaultProxy;
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::{Database, PostgresServer};
use walwarden_tests::process::{Output, Run, Running};
use walwarden_tests::s3::Bucket;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Role, Server, Store, Walwarden};

pub(crate) use self::inspect::manifest_key;
use self::install::{SOURCE_DSN, add_database, add_destination, issue_key};
pub(crate) use self::json::{assert_failure, data, field};
use crate::SOON;

/// What differs between tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Whether the bucket has Object Lock.
    pub(crate) object_lock: bool,
    /// The destination's lock mode.
    pub(crate) lock_mode: &'static str,
    /// Whether the destination is verified as it is added; otherwise a worker looks at it.
    pub(crate) preflight: bool,
    /// Whether the server reaches the bucket through a fault proxy.
    pub(crate) proxied: bool,
    /// Rows of the sample's main table.
    pub(crate) rows: u32,
    /// Size of a table that no codec can shrink, in MiB; none when 0.
    pub(crate) bulk_mib: u32,
    /// The database's codec.
    pub(crate) codec: &'static str,
    /// What the first server does.
    pub(crate) role: Role,
    /// More flags of every server.
    pub(crate) serve: &'static [&'static str],
}

impl Default for Options {
    fn default() -> Self {
        Self::USUAL
    }
}

impl Options {
    /// A small database, a bucket with Object Lock, GOVERNANCE, no proxy, everything in one process, retries without a wait.
    const USUAL: Self = Self {
        object_lock: true,
        lock_mode: "governance",
        preflight: true,
        proxied: false,
        rows: 50,
        bulk_mib: 0,
        codec: "auto",
        role: Role::All,
        serve: &["--retry-delay-seconds", "0"],
    };

    /// Behind a fault proxy.
    pub(crate) const fn proxied() -> Self {
        Self { proxied: true, ..Self::USUAL }
    }

    /// Behind a fault proxy, with a dump of three parts or more, one on its way at a time.
    pub(crate) const fn multipart() -> Self {
        Self {
            bulk_mib: 20,
            codec: "none",
            serve: &["--retry-delay-seconds", "0", "--part-memory-mib", "32"],
            ..Self::proxied()
        }
    }

    /// With other flags for every server.
    pub(crate) const fn serve(self, serve: &'static [&'static str]) -> Self {
        Self { serve, ..self }
    }
}

/// An installation with one protected database, and a server that runs unless the test stopped it.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) context: &'a TestContext,
    pub(crate) walwarden: Walwarden<'a>,
    pub(crate) bucket: Bucket,
    pub(crate) source: Database,
    pub(crate) destination_id: DestinationId,
    pub(crate) database_id: DatabaseId,
    pub(crate) org_id: OrgId,
    /// An API key with every scope, a canary.
    pub(crate) api_key: String,
    options: Options,
    proxy: Option<FaultProxy>,
    server: Option<Server>,
    /// Where the store is, when it is a database and not on the shared cluster.
    pub(crate) metadata_server: Option<PostgresServer>,
}

impl<'a> Setting<'a> {
    /// Makes all of it and starts the server.
    pub(crate) fn new(context: &'a TestContext, store: Store, options: Options) -> Result<Self> {
        let mut setting = Self::prepare(context, Walwarden::init(context, store)?, options)?;
        setting.start()?;
        Ok(setting)
    }

    /// Makes all of it in an installation that is there; nothing runs yet.
    pub(crate) fn prepare(context: &'a TestContext, walwarden: Walwarden<'a>, options: Options) -> Result<Self> {
        let bucket = context.bucket(options.object_lock)?;
        let source = context.database()?;
        context.postgres().load_sample(&source, options.rows)?;
        if options.bulk_mib > 0 {
            context.postgres().load_bulk(&source, options.bulk_mib)?;
        }
        let proxy = options.proxied.then(|| context.s3_proxy()).transpose()?;
        let endpoint = proxy.as_ref().map_or_else(|| context.s3().endpoint(), FaultProxy::endpoint);
        let destination_id =
            add_destination(&walwarden, context, &bucket, &endpoint, options.lock_mode, options.preflight)?;
        let database_id = add_database(&walwarden, "source", &destination_id, &source.dsn(), options.codec)?;
        if let Some(proxy) = &proxy {
            // Preflight went through it.
            proxy.forget_requests();
        }
        let (api_key, org_id) = issue_key(&walwarden, context, Scope::ALL)?;
        Ok(Self {
            context,
            walwarden,
            bucket,
            source,
            destination_id,
            database_id,
            org_id,
            api_key,
            options,
            proxy,
            server: None,
            metadata_server: None,
        })
    }

    /// Starts a server with the setting's flags, in place of the one that was stopped.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.start_with(self.options.serve)
    }

    /// The same with other flags.
    pub(crate) fn start_with(&mut self, flags: &[&str]) -> Result<()> {
        self.server = Some(self.walwarden.serve_with(self.options.role, flags)?);
        Ok(())
    }

    /// Stops the server and starts one with other flags.
    pub(crate) fn restart_with(&mut self, flags: &[&str]) -> Result<()> {
        self.stop()?;
        self.start_with(flags)
    }

    /// Asks the server to stop, which must end with exit code 0.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.server.take().context("no server runs")?.stop().map(drop)
    }

    /// Kills the server as a crash would.
    pub(crate) fn kill9(&mut self) -> Result<()> {
        self.server.take().context("no server runs")?.kill9()
    }

    /// The running server.
    pub(crate) fn server(&self) -> Result<&Server> {
        self.server.as_ref().context("no server runs")
    }

    /// The proxy between server and bucket.
    pub(crate) fn proxy(&self) -> Result<&FaultProxy> {
        self.proxy.as_ref().context("the setting has no proxy")
    }

    /// A `walwarden` command with the setting's API key, not yet started.
    pub(crate) fn cli(&self, args: &[&str]) -> Result<Run> {
        self.walwarden.cli(self.server()?, Some(&self.api_key), args)
    }

    /// Runs a `walwarden --json` command to its end, whatever that is.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Output> {
        self.cli(&[&["--json"], args].concat())?.output()
    }

    /// Queues a backup.
    pub(crate) fn trigger(&self) -> Result<BackupJobId> {
        let database = self.database_id.to_string();
        let output = self.json(&["backup", "trigger", "--database", &database])?;
        field(&data(&output)?, "/triggered/backupJobId")
    }

    /// Starts `walwarden --json backup trigger --wait`, and waits until the job is there.
    pub(crate) fn trigger_waiting(&self) -> Result<(BackupJobId, Running)> {
        let database = self.database_id.to_string();
        let newest = || self.last_backup().map(|backup| backup.id);
        let before = newest().ok();
        let running = self.cli(&["--json", "backup", "trigger", "--database", &database, "--wait"])?.spawn()?;
        let id = wait_for("the backup to be queued", SOON, || Ok(Some(newest()?).filter(|id| before != Some(*id))))?;
        Ok((id, running))
    }

    /// Runs `walwarden --json backup trigger --wait` to its end, whatever that is.
    pub(crate) fn trigger_wait(&self) -> Result<Output> {
        let database = self.database_id.to_string();
        self.json(&["backup", "trigger", "--database", &database, "--wait"])
    }

    /// Makes a backup, which must complete.
    pub(crate) fn backup_and_wait(&self) -> Result<Backup> {
        let backup: Backup = field(&data(&self.trigger_wait()?)?, "/completed")?;
        ensure!(backup.state == BackupState::Completed, "{backup:?}");
        Ok(backup)
    }

    /// Makes a backup, which must fail for good with this code and the code's exit status.
    pub(crate) fn backup_fails(&self, code: ErrorCode) -> Result<Backup> {
        self.assert_backup_failed(&self.trigger_wait()?, code)
    }

    /// Fails unless the newest backup, which this command waited for, failed for good with this code.
    pub(crate) fn assert_backup_failed(&self, output: &Output, code: ErrorCode) -> Result<Backup> {
        assert_failure(output, code)?;
        let backup = self.last_backup()?;
        ensure!(backup.state == BackupState::FailedTerminal && backup.artifact.is_none(), "{backup:?}");
        ensure!(backup.error.as_ref().is_some_and(|error| error.code == code), "{backup:?}");
        Ok(backup)
    }

    /// The newest backup job of the database.
    pub(crate) fn last_backup(&self) -> Result<Backup> {
        let path = format!("/api/v1/databases/{}/backups?limit=1", self.database_id);
        field(&self.get(&path)?, "/backups/0")
    }

    /// A backup job.
    pub(crate) fn backup(&self, id: BackupJobId) -> Result<Backup> {
        Ok(serde_json::from_value(self.get(&format!("/api/v1/backups/{id}"))?)?)
    }

    /// Waits until a backup job is as the test wants it.
    pub(crate) fn wait_backup(&self, id: BackupJobId, wanted: impl Fn(&Backup) -> bool) -> Result<Backup> {
        let mut last = None;
        let found = wait_for("the backup job", SOON, || {
            let backup = self.backup(id)?;
            Ok(wanted(&backup).then(|| backup.clone()).or_else(|| {
                last = Some(backup);
                None
            }))
        });
        found.with_context(|| format!("last seen: {last:?}"))
    }

    /// Waits until a backup job has ended, which must be in this state.
    pub(crate) fn wait_ended(&self, id: BackupJobId, state: BackupState) -> Result<Backup> {
        let backup = self.wait_backup(id, |backup| backup.state.is(BackupState::is_terminal))?;
        ensure!(backup.state == state, "{backup:?}");
        Ok(backup)
    }

    /// A successful `GET` with the setting's API key.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let authorization = format!("Bearer {}", self.api_key);
        let answer = self.server()?.request("GET", path, &[("authorization", &authorization)], None)?;
        ensure!(answer.status == 200, "GET {path}: {} {}", answer.status, answer.json()?);
        answer.json()
    }

    /// Changes the destination: `flags` as `walwarden-api admin destination update` takes them.
    pub(crate) fn update_destination(&self, flags: &[&str], env: &[(&str, &str)]) -> Result<()> {
        let id = self.destination_id.to_string();
        self.walwarden.admin(&[&["destination", "update", id.as_str()], flags].concat(), env).map(drop)
    }

    /// Gives the protected database another source, whatever is wrong with it.
    pub(crate) fn update_source(&self, dsn: &str) -> Result<()> {
        let id = self.database_id.to_string();
        self.walwarden.admin(&["database", "update", &id, "--no-check"], &[(SOURCE_DSN, dsn)]).map(drop)
    }

    /// Issues another API key, with these scopes only.
    pub(crate) fn issue_key(&self, scopes: &[Scope]) -> Result<String> {
        Ok(issue_key(&self.walwarden, self.context, scopes)?.0)
    }
}
