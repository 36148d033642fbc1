//! Running a program to its end or beside the test: clean environment, output to files, always a deadline.

mod output;
mod terminal;
mod tree;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

pub use self::output::{Output, tails};
pub use self::terminal::{CTRL_C, CTRL_D, Terminal};
pub(crate) use self::tree::state;
pub use self::tree::{descendants, signal_descendants};
use crate::conformance::check_documents;
use crate::spawner::{self, DeathSignal};
use crate::wait::wait_for;

/// How long a program may take unless the test says otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_mins(1);

static COUNTER: AtomicU32 = AtomicU32::new(1);

/// A program about to be started.
#[derive(Debug)]
#[must_use = "nothing runs before `output` or `spawn`"]
pub struct Run {
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    directory: PathBuf,
    output: PathBuf,
    stdin: Option<Vec<u8>>,
    user: Option<String>,
    death: DeathSignal,
    deadline: Duration,
    documented: bool,
    /// What starts the program in its place, with its own arguments.
    starter: Vec<OsString>,
    closed_stdout: bool,
    silent_stdin: bool,
}

impl Run {
    /// Runs in `directory` with `HOME` there, the system's `PATH` and nothing else in the environment; output goes to files in `logs`.
    pub fn new(program: impl Into<PathBuf>, directory: &Path, logs: &Path) -> Self {
        let mut run = Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            directory: directory.to_path_buf(),
            output: logs.to_path_buf(),
            stdin: None,
            user: None,
            death: DeathSignal::Kill,
            deadline: DEFAULT_DEADLINE,
            documented: false,
            starter: Vec::new(),
            closed_stdout: false,
            silent_stdin: false,
        };
        run.env.insert("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into());
        run.env.insert("HOME".into(), directory.into());
        run.env.insert("LANG".into(), "C.UTF-8".into());
        run
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Sets variables.
    pub fn envs(mut self, variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>) -> Self {
        for (name, value) in variables {
            self = self.env(name, value);
        }
        self
    }

    /// Removes a variable, `PATH` for one.
    pub fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.remove(name.as_ref());
        self
    }

    /// Puts a directory in front of `PATH`.
    pub fn path_first(mut self, directory: &Path) -> Self {
        let mut path = directory.as_os_str().to_owned();
        if let Some(rest) = self.env.get(OsStr::new("PATH")) {
            path.push(":");
            path.push(rest);
        }
        self.env.insert("PATH".into(), path);
        self
    }

    /// Bytes for standard input; without this it is empty.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Ends the program, and fails, when it takes longer.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Writes the output files somewhere that is not searched for secrets: for commands that show a secret once, on purpose.
    pub fn private_output(mut self, directory: &Path) -> Self {
        self.output = directory.to_path_buf();
        self
    }

    /// What it writes with `--json` has a published schema, and must fit it.
    pub(crate) fn documented(mut self) -> Self {
        self.documented = true;
        self
    }

    /// Standard input is a pipe that says nothing and does not end while the program runs.
    pub fn silent_stdin(mut self) -> Self {
        self.silent_stdin = true;
        self
    }

    /// Standard output is a pipe whose reader has gone away.
    pub fn closed_stdout(mut self) -> Self {
        self.closed_stdout = true;
        self
    }

    /// Runs on this core alone, and takes the machine for one that has no other.
    pub(crate) fn pinned(mut self, core: usize) -> Self {
        self.starter.extend(["/usr/bin/taskset".into(), "--cpu-list".into(), core.to_string().into()]);
        self
    }

    /// A write beyond the limit on a file's size fails, instead of killing it.
    pub(crate) fn ignoring_file_size_signal(mut self) -> Self {
        self.starter.extend(["/usr/bin/env".into(), "--ignore-signal=XFSZ".into()]);
        self
    }

    /// Runs as another user (needs root).
    pub(crate) fn user(mut self, user: Option<&str>) -> Self {
        self.user = user.map(str::to_owned);
        self
    }

    /// What the program gets when the test binary dies.
    pub(crate) fn death_signal(mut self, death: DeathSignal) -> Self {
        self.death = death;
        self
    }

    /// Runs it to its end. A non-zero exit status is not an error here: see [`Output::success`].
    pub fn output(self) -> Result<Output> {
        let deadline = self.deadline;
        self.spawn()?.wait(deadline)
    }

    /// Its program's name, and what the files of this run are called.
    fn name(&self) -> (String, String) {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = format!("{:04}-{name}", COUNTER.fetch_add(1, Ordering::Relaxed));
        (name, stem)
    }

    /// Starts it and leaves it running. Dropped, it is killed.
    pub fn spawn(self) -> Result<Running> {
        let (name, stem) = self.name();
        fs::create_dir_all(&self.output).with_context(|| format!("cannot create {}", self.output.display()))?;
        let (stdout, stderr) = (self.output.join(format!("{stem}.stdout")), self.output.join(format!("{stem}.stderr")));
        let words: Vec<&OsStr> =
            self.starter.iter().map(OsString::as_os_str).chain([self.program.as_os_str()]).collect();
        let mut command = spawner::command(Path::new(words[0]), self.user.as_deref(), self.death);
        command.args(&words[1..]);
        command.args(&self.args).envs(&self.env).current_dir(&self.directory);
        command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        if self.closed_stdout {
            let (reader, writer) = std::io::pipe()?;
            drop(reader);
            command.stdout(writer);
        }
        if let Some(bytes) = &self.stdin {
            // A file and not a pipe: no writer thread that could outlive the child.
            let mut file = tempfile::tempfile()?;
            file.write_all(bytes)?;
            std::io::Seek::rewind(&mut file)?;
            command.stdin(Stdio::from(file));
        }
        let silent = if self.silent_stdin { Some(std::io::pipe()?) } else { None };
        let silent = silent.map(|(reader, writer)| {
            command.stdin(reader);
            writer
        });
        let started = Instant::now();
        let child = spawner::spawn(command)?;
        let documented =
            self.documented && !self.closed_stdout && self.args.iter().any(|arg| arg == "--json" || arg == "--events");
        Ok(Running { name, child, stdout, stderr, started, status: None, documented, _silent: silent })
    }
}

/// A program that was started.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    started: Instant,
    status: Option<ExitStatus>,
    documented: bool,
    /// The other end of a standard input that says nothing.
    _silent: Option<std::io::PipeWriter>,
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its standard output goes.
    #[must_use]
    pub fn stdout_path(&self) -> &Path {
        &self.stdout
    }

    /// Where its standard error goes.
    #[must_use]
    pub fn stderr_path(&self) -> &Path {
        &self.stderr
    }

    /// Its exit status, or none while it runs.
    pub fn try_status(&mut self) -> Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait().with_context(|| format!("cannot wait for {}", self.name))?;
        }
        Ok(self.status)
    }

    /// Sends a signal. One that ended already is not signalled.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.try_status()?.is_none() {
            let pid = Pid::from_child(&self.child);
            kill_process(pid, signal).with_context(|| format!("cannot signal {}", self.name))?;
        }
        Ok(())
    }

    /// Kills it with SIGKILL and reaps it.
    pub fn kill9(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.status = Some(self.child.wait()?);
        Ok(())
    }

    /// Waits for its end. Past the deadline it is killed, and the error shows the end of its output.
    pub fn wait(mut self, deadline: Duration) -> Result<Output> {
        let waited = wait_for(&format!("the end of {}", self.name), deadline, || self.try_status());
        let Ok(status) = waited else {
            self.kill9()?;
            bail!(
                "{} did not end within {deadline:?}\n{}",
                self.name,
                tails(&[self.stdout.clone(), self.stderr.clone()])
            );
        };
        let output = Output {
            name: self.name.clone(),
            status,
            stdout: fs::read(&self.stdout)?,
            stderr: fs::read(&self.stderr)?,
            duration: self.started.elapsed(),
        };
        // One that a signal killed may not have finished its sentence.
        if self.documented && output.code().is_some() {
            check_documents(&output.stdout).with_context(|| output.to_string())?;
        }
        Ok(output)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to report to when a test unwinds; the death signal is the second net.
        let _ = self.kill9();
    }
}
