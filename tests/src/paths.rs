//! Where the binaries, the servers and this run's directories are.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const RUN_PREFIX: &str = "walwarden-e2e-";

/// The Postgres programs the tests use: `WALWARDEN_TEST_PG_BIN`, else the first Debian installation from version 15 up.
pub fn postgres_bin() -> Result<PathBuf> {
    if let Some(directory) = env::var_os("WALWARDEN_TEST_PG_BIN") {
        return Ok(directory.into());
    }
    (15..=18)
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
        .find(|directory| directory.join("initdb").is_file() && directory.join("pg_dump").is_file())
        .context("no Postgres under /usr/lib/postgresql: run `make setup`")
}

/// The SeaweedFS binary: `WALWARDEN_TEST_WEED`, else the one `make setup` put into `.tools`.
pub fn weed() -> Result<PathBuf> {
    let path = env::var_os("WALWARDEN_TEST_WEED").map_or_else(|| repository().join(".tools/bin/weed"), PathBuf::from);
    if !path.is_file() {
        bail!("no SeaweedFS at {}: run `make setup`", path.display());
    }
    Ok(path)
}

/// A binary of this workspace: in `WALWARDEN_TEST_BIN_DIR`, else beside this test binary's own build directory.
pub fn workspace_binary(name: &str) -> Result<PathBuf> {
    let directory = env::var_os("WALWARDEN_TEST_BIN_DIR").map_or_else(build_directory, |path| Ok(path.into()))?;
    let path = directory.join(name);
    if !path.is_file() {
        bail!("no {name} at {}: run `cargo build --workspace --bins`", path.display());
    }
    Ok(path)
}

fn build_directory() -> Result<PathBuf> {
    // target/debug/deps/e2e-…
    let this = env::current_exe().context("cannot find this test binary's own path")?;
    this.ancestors().nth(2).map(Path::to_path_buf).context("the test binary is not in a build directory")
}

/// The root of this repository.
#[must_use]
pub fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// This run's directory. Locked while the run lives, so that a later run can tell what a killed one left behind.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    _lock: File,
}

impl RunDirectory {
    /// Creates it below the system's temporary directory (the `postgres` user has to reach it) and removes those of dead runs.
    pub fn create() -> Result<Self> {
        remove_stale(&env::temp_dir());
        let path = tempfile::Builder::new()
            .prefix(RUN_PREFIX)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()
            .context("cannot create the run directory")?
            .keep();
        let lock = File::create(path.join("lock"))?;
        lock.try_lock().context("cannot lock the run directory")?;
        Ok(Self { path, _lock: lock })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what the servers stored, and with `everything` the logs too.
    pub fn clean(&self, everything: bool) {
        let target = if everything { self.path.clone() } else { self.path.join("servers/data") };
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(target);
    }
}

fn remove_stale(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(RUN_PREFIX);
        if !is_ours {
            continue;
        }
        // A directory without a lock file belongs to a run that is starting just now.
        let Ok(lock) = File::open(entry.path().join("lock")) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
