//! A started tool: its pipes, its end, and the certainty that it does not outlive its owner.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::SecretString;
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;

use super::stderr::{LineObserver, Stderr};
use crate::postgres::passfile::LibpqEnv;

/// Bytes the kernel may hold between a tool and us: fewer wake-ups than the default 64 KiB.
const PIPE_BYTES: usize = 1 << 20;
/// How long stderr may stay open after the child has gone, held by a grandchild.
const STDERR_GRACE: Duration = Duration::from_secs(2);

/// A running tool. Dropping it kills its whole process group.
pub struct RunningTool {
    program: String,
    child: Child,
    group: Option<Pid>,
    stdout: Option<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    status: Option<ToolStatus>,
    text: String,
    /// Keeps the passfile while the child may read it.
    _connection: Option<LibpqEnv>,
}

/// How a tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolStatus {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// How a tool ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolExit {
    /// Exit code or signal.
    pub status: ToolStatus,
    /// The first 16 KiB and last 48 KiB of its stderr, by lines, with secrets redacted.
    pub stderr: String,
}

impl ToolExit {
    /// Whether the exit code is 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status == ToolStatus::Code(0)
    }
}

impl std::fmt::Display for ToolStatus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exit code {code}"),
            Self::Signal(signal) => write!(formatter, "signal {signal}"),
        }
    }
}

impl RunningTool {
    pub(super) fn new(
        program: String,
        mut child: Child,
        secrets: Vec<SecretString>,
        connection: Option<LibpqEnv>,
        observer: Option<LineObserver>,
    ) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let stdout = child.stdout.take();
        if let Some(pipe) = &stdout {
            // Only a matter of speed; the system may set a lower limit.
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
        }
        let stderr = child.stderr.take().map(|pipe| tokio::spawn(Stderr::new(secrets, observer).collect(pipe)));
        Self { program, child, group, stdout, stderr, status: None, text: String::new(), _connection: connection }
    }

    /// File name of the program, for messages.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Process id, which is also the id of its group; `None` once the child has been awaited.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Takes the standard output, where it was piped and not taken before.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// Awaits the end of the tool. May be cancelled and called again.
    ///
    /// # Errors
    /// When the operating system cannot tell how the child ended.
    pub async fn wait(&mut self) -> io::Result<ToolExit> {
        let status = if let Some(status) = self.status {
            status
        } else {
            let status = tool_status(self.child.wait().await?);
            self.status = Some(status);
            // Workers of a tool which was itself killed must not go on alone.
            self.signal_group(Signal::KILL);
            self.group = None;
            status
        };
        if let Some(task) = &mut self.stderr {
            match tokio::time::timeout(STDERR_GRACE, &mut *task).await {
                Ok(text) => self.text = text.unwrap_or_default(),
                Err(_) => task.abort(),
            }
            self.stderr = None;
        }
        Ok(ToolExit { status, stderr: self.text.clone() })
    }

    /// Ends the whole group: SIGTERM, and SIGKILL for what is left after `grace`.
    ///
    /// # Errors
    /// As [`RunningTool::wait`].
    pub async fn kill(&mut self, grace: Duration) -> io::Result<ToolExit> {
        self.kill_with(Signal::TERM, grace).await
    }

    pub(in crate::postgres) async fn kill_with(&mut self, signal: Signal, grace: Duration) -> io::Result<ToolExit> {
        self.stdout = None;
        self.signal_group(signal);
        if let Ok(exit) = tokio::time::timeout(grace, self.wait()).await {
            return exit;
        }
        self.signal_group(Signal::KILL);
        self.wait().await
    }

    pub(in crate::postgres) fn signal_group(&self, signal: Signal) {
        if let Some(group) = self.group {
            // The only failure is that nobody is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for RunningTool {
    fn drop(&mut self) {
        self.signal_group(Signal::KILL);
        if let Some(task) = &self.stderr {
            task.abort();
        }
    }
}

fn tool_status(status: ExitStatus) -> ToolStatus {
    match (status.code(), status.signal()) {
        (Some(code), _) => ToolStatus::Code(code),
        (None, Some(signal)) => ToolStatus::Signal(signal),
        (None, None) => ToolStatus::Code(-1),
    }
}
