//! How a program ended and what it wrote, and the ends of log files.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How a program ended and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    pub(super) name: String,
    /// Its exit status.
    pub status: ExitStatus,
    /// All it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to standard error.
    pub stderr: Vec<u8>,
    /// From start to end.
    pub duration: Duration,
}

impl Output {
    /// Its exit code; none when a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as exactly one JSON document.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.stdout).with_context(|| format!("not one JSON document:\n{self}"))
    }

    /// Standard output as JSON Lines.
    pub fn json_lines(&self) -> Result<Vec<serde_json::Value>> {
        let lines = self.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).with_context(|| format!("not JSON Lines:\n{self}"))).collect()
    }

    /// Itself when the exit code was this one, else an error with everything it wrote.
    pub fn exit(self, code: i32) -> Result<Self> {
        if self.code() != Some(code) {
            bail!("expected exit code {code}:\n{self}");
        }
        Ok(self)
    }

    /// Itself when the exit code was 0.
    pub fn success(self) -> Result<Self> {
        self.exit(0)
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, status, duration, .. } = self;
        write!(
            f,
            "{name}: {status} after {duration:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout_text(),
            self.stderr_text()
        )
    }
}

/// The last lines of each file, under its path.
#[must_use]
pub fn tails(files: &[PathBuf]) -> String {
    const LINES: usize = 40;
    let mut text = String::new();
    for file in files {
        let content = fs::read(file).map_or_else(
            |error| format!("(unreadable: {error})"),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        );
        let lines: Vec<&str> = content.lines().collect();
        if lines.is_empty() {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "--- {}", file.display());
        text.push_str(&lines[lines.len().saturating_sub(LINES)..].join("\n"));
        text.push('\n');
    }
    text
}
