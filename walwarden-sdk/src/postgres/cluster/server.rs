//! The server process: its settings, its readiness, its end.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::{ClusterError, ClusterOptions, RunningTool, ToolExit};

const POLL: Duration = Duration::from_millis(20);
/// Longest directory which still leaves room for `/.s.PGSQL.65535` in a socket address.
const SOCKET_DIRECTORY_LIMIT: usize = 90;
const DROP_GRACE: Duration = Duration::from_secs(2);

/// A server process which, when dropped, is given the time to end its own processes.
pub(super) struct Server {
    pub(super) tool: RunningTool,
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(id) = self.tool.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) else {
            return;
        };
        // SIGQUIT makes the server end its own processes and release shared memory, which SIGKILL would leave behind.
        self.tool.signal_group(Signal::QUIT);
        let started = Instant::now();
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while matches!(waitid(WaitId::Pid(id), options), Ok(None)) && started.elapsed() < DROP_GRACE {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub(super) fn settings(options: &ClusterOptions, directory: &Path, port: u16) -> Vec<String> {
    let socket = directory.to_str().filter(|path| path.len() <= SOCKET_DIRECTORY_LIMIT && !path.contains([',', '"']));
    let fsync = if options.fsync { "on" } else { "off" };
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", socket.unwrap_or_default()),
        "unix_socket_permissions=0700".to_owned(),
        "password_encryption=scram-sha-256".to_owned(),
        format!("max_connections={}", options.max_connections),
        format!("fsync={fsync}"),
        format!("full_page_writes={fsync}"),
        "wal_level=minimal".to_owned(),
        "max_wal_senders=0".to_owned(),
        "autovacuum=off".to_owned(),
        "logging_collector=off".to_owned(),
        "log_destination=stderr".to_owned(),
        // Statements may hold data of the customer, who alone should read it.
        "log_min_error_statement=panic".to_owned(),
    ];
    settings.extend(options.settings.iter().map(|(name, value)| format!("{name}={value}")));
    settings
}

/// The server writes its state to line 8 of `postmaster.pid`; `pg_ctl` waits for the same word.
pub(super) async fn wait_until_ready(
    server: &mut RunningTool,
    data: &Path,
    timeout: Duration,
) -> Result<(), ClusterError> {
    let state_file = data.join("postmaster.pid");
    let ready = async {
        loop {
            let state = tokio::fs::read_to_string(&state_file).await.unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim_end() == "ready") {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::select! {
        () = ready => Ok(()),
        exit = server.wait() => {
            let ToolExit { status, stderr } = exit?;
            Err(ClusterError::StartFailed { exit: status, stderr })
        }
        () = tokio::time::sleep(timeout) => Err(ClusterError::StartTimedOut),
    }
}
