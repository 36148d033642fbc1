//! Child processes: the only place which starts one, with an environment built from scratch and a group of its own.

mod running;
mod stderr;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

pub use running::{RunningTool, ToolExit, ToolStatus};

use super::passfile::LibpqEnv;
use stderr::LineObserver;

/// Variables a child inherits. Everything else, credentials and `PG*` above all, is left behind.
const INHERITED: &[&str] = &["PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"];
const INHERITED_PREFIXES: &[&str] = &["LC_", "KRB5"];

/// Output of short-lived tools is kept in memory up to this size.
const OUTPUT_LIMIT: u64 = 64 << 20;

/// A child process to start: program, arguments, and an environment which starts out empty.
pub struct Spawn {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdout: bool,
    directory: Option<PathBuf>,
    connection: Option<LibpqEnv>,
    observer: Option<LineObserver>,
}

/// Why a tool could not be run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The operating system refused to start or await the program.
    #[error("cannot run {program}: {source}")]
    Io {
        /// File name of the program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The tool did not finish in time and was killed.
    #[error("{program} did not finish within {} s", deadline.as_secs())]
    DeadlineExceeded {
        /// File name of the program.
        program: String,
        /// The time it was given.
        deadline: Duration,
    },
    /// The tool wrote more than fits.
    #[error("{program} wrote more output than expected")]
    OutputTooLarge {
        /// File name of the program.
        program: String,
    },
}

/// What a short-lived tool left behind.
#[derive(Debug)]
pub struct ToolOutput {
    /// How it ended, and what it said on stderr.
    pub exit: ToolExit,
    /// Its whole standard output.
    pub stdout: Vec<u8>,
}

impl Spawn {
    /// A program to start, without arguments.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            stdout: false,
            directory: None,
            connection: None,
            observer: None,
        }
    }

    /// Adds one argument. Arguments are visible to every user of the machine: never a secret.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds several arguments, see [`Spawn::arg`].
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable, over inherited ones.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Gives the tool its connection: the variables, `--no-password` and the `--dbname` argument with keepalives.
    ///
    /// The passfile lives at least as long as the child, and its secrets are redacted from stderr.
    #[must_use]
    pub fn connect(mut self, connection: &LibpqEnv) -> Self {
        self.args.extend(["--no-password".into(), format!("--dbname={}", connection.connection_argument()).into()]);
        self.connection = Some(connection.clone());
        self
    }

    /// Starts in this directory.
    #[must_use]
    pub fn current_directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Pipes standard output to [`RunningTool::stdout`]; without it, it is discarded.
    #[must_use]
    pub fn piped_stdout(mut self) -> Self {
        self.stdout = true;
        self
    }

    /// Hands every line of stderr, redacted and cut at 8 KiB, to `observer` as it arrives.
    #[must_use]
    pub fn on_stderr_line(mut self, observer: impl FnMut(&str) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Starts the child in a process group of its own, with standard input empty. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`SpawnError::Io`] when the program cannot be started.
    #[expect(clippy::disallowed_methods, reason = "this is the one spawner")]
    pub fn spawn(self) -> Result<RunningTool, SpawnError> {
        let name = self.program_name();
        let secrets = self.connection.as_ref().map(|connection| connection.secrets().to_vec()).unwrap_or_default();
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_inherited(name)))
            // The tools' messages are classified by their English text.
            .env("LC_ALL", "C")
            .env("LC_MESSAGES", "C")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(if self.stdout { Stdio::piped() } else { Stdio::null() })
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(connection) = &self.connection {
            command.envs(connection.variables().iter().map(|(name, value)| (name, value)));
        }
        command.envs(self.env);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let child = command.spawn().map_err(|source| SpawnError::Io { program: name.clone(), source })?;
        Ok(RunningTool::new(name, child, secrets, self.connection, self.observer))
    }

    /// Runs the tool to its end and keeps its output (64 MiB at most).
    ///
    /// # Errors
    /// [`SpawnError`]; an unsuccessful exit is not an error here.
    pub async fn output(self, deadline: Duration) -> Result<ToolOutput, SpawnError> {
        let program = self.program_name();
        let mut tool = self.piped_stdout().spawn()?;
        let io = |source| SpawnError::Io { program: program.clone(), source };
        let run = async {
            let mut stdout = Vec::new();
            if let Some(pipe) = tool.stdout() {
                pipe.take(OUTPUT_LIMIT + 1).read_to_end(&mut stdout).await.map_err(io)?;
            }
            if stdout.len() as u64 > OUTPUT_LIMIT {
                return Err(SpawnError::OutputTooLarge { program: program.clone() });
            }
            Ok(ToolOutput { exit: tool.wait().await.map_err(io)?, stdout })
        };
        // Dropping the tool kills its group.
        tokio::time::timeout(deadline, run)
            .await
            .unwrap_or_else(|_| Err(SpawnError::DeadlineExceeded { program: program.clone(), deadline }))
    }

    fn program_name(&self) -> String {
        self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned()
    }
}

fn is_inherited(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    INHERITED.contains(&name) || INHERITED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Replaces every occurrence of a secret, plain or percent-encoded, with `[redacted]`.
#[must_use]
pub fn redact(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    let mut needles: Vec<String> = secrets
        .iter()
        .map(|secret| secret.expose_secret().to_owned())
        .flat_map(|secret| [super::dsn::percent_encoded(&secret), secret])
        .filter(|needle| !needle.is_empty())
        .collect();
    // Longest first, so that one secret inside another leaves no remainder.
    needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    for needle in &needles {
        if text.contains(needle.as_str()) {
            text = text.replace(needle.as_str(), "[redacted]");
        }
    }
    text
}
