//! What a restore is asked to do, and what it leaves behind.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use walwarden_contract::model::RestoreMode;
pub use walwarden_contract::model::cli::{RestoreOutcome, StepTimings};

use crate::RetryPolicy;
use crate::postgres::{Ambient, Dsn, Tools};

/// `pg_restore` gains little beyond this many jobs on one server.
const MAX_DEFAULT_JOBS: usize = 8;
/// Where a new database is created from when the target names no maintenance database.
const DEFAULT_MAINTENANCE_DATABASE: &str = "postgres";

/// More parallel jobs than these are refused: each is a process here and a connection to the target.
pub const MAX_JOBS: usize = 256;

/// What a restore is asked to do.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The target: a maintenance database for `new_database`, the database itself for `in_place`. It stays here.
    pub target: Dsn,
    /// What the environment adds to the target: password, passfile, TLS.
    pub ambient: Ambient,
    /// How the restore treats the target.
    pub mode: RestoreMode,
    /// The database to create; without it, `new_database` creates the one named in the archive.
    pub created_database: Option<String>,
    /// Must be true for `in_place`, which drops objects of the target.
    pub confirm_destructive: bool,
    /// Parallel jobs of `pg_restore`; the number of cores, 8 at most, when absent. At most [`MAX_JOBS`].
    pub jobs: Option<NonZeroUsize>,
    /// Where the artifact is kept while it is restored, in a private directory that is removed at the end.
    pub work_dir: PathBuf,
    /// The only public key (SPKI PEM) whose signature is accepted; the one that the API names, when absent.
    pub public_key_pem: Option<String>,
    /// What not to do.
    pub leave_out: LeaveOut,
    /// Where the Postgres client tools are.
    pub tools: Tools,
    /// How a failed range of the download is repeated.
    pub download_retry: RetryPolicy,
}

/// What a restore does not do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeaveOut {
    /// Leaves everything owned by the restoring role.
    pub owner: bool,
    /// Leaves privileges as the target's defaults make them.
    pub acl: bool,
    /// Leaves the restored database without planner statistics.
    pub analyze: bool,
}

impl RestoreOptions {
    /// A restore to `target` with every default.
    #[must_use]
    pub fn new(target: Dsn, mode: RestoreMode, tools: Tools) -> Self {
        Self {
            target,
            ambient: Ambient::default(),
            mode,
            created_database: None,
            confirm_destructive: false,
            jobs: None,
            work_dir: std::env::temp_dir(),
            public_key_pem: None,
            leave_out: LeaveOut::default(),
            tools,
            download_retry: RetryPolicy { max_retries: 6, ..RetryPolicy::default() },
        }
    }

    pub(super) fn effective_jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_DEFAULT_JOBS);
        self.jobs.map_or_else(cores, NonZeroUsize::get)
    }

    /// The database to connect to before the restored one is there.
    pub(super) fn first_database(&self) -> &str {
        self.target.database().unwrap_or(DEFAULT_MAINTENANCE_DATABASE)
    }
}
