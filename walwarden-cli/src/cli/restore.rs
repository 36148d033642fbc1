//! The words and flags of `walwarden restore`.

use std::num::NonZeroUsize;

use super::{Args, BackupJobId, EventsFormat, Mode, PathBuf, RestoreJobId, SecretString, Subcommand};

const LEGACY_HELP: &str = "\
The token is read from WALWARDEN_TOKEN or WALWARDEN_TOKEN_FILE; it works once, for one hour.
With --json, or when stdout is no terminal, every state is one line, and exactly one line is the end.

Example:
  WALWARDEN_TOKEN=wrt1.… PGPASSWORD=… walwarden restore --manifest <hash> \\
    --target postgresql://user@host:5432/postgres --mode new_database --created-database recovery";

const EXECUTE_HELP: &str = "\
Examples:
  walwarden --json restore execute --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \\
    --target postgresql://user@host/postgres --mode new_database --created-database recovery
  walwarden --json restore execute --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \\
    --target postgresql://user@host/app --mode in_place --dry-run";

#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true, after_help = LEGACY_HELP)]
pub(crate) struct RestoreArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RestoreCommand>,
    #[command(flatten)]
    pub(crate) legacy: LegacyArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RestoreCommand {
    /// Open a restore session and receive its single-use token; nothing is restored yet
    #[command(after_help = "Example: walwarden --json restore create --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \
                            --target postgresql://user@host/postgres --mode new_database")]
    Create(CreateArgs),
    /// Open a restore session and restore on this machine, to the end
    #[command(after_help = EXECUTE_HELP)]
    Execute(ExecuteArgs),
    /// Read a restore job
    #[command(after_help = "Example: walwarden --json restore status rst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Status {
        /// The restore job
        #[arg(value_name = "RESTORE_ID")]
        id: RestoreJobId,
    },
}

impl LegacyArgs {
    /// Whether any of these was given, which a subcommand must not be.
    pub(crate) fn is_given(&self) -> bool {
        // Taken apart whole, so that no flag is forgotten.
        let Self { manifest, target: to, run } = self;
        let TargetArgs { target, target_file, mode, created_database, confirm_destructive } = to;
        let RunArgs { jobs, work_dir, pubkey, no_owner, no_acl, no_analyze } = run;
        let named = manifest.is_some() || target.is_some() || target_file.is_some() || created_database.is_some();
        let valued = mode.is_some() || jobs.is_some() || work_dir.is_some() || pubkey.is_some();
        let switched = [confirm_destructive, no_owner, no_acl, no_analyze].into_iter().any(|set| *set);
        named || valued || switched
    }
}

/// Where a restore goes, and how it treats what is there.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// The target: a maintenance database for `new_database`, the database itself for `in_place`. It never leaves
    /// this machine. Also read from `WALWARDEN_TARGET_DSN`
    #[arg(long, value_name = "DSN", conflicts_with = "target_file")]
    pub(crate) target: Option<SecretString>,
    /// A file that holds the target's connection string
    #[arg(long, value_name = "PATH")]
    pub(crate) target_file: Option<PathBuf>,
    /// How the target is treated
    #[arg(long, value_enum, required = true)]
    pub(crate) mode: Option<Mode>,
    /// With `new_database`: the database to create, when not the one named in the backup
    #[arg(long, value_name = "NAME")]
    pub(crate) created_database: Option<String>,
    /// Required for `in_place`: what the backup holds is dropped from the target database first. At a terminal,
    /// `restore execute` and `restore --manifest` ask for the database's name instead
    #[arg(long)]
    pub(crate) confirm_destructive: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The completed backup
    #[arg(long, value_name = "BACKUP_ID")]
    pub(crate) backup: BackupJobId,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExecuteArgs {
    #[command(flatten)]
    pub(crate) create: CreateArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Write every event as one line to stdout, the result last, and nothing to stderr
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) events: Option<EventsFormat>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Check tools and target, and say what would be done; nothing is opened, used or written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Restore only if all is still as the dry run with this `planDigest` found it
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub(crate) plan: Option<String>,
}

fn digest(text: &str) -> Result<String, &'static str> {
    if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        Ok(text.to_owned())
    } else {
        Err("must be 64 lowercase hexadecimal digits: the planDigest of a dry run")
    }
}

#[derive(Debug, Args)]
pub(crate) struct LegacyArgs {
    /// The manifest hash that the token was issued for
    #[arg(long, value_name = "HASH", required = true)]
    pub(crate) manifest: Option<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// How a restore runs on this machine.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Parallel jobs of `pg_restore`; the number of cores, 8 at most, when absent
    #[arg(long, value_name = "N", value_parser = super::value::jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Where the artifact is kept meanwhile; the system's temporary directory when absent
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: Option<PathBuf>,
    /// The only public key (PEM) whose signature is accepted
    #[arg(long, value_name = "PATH")]
    pub(crate) pubkey: Option<PathBuf>,
    /// Leave everything owned by the restoring role
    #[arg(long)]
    pub(crate) no_owner: bool,
    /// Do not restore privileges
    #[arg(long)]
    pub(crate) no_acl: bool,
    /// Do not run ANALYZE at the end
    #[arg(long)]
    pub(crate) no_analyze: bool,
}
