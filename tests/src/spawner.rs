//! The one place that starts processes: from a thread that never ends, with a death signal, in a cleared environment.
//!
//! The kernel sends a child its death signal when the *thread* that forked it ends, so a trial's thread must not fork.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread;

use anyhow::{Context, Result};

use crate::runtime::lock;

/// What a child gets when this process dies, however it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathSignal {
    /// SIGKILL: cannot be refused.
    Kill,
    /// SIGQUIT: Postgres shuts down at once and removes its shared memory.
    Quit,
}

struct Job {
    command: Command,
    reply: mpsc::Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<Mutex<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("spawner".into())
        .spawn(move || {
            // The sender is static, so this loop lasts as long as the process.
            for mut job in receiver {
                // A requester that went away has no use for its child.
                let _ = job.reply.send(job.command.spawn());
            }
        })
        .expect("the harness cannot start any server without its spawner thread");
    Mutex::new(sender)
});

/// A command that dies with this process: no environment, its own process group, nothing on standard input, and `user` instead
/// of this process's user where given (needs root).
#[must_use]
pub fn command(program: &Path, user: Option<&str>, death: DeathSignal) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
    let mut command = Command::new("/usr/bin/setpriv");
    let signal = match death {
        DeathSignal::Kill => "KILL",
        DeathSignal::Quit => "QUIT",
    };
    command.env_clear().process_group(0).stdin(Stdio::null());
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    command
}

/// A command that dies with this process and whose standard input becomes its controlling terminal: no environment, and a
/// session of its own.
#[must_use]
pub(crate) fn command_on_terminal(program: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
    let mut command = Command::new("/usr/bin/setpriv");
    // Not a group of its own: setsid would have to fork to leave it.
    command.env_clear().args(["--pdeathsig", "KILL", "--", "/usr/bin/setsid", "--ctty"]).arg(program);
    command
}

/// Starts the command on the spawner thread.
pub fn spawn(command: Command) -> Result<Child> {
    let (reply, answer) = mpsc::channel();
    let program: String = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    lock(&SPAWNER).send(Job { command, reply }).context("the spawner thread has ended")?;
    answer.recv().context("the spawner thread has ended")?.with_context(|| format!("cannot start setpriv {program}"))
}
