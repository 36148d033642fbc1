//! What the test binary's `main` calls, and what each trial gets: the shared servers, a directory, canaries, and processes whose
//! output is kept. After every trial its output, its logs and every argv on the machine are searched for its secrets.

mod alone;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use libtest_mimic::{Arguments, Failed, Trial};

pub use self::alone::run_alone;
use crate::argv::ArgvSampler;
use crate::canary::{Canaries, Place, files_below};
use crate::conformance::Violations;
use crate::fault_proxy::FaultProxy;
use crate::paths::{RunDirectory, workspace_binary};
use crate::postgres::{Database, PostgresServer};
use crate::process::{Run, tails};
use crate::runtime::lock;
use crate::s3::{Bucket, S3Server};

/// What all trials share.
#[derive(Debug)]
pub struct Servers {
    /// The Postgres cluster.
    pub postgres: PostgresServer,
    /// The S3 server.
    pub s3: S3Server,
    /// Sees the argv of every process while the trials run.
    pub argv: ArgvSampler,
    /// The servers' own secrets.
    canaries: Canaries,
    /// Where the trials' directories go.
    trials: PathBuf,
}

impl Servers {
    fn start(run: &Path, argv: ArgvSampler) -> Result<Self> {
        let (data, logs) = (run.join("servers/data"), run.join("servers/logs"));
        let canaries = Canaries::default();
        let (postgres, s3) = thread::scope(|scope| {
            let postgres = scope.spawn(|| PostgresServer::start(&data, &logs, &canaries));
            let s3 = S3Server::start(&data, &logs, &canaries);
            (postgres.join().map_err(|_| anyhow!("starting Postgres panicked")).flatten(), s3)
        });
        let (postgres, s3) = (postgres?, s3?);
        Ok(Self { postgres, s3, argv, canaries, trials: run.join("trials") })
    }
}

type Shared = Arc<Mutex<Option<Arc<Servers>>>>;
/// The trials of one test binary.
#[derive(Default)]
pub struct Suite {
    shared: Shared,
    trials: Vec<Trial>,
}

impl Suite {
    /// No trials yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a trial. Its name states what it proves.
    #[must_use]
    pub fn trial(
        mut self,
        name: impl Into<String>,
        body: impl FnOnce(&TestContext) -> Result<()> + Send + 'static,
    ) -> Self {
        let (shared, name) = (Arc::clone(&self.shared), name.into());
        self.trials.push(Trial::test(name.clone(), move || {
            let servers = lock(&shared).clone().ok_or("the servers are not running")?;
            run_trial(&name, servers, body)
        }));
        self
    }

    /// Starts the servers, runs the trials the command line asks for, stops everything, and returns the runner's exit code.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let arguments = Arguments::from_args();
        if arguments.list {
            return libtest_mimic::run(&arguments, self.trials).exit_code();
        }
        match self.run_with_servers(&arguments) {
            Ok(code) => code,
            Err(error) => {
                #[expect(clippy::print_stderr, reason = "the runner has not started, so nobody else can say it")]
                {
                    eprintln!("the test servers do not start: {error:#}");
                }
                ExitCode::FAILURE
            }
        }
    }

    fn run_with_servers(self, arguments: &Arguments) -> Result<ExitCode> {
        let run = RunDirectory::create()?;
        let started = Instant::now();
        let servers = match Servers::start(run.path(), ArgvSampler::start()) {
            Ok(servers) => Arc::new(servers),
            Err(error) => {
                let logs = files_below(&run.path().join("servers/logs")).unwrap_or_default();
                return Err(error.context(format!("logs in {}\n{}", run.path().display(), tails(&logs))));
            }
        };
        #[expect(clippy::print_stderr, reason = "tells a person what the seconds before the first trial were for")]
        {
            eprintln!("servers started in {:.1?}, run directory {}", started.elapsed(), run.path().display());
        }
        *lock(&self.shared) = Some(servers);
        let conclusion = libtest_mimic::run(arguments, self.trials);
        // The last reference: every process is killed here, before its files go.
        drop(lock(&self.shared).take());
        run.clean(!conclusion.has_failed());
        Ok(conclusion.exit_code())
    }
}

fn run_trial(name: &str, servers: Arc<Servers>, body: impl FnOnce(&TestContext) -> Result<()>) -> Result<(), Failed> {
    let context = TestContext::new(name, servers, Some(Violations::default())).map_err(|error| format!("{error:#}"))?;
    let outcome = catch_unwind(AssertUnwindSafe(|| body(&context)));
    let mut failures = Vec::new();
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => failures.push(format!("{error:?}")),
        Err(panic) => failures.push(format!("panicked: {}", panic_text(&*panic))),
    }
    let violations = context.violations().map(Violations::all).unwrap_or_default();
    if !violations.is_empty() {
        failures.push(format!("answers that the API description does not describe:\n  {}", violations.join("\n  ")));
    }
    if let Err(error) = context.check_canaries() {
        failures.push(format!("{error:?}"));
    }
    if failures.is_empty() {
        // Passed: its files are of no more use. What cannot be removed goes with the run directory.
        let _ = fs::remove_dir_all(&context.directory);
        return Ok(());
    }
    let logs = files_below(&context.directory.join("logs")).unwrap_or_default();
    failures.push(format!("directory: {}\n{}", context.directory.display(), tails(&logs)));
    Err(failures.join("\n").into())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("(no message)").to_owned()
}

/// One trial's surroundings.
#[derive(Debug)]
pub struct TestContext {
    name: String,
    servers: Arc<Servers>,
    directory: PathBuf,
    canaries: Canaries,
    violations: Option<Violations>,
    own_postgres: OnceLock<PostgresServer>,
}

impl TestContext {
    fn new(name: &str, servers: Arc<Servers>, violations: Option<Violations>) -> Result<Self> {
        let directory = servers.trials.join(name);
        for part in ["logs", "home", "private"] {
            fs::create_dir_all(directory.join(part))
                .with_context(|| format!("cannot create the directory of {name}"))?;
        }
        let (canaries, own_postgres) = (Canaries::default(), OnceLock::new());
        Ok(Self { name: name.to_owned(), servers, directory, canaries, violations, own_postgres })
    }

    /// The trial's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The trial's directory. What it writes to `logs` in there is shown on failure and searched for secrets.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where logs and captured output go.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.directory.join("logs")
    }

    /// Where output goes that shows a secret on purpose: not searched, not shown.
    #[must_use]
    pub fn private(&self) -> PathBuf {
        self.directory.join("private")
    }

    /// The shared Postgres cluster.
    #[must_use]
    pub fn postgres(&self) -> &PostgresServer {
        &self.servers.postgres
    }

    /// A cluster of this trial's own, started at the first call: for trials that stop the server.
    pub fn own_postgres(&self) -> Result<&PostgresServer> {
        if self.own_postgres.get().is_none() {
            // Trials have one thread, so nobody else can have set it.
            let _ = self.own_postgres.set(self.another_postgres()?);
        }
        self.own_postgres.get().context("it was set a line above")
    }

    /// One more cluster, the caller's to stop and start.
    pub fn another_postgres(&self) -> Result<PostgresServer> {
        let data = self.servers.trials.join("../servers/data");
        PostgresServer::start(&data, &self.directory.join("private"), &self.canaries)
    }

    /// The shared S3 server.
    #[must_use]
    pub fn s3(&self) -> &S3Server {
        &self.servers.s3
    }

    /// The trial's secrets.
    #[must_use]
    pub fn canaries(&self) -> &Canaries {
        &self.canaries
    }

    /// Where what does not conform goes; none where nobody looks.
    pub(crate) fn violations(&self) -> Option<&Violations> {
        self.violations.as_ref()
    }

    /// Lets answers pass that the API description does not describe, where the violation has this text: for trials that
    /// change what the server holds behind its back.
    pub fn expect_violation(&self, text: &'static str) {
        if let Some(violations) = &self.violations {
            violations.expect(text);
        }
    }

    /// An empty database with an owner of its own.
    pub fn database(&self) -> Result<Database> {
        self.servers.postgres.create_database(&self.canaries)
    }

    /// An empty bucket, with Object Lock or without versions.
    pub fn bucket(&self, object_lock: bool) -> Result<Bucket> {
        self.servers.s3.create_bucket(object_lock)
    }

    /// A fault proxy in front of the shared S3 server.
    pub fn s3_proxy(&self) -> Result<FaultProxy> {
        FaultProxy::start(self.servers.s3.address())
    }

    /// A program in the trial's home directory, its output among the trial's logs.
    pub fn run(&self, program: impl Into<PathBuf>) -> Run {
        Run::new(program, &self.directory.join("home"), &self.logs())
    }

    /// A binary of this workspace, with the Postgres programs on its `PATH`.
    pub fn run_binary(&self, name: &str) -> Result<Run> {
        Ok(self.run(workspace_binary(name)?).path_first(self.servers.postgres.bin()))
    }

    /// Every argv seen on this machine since the run began.
    #[must_use]
    pub fn argv_samples(&self) -> Vec<Vec<u8>> {
        self.servers.argv.seen()
    }

    /// Fails when a secret of this trial or of the servers is in its logs or in any argv seen. Called after every trial.
    pub fn check_canaries(&self) -> Result<()> {
        let argv = self.servers.argv.seen();
        let logs = self.logs();
        let places = [Place::Path(&logs), Place::Argv(&argv)];
        self.canaries.assert_nowhere(&places)?;
        self.servers.canaries.assert_nowhere(&places)
    }
}
