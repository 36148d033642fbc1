//! Finding the Postgres client tools, and learning what each build of them can do.

mod version;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use version::{Advisory, ToolVersion};

use super::process::{Spawn, SpawnError};

/// Where Debian and its kin install one directory per major version.
const SYSTEM_DIRECTORY: &str = "/usr/lib/postgresql";
const PROBE_DEADLINE: Duration = Duration::from_secs(20);

/// A Postgres client tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolName {
    /// `pg_dump`
    PgDump,
    /// `pg_restore`
    PgRestore,
    /// `psql`
    Psql,
}

impl ToolName {
    /// File name of the program.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PgDump => "pg_dump",
            Self::PgRestore => "pg_restore",
            Self::Psql => "psql",
        }
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a tool cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// It is in none of the directories searched.
    #[error("{tool} was not found: install the PostgreSQL client tools or name their directory")]
    NotFound {
        /// The tool which is missing.
        tool: ToolName,
    },
    /// It was found, but cannot be run.
    #[error(transparent)]
    Failed(#[from] SpawnError),
    /// It ran, but what it wrote is not what this tool writes.
    #[error("{tool} gave an answer which is not understood: {answer}")]
    Unrecognized {
        /// The tool which was asked.
        tool: ToolName,
        /// The first line of what it wrote.
        answer: String,
    },
}

/// Where to look for the tools: a directory of choice, then a search path, and the system's directories if asked to.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    directory: Option<PathBuf>,
    path: Option<OsString>,
    system: Option<PathBuf>,
}

impl Tools {
    /// Looks in `directory` first, then in the entries of `path` (as of `PATH`); nothing is read until a tool is asked for.
    #[must_use]
    pub fn discover(directory: Option<&Path>, path: Option<&OsStr>) -> Self {
        Self { directory: directory.map(Path::to_owned), path: path.map(OsStr::to_owned), system: None }
    }

    /// Also looks in the newest `/usr/lib/postgresql/*/bin`, last.
    #[must_use]
    pub fn with_system_directories(self) -> Self {
        Self { system: Some(PathBuf::from(SYSTEM_DIRECTORY)), ..self }
    }

    /// Finds a tool's program.
    ///
    /// # Errors
    /// [`ToolError::NotFound`].
    pub fn locate(&self, tool: ToolName) -> Result<PathBuf, ToolError> {
        let from_path = self.path.iter().flat_map(std::env::split_paths).filter(|entry| entry.is_absolute());
        let from_system = self.system.iter().flat_map(|root| newest_first(root));
        self.directory
            .iter()
            .cloned()
            .chain(from_path)
            .chain(from_system)
            .map(|directory| directory.join(tool.as_str()))
            .find(|program| is_executable(program))
            .ok_or(ToolError::NotFound { tool })
    }

    /// Starts describing a run of this tool.
    ///
    /// # Errors
    /// [`ToolError::NotFound`].
    pub fn spawn(&self, tool: ToolName) -> Result<Spawn, ToolError> {
        Ok(Spawn::new(&self.locate(tool)?))
    }

    /// Asks a tool for its version.
    ///
    /// # Errors
    /// [`ToolError`] when it is missing, cannot be run, or does not answer with a version.
    pub async fn version(&self, tool: ToolName) -> Result<ToolVersion, ToolError> {
        let output = self.spawn(tool)?.arg("--version").output(PROBE_DEADLINE).await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().next().unwrap_or_default();
        let version = ToolVersion::parse(line).filter(|_| output.exit.success());
        version.ok_or_else(|| ToolError::Unrecognized { tool, answer: first_line(line, &output.exit.stderr) })
    }

    /// Asks this build of `pg_dump` which codecs it has. The version does not tell: builds leave codecs out.
    ///
    /// Needs no server: `pg_dump` refuses an unknown codec before it fails to connect to a socket which is not there.
    ///
    /// # Errors
    /// [`ToolError`] when `pg_dump` is missing, cannot be run, or fails in an unknown way.
    pub async fn codec_support(&self) -> Result<CodecSupport, ToolError> {
        let (gzip, lz4, zstd) = tokio::try_join!(self.has_codec("1"), self.has_codec("lz4"), self.has_codec("zstd:3"))?;
        Ok(CodecSupport { gzip, lz4, zstd })
    }

    async fn has_codec(&self, codec: &str) -> Result<bool, ToolError> {
        let tool = ToolName::PgDump;
        // A directory only this process can write to, so that nobody can listen there.
        let nowhere = tempfile::Builder::new()
            .prefix("walwarden-probe-")
            .tempdir()
            .map_err(|source| SpawnError::Io { program: tool.to_string(), source })?;
        let probe = self.spawn(tool)?.args(["--format=custom", "--no-password"]).arg(format!("--compress={codec}"));
        let output = probe.env("PGHOST", nowhere.path()).env("PGDATABASE", "none").output(PROBE_DEADLINE).await?;
        codec_answer(&output.exit.stderr)
            .ok_or_else(|| ToolError::Unrecognized { tool, answer: first_line("", &output.exit.stderr) })
    }
}

fn first_line(stdout: &str, stderr: &str) -> String {
    let line = if stdout.is_empty() { stderr.lines().next().unwrap_or_default() } else { stdout };
    line.chars().take(200).collect()
}

/// Reads a probe's stderr: refused, or past the codec and on to the missing server.
fn codec_answer(stderr: &str) -> Option<bool> {
    let text = stderr.to_lowercase();
    let refused = [
        "does not support compression",
        "invalid value",
        "invalid compression",
        "unrecognized compression",
        "compression level must be",
        "requested compression not available",
    ];
    if refused.iter().any(|pattern| text.contains(pattern)) {
        Some(false)
    } else if text.contains("connection to server") || text.contains("could not connect") {
        Some(true)
    } else {
        None
    }
}

fn newest_first(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let major = |name: &OsStr| name.to_str().and_then(|name| name.parse::<f64>().ok());
    let mut versions: Vec<(f64, PathBuf)> =
        entries.filter_map(|entry| Some((major(&entry.file_name())?, entry.path().join("bin")))).collect();
    versions.sort_by(|left, right| right.0.total_cmp(&left.0));
    versions.into_iter().map(|(_, directory)| directory).collect()
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Codecs which a build of `pg_dump` can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecSupport {
    /// zlib
    pub gzip: bool,
    /// LZ4
    pub lz4: bool,
    /// Zstandard
    pub zstd: bool,
}

#[cfg(test)]
mod tests;
