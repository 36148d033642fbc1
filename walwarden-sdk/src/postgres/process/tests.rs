//! Tests of child processes, with small shell scripts as tools.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustix::process::{Pid, test_kill_process};

use super::stderr::Stderr;
use super::*;
use crate::postgres::{Ambient, Dsn};

const LONG: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Spawn {
    Spawn::new(Path::new("/bin/sh")).args(["-c", script])
}

#[tokio::test]
async fn exit_codes_signals_and_stderr_are_told_apart() {
    let output = shell("echo out; echo err >&2; exit 3").output(LONG).await.expect("ran");
    assert_eq!(output.exit, ToolExit { status: ToolStatus::Code(3), stderr: "err\n".to_owned() });
    assert_eq!(output.stdout, b"out\n");
    let output = shell("kill -9 $$").output(LONG).await.expect("ran");
    assert_eq!(output.exit.status, ToolStatus::Signal(9));
    assert!(matches!(Spawn::new(Path::new("/nonexistent/tool")).spawn(), Err(SpawnError::Io { .. })));
}

#[tokio::test]
async fn a_child_sees_the_connection_and_no_other_variables() {
    let dsn = Dsn::parse("postgres://u:hunter2@h/d").expect("valid");
    let connection = dsn.libpq_env(None, &Ambient::default()).expect("written");
    let script = "env; cat $PGPASSFILE >&2; echo \"$@\"";
    let spawn = shell(script).connect(&connection);
    drop(connection);
    let output = spawn.output(LONG).await.expect("ran");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("PGHOST=h\n") && text.contains("LC_ALL=C\n"), "{text}");
    // Cargo sets this one for every test.
    assert!(!text.contains("CARGO_MANIFEST_DIR") && !text.contains("hunter2"), "{text}");
    assert_eq!(output.exit.stderr, "*:*:*:u:[redacted]\n");
}

#[tokio::test]
async fn a_deadline_ends_the_tool_and_its_children() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
    let error = shell(&script).output(Duration::from_secs(1)).await.expect_err("too late");
    assert!(matches!(error, SpawnError::DeadlineExceeded { .. }), "{error}");
    let child = std::fs::read_to_string(&file).expect("written").trim().parse().ok().and_then(Pid::from_raw);
    assert!(ends(child.expect("a process id")).await);
}

/// Whether a process is gone, or a zombie which only waits for its reaper.
async fn ends(process: Pid) -> bool {
    let started = Instant::now();
    while started.elapsed() < LONG {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
        if test_kill_process(process).is_err() || stat.contains(") Z ") {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn a_tool_which_ignores_sigterm_is_killed_after_its_grace() {
    let mut tool = shell("trap '' TERM; echo ready; while :; do sleep 1000; done").piped_stdout().spawn().expect("ran");
    let mut line = [0; 6];
    let mut stdout = tool.stdout().expect("piped");
    stdout.read_exact(&mut line).await.expect("ready");
    let exit = tool.kill(Duration::from_millis(50)).await.expect("awaited");
    assert_eq!(exit.status, ToolStatus::Signal(9));
    assert_eq!(tool.wait().await.expect("awaited again"), exit);
}

#[tokio::test]
async fn a_tool_which_heeds_sigterm_ends_within_its_grace() {
    let mut tool = shell("trap 'echo bye >&2; exit 7' TERM; echo ready; while :; do sleep 0.01; done")
        .piped_stdout()
        .spawn()
        .expect("ran");
    let mut line = [0; 6];
    tool.stdout().expect("piped").read_exact(&mut line).await.expect("ready");
    let exit = tool.kill(LONG).await.expect("awaited");
    assert_eq!(exit.status, ToolStatus::Code(7));
    assert!(exit.stderr.contains("bye"));
}

#[tokio::test]
async fn a_dropped_tool_takes_its_group_with_it() {
    let mut tool = shell("sleep 1000 & echo $!; wait").piped_stdout().spawn().expect("ran");
    let mut stdout = tokio::io::BufReader::new(tool.stdout().expect("piped"));
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line).await.expect("a line");
    drop(tool);
    let child = line.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
    assert!(ends(child).await);
}

#[tokio::test]
async fn stderr_lines_arrive_redacted_one_by_one() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let spawn = shell("echo one >&2; printf two >&2");
    let spawn = spawn.on_stderr_line(move |line| sink.lock().expect("not poisoned").push(line.to_owned()));
    spawn.output(LONG).await.expect("ran");
    assert_eq!(*seen.lock().expect("not poisoned"), ["one", "two"]);
}

#[test]
fn long_stderr_keeps_its_first_and_last_lines() {
    let mut stderr = Stderr::new(Vec::new(), None);
    for number in 0..100_000 {
        stderr.push(format!("line {number}\n").as_bytes());
    }
    stderr.push(&vec![b'x'; 1 << 20]);
    let text = stderr.finish();
    assert!(text.len() <= 65 << 10, "{}", text.len());
    assert!(text.starts_with("line 0\nline 1\n") && text.contains("line 99999\nxxx"));
    assert_eq!(text.matches("lines left out]").count(), 1);
}

#[test]
fn secrets_are_redacted_plain_and_percent_encoded() {
    let secrets = ["p/w", "p/wlonger", ""].map(SecretString::from);
    assert_eq!(redact("a p/w b p%2Fw c p/wlonger", &secrets), "a [redacted] b [redacted] c [redacted]");
}
