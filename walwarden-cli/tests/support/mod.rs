//! Running the built binary with an environment of its own.
#![expect(clippy::disallowed_methods, reason = "the binary under test is a child process")]
#![allow(dead_code, reason = "each test binary uses its share")]

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Stdio};

use serde_json::Value;
use walwarden_contract::commands::{events_schema, output_schema};

pub(crate) const DATABASE: &str = "db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";
pub(crate) const BACKUP: &str = "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";

pub(crate) struct Walwarden(Command);

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn walwarden() -> Walwarden {
    let mut command = Command::new(env!("CARGO_BIN_EXE_walwarden"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    Walwarden(command)
}

impl Walwarden {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.0.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, folder: &str) -> Self {
        self.0.current_dir(folder);
        self
    }

    pub(crate) fn input(mut self, file: std::fs::File) -> Self {
        self.0.stdin(file);
        self
    }

    pub(crate) fn env_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.0.env(name, OsString::from_vec(value.to_vec()));
        self
    }

    pub(crate) fn run(mut self) -> Run {
        let output = self.0.output().expect("the binary runs");
        Run {
            code: output.status.code().expect("not ended by a signal"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Runs it with its stdout somewhere else.
    pub(crate) fn run_onto(mut self, stdout: std::fs::File) -> Run {
        let output = self.0.stdout(stdout).stderr(Stdio::piped()).spawn().expect("the binary runs").wait_with_output();
        let output = output.expect("awaited");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        Run { code: output.status.code().expect("not ended by a signal"), stdout: String::new(), stderr }
    }

    pub(crate) fn run_with_closed_stdout(mut self) -> i32 {
        let mut child = self.0.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
        drop(child.stdout.take());
        child.wait().expect("awaited").code().expect("not ended by a signal")
    }
}

impl Run {
    /// The only document on stdout, which fits the schema of its kind.
    pub(crate) fn envelope(&self) -> Value {
        let document = self.document();
        assert_fits(document["kind"].as_str().expect("a kind"), &document);
        document
    }

    /// The only line of the token's command, which fits its schema.
    pub(crate) fn only_line(&self) -> Value {
        let line = self.document();
        assert_fits("restore", &line);
        line
    }

    /// The lines of `--events jsonl`, each of which fits the schema of the kind that the first one names: a version,
    /// whatever happened, and one result.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON Lines"));
        let lines: Vec<Value> = lines.collect();
        let kind = lines.first().and_then(|line| line["kind"].as_str()).expect("a version line");
        let schema = events_schema(kind).unwrap_or_else(|| panic!("{kind} has no schema"));
        for line in &lines {
            assert_valid(&schema, line);
        }
        let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
        assert_eq!((lines[0]["type"].as_str(), of("version")), (Some("version"), 1), "{}", self.stdout);
        let last = lines.last().expect("the first, at least");
        assert_eq!((last["type"].as_str(), of("result")), (Some("result"), 1), "{}", self.stdout);
        assert_eq!(self.stderr, "");
        lines
    }

    fn document(&self) -> Value {
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "{}", self.stdout);
        serde_json::from_str(&self.stdout).expect("one JSON document")
    }

    pub(crate) fn assert_without(&self, secret: &str) {
        assert!(!self.stdout.contains(secret), "stdout: {}", self.stdout);
        assert!(!self.stderr.contains(secret), "stderr: {}", self.stderr);
    }
}

fn assert_fits(kind: &str, document: &Value) {
    assert_valid(&output_schema(kind).unwrap_or_else(|| panic!("{kind} has no schema")), document);
}

fn assert_valid(schema: &Value, document: &Value) {
    let validator = jsonschema::draft202012::new(schema).expect("a schema");
    let complaints: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(complaints.is_empty(), "{document}\n{}", complaints.join("\n"));
}

/// Runs another program with a text on its stdin; `None` when it is not installed.
pub(crate) fn tool(program: &str, arguments: &[&OsStr], input: &str) -> Option<Run> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("awaited");
    Some(Run {
        code: output.status.code().expect("not ended by a signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Interrupts a command that waits for a server which takes connections and never answers.
pub(crate) fn interrupted_against_a_silent_server(arguments: &[&str]) -> Run {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", server.local_addr().expect("bound"));
    let mut command = walwarden().env("WALWARDEN_BASE_URL", &url).env("WALWARDEN_API_KEY", "k");
    command = command.args(arguments);
    let mut child = command.0.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    // Once it has connected, its signal handlers are in place.
    let connection = server.accept().expect("a connection");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    let mut stdout = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("UTF-8");
    drop(connection);
    let code = child.wait().expect("awaited").code().expect("not ended by a signal");
    Run { code, stdout, stderr: String::new() }
}

/// Runs a command whose secret stands in a file that nobody writes to, and interrupts it once it reads there.
pub(crate) fn interrupted_at_a_silent_file(variable: &str, arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secret");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .expect("a pipe with a name");
    let mut command = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1").args(arguments).0;
    command.env(variable, &path).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    // Opening for writing without waiting succeeds only once somebody reads.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let writer = loop {
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
        match rustix::fs::open(&path, flags, rustix::fs::Mode::empty()) {
            Ok(writer) => break writer,
            Err(_) => assert!(std::time::Instant::now() < deadline, "nobody reads"),
        }
        std::thread::yield_now();
    };
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let output = child.wait_with_output().expect("awaited");
    drop(writer);
    Run {
        code: output.status.code().expect("not ended by a signal"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}
